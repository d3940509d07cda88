"""Story 8 of domain 13 with the official SDK and HTTP, through a kill and a restart."""

from __future__ import annotations

from pathlib import Path

import pytest
from node_programs import run, running
from served import serving

pytestmark = [pytest.mark.node, pytest.mark.usefixtures("node")]


def test_ai_tasks(store: str, tmp_path: Path) -> None:
    with serving("actors.domains.entry", tmp_path / "data", "--store", store) as server:
        service = server.token("service")
        with running("story_eight", server, "v3", SERVICE_TOKEN=service) as program:
            before = program.next()
            server.kill()
            program.finish()
        server.start()
        after = run("story_eight", server, "v3", TOKEN=before["token"])
        assert after["rows"] == before["rows"]
        assert len(after["rows"]["aiTask"]) == 5
        server.stop()
        assert "Traceback" not in server.log()
