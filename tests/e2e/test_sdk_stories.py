"""Stories of domain 13 with the official SDK, on every store, each through a kill and a restart."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from node_programs import private_tables, run, running
from served import serving

from actors.module.module import Module

pytestmark = [pytest.mark.node, pytest.mark.usefixtures("node")]

GAME = "actors.domains.entry"


@pytest.mark.parametrize("story", ["story_one", "story_two", "story_three", "story_eleven"])
def test_story(story: str, store: str, tmp_path: Path) -> None:
    with serving(GAME, tmp_path / "data", "--dev-fixtures", "--store", store) as server:
        module = Module.load(GAME, fixtures=True)
        given = {"SERVICE_TOKEN": server.token("service"), "PRIVATE_TABLES": private_tables(module)}
        with running(story, server, "v3", **given) as program:
            before = program.next()
            server.kill()
            program.finish()
        server.start()
        tokens = {"TOKEN": before["token"], "STRANGER": before.get("stranger", "")}
        after = run(story, server, "v3", **tokens)
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
