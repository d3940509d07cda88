"""Domain 11.2, rows 15-19, and the assets of 11.3 over real HTTP, without a model."""

from __future__ import annotations

import base64
import json
import struct
import zlib
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from http_client import Game, User, Visitors, game_server, visiting

from actors.domains.fixtures import vale_document

ENTITY = ("/api/custom-world/entity", "/api/runtime/custom-world/entity")
SCENE_NPC = ("/api/custom-world/scene-npc", "/api/runtime/custom-world/scene-npc")
SCENE_IMAGE = "/api/custom-world/scene-image"
COVER_IMAGE = "/api/custom-world/cover-image"
COVER_UPLOAD = "/api/custom-world/cover-upload"
KINDS = ("role", "npc", "hostile", "item", "landmark", "faction", "quest", "treasure")


@pytest.fixture(scope="module")
def game(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Game]:
    with game_server(tmp_path_factory.mktemp("http")) as running:
        yield running


@pytest.fixture
async def visitors(game: Game) -> AsyncIterator[Visitors]:
    async with visiting(game.server) as found:
        yield found


def png(width: int, height: int) -> bytes:
    """A black picture."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        )

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    rows = zlib.compress((b"\0" + bytes(width)) * height)
    parts = ((b"IHDR", head), (b"tEXt", b"Comment\0here I live"), (b"IDAT", rows), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in parts)


async def new_profile(author: User) -> str:
    body = {"document": json.loads(vale_document())}
    made = await author.post("/api/runtime/custom-world-library", body, status=201)
    return made["profile"]["profileId"]


async def bodies(user: User, paths: tuple[str, str], body: dict[str, Any]) -> list[bytes]:
    """What each address answers to a body; the tasks that they leave have ids of their own."""
    found = []
    for path in paths:
        answer = await user.send("POST", path, json=body)
        assert answer.status_code == 200, answer.text
        task_id = answer.json()["aiTaskId"]
        assert task_id.startswith("u_")
        found.append(answer.content.replace(task_id.encode(), b"TASK"))
    return found


@pytest.mark.parametrize("kind", KINDS)
async def test_entities_come_from_either_address(visitors: Visitors, kind: str) -> None:
    user = await visitors.newcomer()
    body = {"kind": kind, "hint": "by the sea", "locale": "en", "context": {"mood": "grim"}}
    first, second = await bodies(user, ENTITY, body)
    assert first == second
    made = json.loads(first)
    assert set(made) == {"entity", "source", "findings", "aiTaskId"}
    assert made["source"] == "fallback"
    assert made["entity"].get("name") or made["entity"].get("title")


async def test_npcs_of_scenes_come_from_either_address(visitors: Visitors) -> None:
    user = await visitors.newcomer()
    scene = {"name": "The Pier", "description": "Planks over black water."}
    body = {"sceneKey": "pier", "scene": scene, "hint": "an old sailor"}
    first, second = await bodies(user, SCENE_NPC, body)
    assert first == second
    made = json.loads(first)
    assert set(made) == {"npc", "source", "findings", "aiTaskId"}
    assert made["npc"]["homeSceneKey"] == "pier"


async def test_generators_know_their_world_and_their_caller(visitors: Visitors) -> None:
    author, stranger = await visitors.newcomer(), await visitors.newcomer()
    profile_id = await new_profile(author)
    made = await author.post(ENTITY[0], {"kind": "npc", "profileId": profile_id})
    task = await author.get(f"/api/ai/tasks/{made['aiTaskId']}")
    assert task["task"]["status"] == "completed"
    theirs = await stranger.refused(
        "POST", ENTITY[1], json={"kind": "npc", "profileId": profile_id}
    )
    assert (theirs.status, theirs.code) == (404, "world.not_found")
    session = await stranger.refused(
        "POST", SCENE_NPC[0], json={"sceneKey": "pier", "sessionId": "cws_none"}
    )
    assert (session.status, session.code) == (404, "agent.session_not_found")
    unknown = await author.refused("POST", ENTITY[0], json={"kind": "dragon"})
    assert (unknown.status, unknown.code) == (400, "input.unknown_variant")


async def test_generation_is_rated(visitors: Visitors) -> None:
    user = await visitors.newcomer()
    answers = [await user.send("POST", ENTITY[0], json={"kind": "item"}) for _ in range(7)]
    assert [answer.status_code for answer in answers] == [200] * 6 + [429]
    assert int(answers[-1].headers["retry-after"]) >= 1
    assert answers[-1].json()["error"]["code"] == "limit.rate_exceeded"


async def test_a_scene_is_pictured_and_bound(visitors: Visitors) -> None:
    author = await visitors.newcomer()
    profile_id = await new_profile(author)
    body = {
        "sceneKey": "mill",
        "scene": {"name": "The Burnt Mill", "description": "Smoke over water."},
        "profileId": profile_id,
    }
    made = await author.post(SCENE_IMAGE, body)
    assert set(made) == {"imageSrc", "asset", "binding", "source"}
    assert made["source"] == "fallback"
    assert made["binding"]["assetObjectId"] == made["asset"]["assetObjectId"]
    assert (made["binding"]["entityKind"], made["binding"]["slot"]) == ("landmark", "scene")
    again = await author.post(SCENE_IMAGE, body)
    assert again["asset"]["contentHash"] == made["asset"]["contentHash"]
    stranger = await visitors.newcomer()
    theirs = await stranger.refused("POST", SCENE_IMAGE, json=body)
    assert (theirs.status, theirs.code) == (404, "asset.entity_not_found")


async def test_a_stored_object_is_for_its_owner(visitors: Visitors) -> None:
    author, stranger = await visitors.newcomer(), await visitors.newcomer()
    made = await author.post(COVER_IMAGE, {"world": {"name": "Tide"}, "prompt": "two moons"})
    assert made["binding"] is None
    answer = await author.send("GET", made["imageSrc"])
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/svg+xml")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["etag"] == f'"{made["asset"]["contentHash"]}"'
    assert answer.content.startswith(b"<svg")
    known = {"if-none-match": answer.headers["etag"]}
    assert (await author.send("GET", made["imageSrc"], headers=known)).status_code == 304
    head = await author.send("HEAD", made["imageSrc"])
    assert (head.status_code, head.content) == (200, b"")
    for who in (stranger, visitors.guest):
        refusal = await who.refused("GET", made["imageSrc"])
        assert (refusal.status, refusal.code) == (404, "asset.not_found")
    up = await author.send("GET", "/objects/genarrative-public/..%2f..%2fsecret")
    assert up.status_code == 404


async def test_a_cover_is_sent_in_a_form_or_as_json(visitors: Visitors) -> None:
    author = await visitors.newcomer()
    profile_id = await new_profile(author)
    image = png(64, 64)
    form = {
        "files": {"file": ("cover.jpg", image, "image/jpeg")},
        "data": {"profileId": profile_id},
    }
    sent = await author.send("POST", COVER_UPLOAD, **form)
    assert sent.status_code == 201, sent.text
    made = sent.json()
    assert set(made) == {"imageSrc", "asset", "binding"}
    assert (made["asset"]["contentType"], made["asset"]["sourceKind"]) == ("image/png", "upload")
    assert (made["binding"]["entityKind"], made["binding"]["slot"]) == ("world", "cover")
    shown = await author.send("GET", made["imageSrc"])
    assert shown.content.startswith(b"\x89PNG")
    assert b"here I live" not in shown.content
    url = "data:image/png;base64," + base64.b64encode(image).decode()
    other = await author.post(COVER_UPLOAD, {"dataUrl": url}, status=201)
    assert other["binding"] is None
    assert other["asset"]["contentHash"] == made["asset"]["contentHash"]


async def test_other_covers_are_refused(visitors: Visitors) -> None:
    author = await visitors.newcomer()
    svg = {"files": {"file": ("cover.png", b"<svg xmlns='x'/>", "image/png")}}
    refusal = await author.refused("POST", COVER_UPLOAD, **svg)
    assert (refusal.status, refusal.code) == (415, "asset.unsupported_media")
    large = {"files": {"file": ("cover.png", png(64, 64) + bytes(5 << 20), "image/png")}}
    refusal = await author.refused("POST", COVER_UPLOAD, **large)
    assert (refusal.status, refusal.code) == (413, "input.payload_too_large")
    empty = await author.refused("POST", COVER_UPLOAD, json={"profileId": "cwp_1"})
    assert (empty.status, empty.code) == (400, "input.missing_field")


async def test_assets_are_confirmed_listed_and_bound(visitors: Visitors, game: Game) -> None:
    author, service = await visitors.newcomer(), visitors.holder(game.service)
    profile_id = await new_profile(author)
    owner = (await author.get("/api/runtime/profile/dashboard"))["dashboard"]["userId"]
    row = {
        "bucket": "genarrative-public",
        "objectKey": f"{owner}/cover/ab/picture.png",
        "accessPolicy": "public_read",
        "contentType": "image/png",
        "contentLength": 12,
        "contentHash": "ab" * 32,
        "ownerUserId": owner,
        "assetKind": "cover",
        "sourceKind": "import",
    }
    asset = (await service.post("/api/assets/objects/confirm", row, status=201))["asset"]
    bad = await service.refused(
        "POST", "/api/assets/objects/confirm", json=row | {"objectKey": "../secret"}
    )
    assert (bad.status, bad.code) == (400, "asset.invalid_locator")
    listed = await author.get("/api/assets")
    assert listed == {"items": [asset], "nextCursor": None}
    call = {
        "assetObjectId": asset["assetObjectId"],
        "entityKind": "world",
        "entityId": f"{profile_id}:world:world",
        "slot": "cover",
    }
    binding = (await author.post("/api/assets/bindings", call, status=201))["binding"]
    assert binding["ownerUserId"] == owner
    stranger = await visitors.newcomer()
    theirs = await stranger.refused("POST", "/api/assets/bindings", json=call)
    assert (theirs.status, theirs.code) == (403, "asset.not_owner")
    path = f"/api/assets/bindings/{binding['bindingId']}"
    for _ in range(2):
        await author.delete(path)
