"""Story 7 of domain 13: drawn on this machine, and once with a model and a service for files."""

from __future__ import annotations

import asyncio
import json
import urllib.request
from pathlib import Path

import pytest
from image_files import large_png
from node_programs import run, running
from served import Served, serving

GAME = "actors.domains.entry"
PHOTO_BYTES = 950_000


@pytest.mark.node
@pytest.mark.usefixtures("node")
def test_images(store: str, tmp_path: Path) -> None:
    photo = tmp_path / "photo.png"
    photo.write_bytes(large_png(PHOTO_BYTES))
    with serving(GAME, tmp_path / "data", "--store", store) as server:
        given = {"SERVICE_TOKEN": server.token("service"), "PNG": str(photo)}
        with running("story_seven", server, "v3", **given) as program:
            before = program.next()
            image = fetch(server, before["imageSrc"])
            server.kill()
            program.finish()
        server.start()
        after = run("story_seven", server, "v3", TOKEN=before["token"])
        assert after["rows"] == before["rows"]
        assert fetch(server, before["imageSrc"]) == image
        server.stop()
        assert "Traceback" not in server.log()


def fetch(server: Served, path: str) -> bytes:
    """A stored file, as anybody gets it."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(f"http://127.0.0.1:{server.port}{path}", timeout=30) as answer:
        data: bytes = answer.read()
    return data
