"""Story 7 of domain 13: drawn on this machine, and once with a model and a service for files."""

from __future__ import annotations

import json
import urllib.request
from pathlib import Path

import pytest
from http_client import visiting
from image_files import large_png, png
from model_server import ModelServer, model_server
from node_programs import run, running
from s3_server import BUCKET, S3Service, s3_service
from served import Served, serving

GAME = "actors.domains.entry"
SESSIONS = "/api/runtime/custom-world/agent/sessions"
COVER_IMAGE = "/api/custom-world/cover-image"
KEY = "sk-very-secret"
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


async def test_a_model_paints_and_a_service_keeps_the_files(tmp_path: Path) -> None:
    """What the model paints goes to the service; what is not an image of that size is drawn."""
    painted = png(1200, 675)
    async with model_server() as model:
        with s3_service() as files:
            flags = ("--config", settings(tmp_path, model, files))
            with serving(GAME, tmp_path / "data", *flags) as server:
                async with visiting(server) as visitors:
                    author = await visitors.newcomer()
                    made = await author.post(SESSIONS, {"locale": "en"}, status=201)
                    session_id = made["session"]["agentSessionId"]
                    body = {"sessionId": session_id, "world": {"name": "Tide"}}
                    model.say(painted)
                    cover = await author.post(COVER_IMAGE, body)
                    assert (cover["source"], cover["asset"]["sourceKind"]) == (
                        "generated",
                        "generated",
                    )
                    assert model.asked[-1]["size"] == "1200x675"
                    shown = await author.send("GET", cover["imageSrc"])
                    assert (shown.status_code, shown.content) == (200, painted)
                    (asked,) = model.keys
                    assert asked == KEY
                    model.say(png(64, 64))
                    drawn = await author.post(COVER_IMAGE, body | {"prompt": "two moons"})
                    assert drawn["source"] == "fallback"
                    assert drawn["binding"]["bindingId"] == cover["binding"]["bindingId"]
                server.kill()
                server.start()
                async with visiting(server) as visitors:
                    again = await visitors.holder(author.token or "").send("GET", cover["imageSrc"])
                    assert again.content == painted
                server.stop()
                assert not (server.data_dir / "objects").exists()
                log = server.log()
                assert "Traceback" not in log
                assert KEY not in log
                assert files.secret_key not in log


def settings(folder: Path, model: ModelServer, files: S3Service) -> str:
    path = folder / "genarrative.toml"
    given = {
        "image_models": [f"{model.url}#paint-1"],
        "image_model_keys": [KEY],
        "objects": f"s3://{BUCKET}/worlds",
        "objects_endpoint": files.endpoint,
        "objects_region": "us-east-1",
        "objects_access_key": files.access_key,
        "objects_secret_key": files.secret_key,
    }
    path.write_text("".join(f"{name} = {json.dumps(value)}\n" for name, value in given.items()))
    return str(path)
