"""Stories 4 and 6 of domain 13 with the official SDK and HTTP, through a kill and a restart."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from node_programs import run, running
from served import serving

pytestmark = [pytest.mark.node, pytest.mark.usefixtures("node")]

GAME = "actors.domains.entry"


@pytest.mark.parametrize("story", ["story_four", "story_six"])
def test_world_story(story: str, store: str, tmp_path: Path) -> None:
    with serving(GAME, tmp_path / "data", "--dev-fixtures", "--store", store) as server:
        roles = {
            "SERVICE_TOKEN": server.token("service"),
            "MODERATOR_TOKEN": server.token("moderator"),
        }
        with running(story, server, "v3", **roles) as program:
            before: dict[str, Any] = program.next()
            server.kill()
            program.finish()
        server.start()
        tokens = {"TOKEN": before["token"], "STRANGER": before.get("stranger", "")}
        after = run(story, server, "v3", **tokens)
        assert after["rows"] == before["rows"]
        server.stop()
        assert "Traceback" not in server.log()
