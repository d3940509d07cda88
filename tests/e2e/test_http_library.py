"""Domain 11.2, rows 1-7 over real HTTP: library, publishing, gallery, likes, works, moderation."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from http_client import PROFILE, Game, User, Visitors, game_server, visiting

from actors.domains.fixtures import vale_document

LIBRARY = "/api/runtime/custom-world-library"
GALLERY = "/api/runtime/custom-world-gallery"
WORKS = "/api/runtime/custom-world/works"


@pytest.fixture(scope="module")
def game(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Game]:
    with game_server(tmp_path_factory.mktemp("http")) as running:
        yield running


@pytest.fixture
async def visitors(game: Game) -> AsyncIterator[Visitors]:
    async with visiting(game.server) as found:
        yield found


def document(**world: object) -> dict[str, Any]:
    """Test Vale, with some of what is said of the world changed."""
    found = json.loads(vale_document())
    found["world"].update(world)
    return found


async def written(author: User, **world: object) -> dict[str, Any]:
    """A new profile of an author's."""
    body = {"document": document(**world)}
    return (await author.post(LIBRARY, body, status=201))["profile"]


async def published(author: User, **world: object) -> dict[str, Any]:
    """A new profile that is in the gallery."""
    profile = await written(author, **world)
    return (await author.post(f"{LIBRARY}/{profile['profileId']}/publish"))["profile"]


def entry_path(profile: dict[str, Any]) -> str:
    return f"{GALLERY}/{profile['ownerUserId']}/{profile['profileId']}"


async def test_a_world_is_written_read_and_deleted(visitors: Visitors) -> None:
    author = await visitors.newcomer()
    made = await written(author, name="First Vale")
    assert (made["worldName"], made["revision"]) == ("First Vale", 1)
    assert (made["publicationStatus"], made["publishedVersion"]) == ("draft", 0)
    path = f"{LIBRARY}/{made['profileId']}"
    shown = await author.get(path)
    assert set(shown) == {"profile", "document", "findings"}
    assert shown["profile"] == made
    assert shown["document"]["world"]["name"] == "First Vale"
    assert {row["severity"] for row in shown["findings"]} <= {"warning", "info"}

    body = {"document": document(name="Second Vale"), "expectedRevision": 1}
    again = (await author.put(path, body))["profile"]
    assert (again["worldName"], again["revision"]) == ("Second Vale", 2)
    stale = await author.refused("PUT", path, json=body)
    assert stale == (409, "world.stale_version", {"current": 2})

    await author.delete(path)
    gone = await author.refused("GET", path)
    assert (gone.status, gone.code) == (404, "world.not_found")
    missing = await author.refused("DELETE", f"{LIBRARY}/cwp_none")
    assert (missing.status, missing.code) == (404, "world.not_found")


async def test_the_library_comes_in_pages(visitors: Visitors) -> None:
    author = await visitors.newcomer()
    made = [await written(author, name=f"Vale {number}") for number in range(3)]
    await author.post(f"{LIBRARY}/{made[0]['profileId']}/publish")
    first = await author.get(LIBRARY, limit=2)
    rest = await author.get(LIBRARY, limit=2, cursor=first["nextCursor"])
    names = [row["worldName"] for row in first["items"] + rest["items"]]
    assert sorted(names) == ["Vale 0", "Vale 1", "Vale 2"]
    assert rest["nextCursor"] is None
    drafts = await author.get(LIBRARY, status="draft")
    assert {row["profileId"] for row in drafts["items"]} == {row["profileId"] for row in made[1:]}
    unknown = await author.refused("GET", LIBRARY, params={"status": "lost"})
    assert (unknown.status, unknown.code) == (400, "input.unknown_variant")


async def test_worlds_of_others_are_secret(visitors: Visitors) -> None:
    author, stranger = await visitors.newcomer(), await visitors.newcomer()
    made = await written(author)
    path = f"{LIBRARY}/{made['profileId']}"
    requests = [
        ("GET", path, None),
        ("PUT", path, {"document": document()}),
        ("DELETE", path, None),
        ("POST", f"{path}/publish", {}),
        ("POST", f"{path}/unpublish", {}),
    ]
    for method, address, body in requests:
        refusal = await stranger.refused(method, address, json=body)
        assert (refusal.status, refusal.code) == (404, "world.not_found"), (method, address)


async def test_a_document_must_be_one(visitors: Visitors) -> None:
    author = await visitors.newcomer()
    for body in ({"world": {"name": 1}}, {"roles": "none"}, []):
        refusal = await author.refused("POST", LIBRARY, json={"document": body})
        assert (refusal.status, refusal.code) == (400, "world.document_malformed"), body


async def test_a_world_is_published_and_withdrawn(visitors: Visitors) -> None:
    author = await visitors.newcomer()
    made = await written(author, name="Open Vale")
    path = f"{LIBRARY}/{made['profileId']}"
    early = await author.refused("POST", f"{path}/unpublish", json={})
    assert (early.status, early.code) == (409, "world.not_published_state")
    shown = await author.post(f"{path}/publish")
    assert set(shown) == {"profile", "galleryEntry"}
    assert (shown["profile"]["publicationStatus"], shown["galleryEntry"]["version"]) == (
        "published",
        1,
    )
    address = entry_path(shown["profile"])
    detail = await visitors.guest.get(address)
    assert set(detail) == {"entry", "world", "likedByMe", "enterGate"}
    assert detail["entry"] == shown["galleryEntry"]
    assert detail["world"]["world"]["name"] == "Open Vale"
    assert detail["likedByMe"] is False
    assert detail["enterGate"]

    withdrawn = (await author.post(f"{path}/unpublish"))["profile"]
    assert withdrawn["publicationStatus"] == "unpublished"
    gone = await visitors.guest.refused("GET", address)
    assert (gone.status, gone.code) == (404, "world.not_found")


async def test_a_world_with_a_blocker_is_not_published(visitors: Visitors) -> None:
    author = await visitors.newcomer()
    made = await written(author, premise="Too short.")
    refusal = await author.refused("POST", f"{LIBRARY}/{made['profileId']}/publish", json={})
    assert (refusal.status, refusal.code) == (422, "world.gate_blocked")
    assert "PG02" in {check["checkCode"] for check in refusal.details["failed"]}


async def test_the_gallery_is_sorted_and_searched(visitors: Visitors) -> None:
    author = await visitors.newcomer()
    made = [await published(author, name=f"Sorted Mire {number}") for number in range(3)]
    guest = visitors.guest
    newest = await guest.get(GALLERY, q="sorted mire")
    assert [row["profileId"] for row in newest["items"]] == [
        row["profileId"] for row in reversed(made)
    ]
    first = await guest.get(GALLERY, q="sorted mire", limit=2)
    rest = await guest.get(GALLERY, q="sorted mire", limit=2, cursor=first["nextCursor"])
    assert first["items"] + rest["items"] == newest["items"]
    fan = await visitors.newcomer()
    await fan.post(f"{entry_path(made[0])}/like")
    liked = await guest.get(GALLERY, q="sorted mire", sort="likes")
    assert liked["items"][0]["profileId"] == made[0]["profileId"]
    for query in ({"sort": "beauty"}, {"limit": "500"}, {"cursor": "forged"}, {"limit": "0"}):
        refusal = await guest.refused("GET", GALLERY, params=query)
        assert refusal.status == 400, query
    wrong = await guest.refused("GET", f"{GALLERY}/u_nobody/{made[0]['profileId']}")
    assert (wrong.status, wrong.code) == (404, "world.not_found")


async def test_a_world_is_liked_once(visitors: Visitors) -> None:
    author, fan = await visitors.newcomer(), await visitors.newcomer()
    made = await published(author)
    path = f"{entry_path(made)}/like"
    for _ in range(2):
        assert await fan.post(path) == {"likeCount": 1, "likedByMe": True}
    assert (await fan.get(entry_path(made)))["likedByMe"] is True
    for _ in range(2):
        assert await fan.delete(path, status=200) == {"likeCount": 0, "likedByMe": False}
    own = await author.refused("POST", path, json={})
    assert (own.status, own.code) == (403, "gallery.own_work_forbidden")
    wrong = f"{GALLERY}/u_nobody/{made['profileId']}/like"
    refusal = await fan.refused("POST", wrong, json={})
    assert (refusal.status, refusal.code) == (404, "world.not_found")


async def test_works_are_all_that_an_author_has(visitors: Visitors) -> None:
    author = await visitors.newcomer()
    draft, open_one = await written(author), await published(author)
    works = await author.get(WORKS)
    kinds = {row["workId"]: row["workKind"] for row in works["items"]}
    assert kinds == {draft["profileId"]: "profile_draft", open_one["profileId"]: "published"}
    page = await author.get(WORKS, limit=1)
    rest = await author.get(WORKS, limit=1, cursor=page["nextCursor"])
    assert page["items"] + rest["items"] == works["items"]


async def test_moderators_hide_worlds(visitors: Visitors, game: Game) -> None:
    author, moderator = await visitors.newcomer(), visitors.holder(game.moderator)
    made = await published(author)
    path = f"/api/admin/gallery/{made['profileId']}/moderation"
    word = {"moderation": "hidden", "reason": "not for children"}
    hidden = await moderator.post(path, word)
    assert hidden["moderation"] == "hidden"
    gone = await visitors.guest.refused("GET", entry_path(made))
    assert (gone.status, gone.code) == (404, "world.not_found")
    assert (await author.get(entry_path(made)))["entry"]["moderation"] == "hidden"
    await moderator.post(path, word | {"moderation": "visible"})
    assert (await visitors.guest.get(entry_path(made)))["entry"]["moderation"] == "visible"
    player = await visitors.newcomer()
    refusal = await player.refused("POST", path, json=word)
    assert (refusal.status, refusal.code) == (403, "auth.forbidden")


async def test_the_fixture_world_is_in_the_gallery(visitors: Visitors) -> None:
    found = await visitors.guest.get(GALLERY, q="Test Vale")
    assert PROFILE in {row["profileId"] for row in found["items"]}
