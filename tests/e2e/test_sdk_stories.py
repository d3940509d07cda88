"""Stories of domain 13 with the official SDK, on every store, each through a kill and a restart."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from node_programs import run, running
from served import serving

pytestmark = [pytest.mark.node, pytest.mark.usefixtures("node")]

GAME = "actors.domains.entry"


@pytest.mark.parametrize("story", ["story_two"])
def test_story(story: str, store: str, tmp_path: Path) -> None:
    with serving(GAME, tmp_path / "data", "--dev-fixtures", "--store", store) as server:
        with running(story, server, "v3", SERVICE_TOKEN=server.token("service")) as program:
            before = program.next()
            server.kill()
            program.finish()
        server.start()
        after = run(story, server, "v3", TOKEN=before["token"])
        assert stable(after["rows"]) == stable(before["rows"])
        server.stop()
        assert "Traceback" not in server.log()


def test_party(store: str, tmp_path: Path) -> None:
    with serving(GAME, tmp_path / "data", "--dev-fixtures", "--store", store) as server:
        with running("party", server, "v3", SERVICE_TOKEN=server.token("service")) as program:
            before = program.next()
            server.kill()
            program.finish()
        server.start()
        with running("party", server, "v3", TOKENS=json.dumps(before["tokens"])) as program:
            assert program.next()["rows"] == before["rows"]
            program.finish()
        server.stop()
        assert "Traceback" not in server.log()


def stable(rows: dict[str, list[dict[str, object]]]) -> dict[str, list[dict[str, object]]]:
    """Rows without what coming back changes: who is connected, and since when."""
    for row in rows.get("storyParticipant", ()):
        del row["connected"], row["updatedAt"]
    for row in rows.get("userAccount", ()):
        del row["lastSeenAt"]
    return rows
