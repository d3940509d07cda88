"""Domain 11.1, 11.5 over real HTTP: who may use an address, and what bad requests are told."""

from __future__ import annotations

import re
import time
from collections.abc import AsyncIterator, Iterator

import pytest
from http_client import Game, Visitors, game_server, refusal_of, visiting
from route_tables import ANYONE, ROWS, USER, Row

from server.identity.issuers import TrustedIssuers
from server.identity.signing_keys import SigningKeys
from server.identity.tokens import Authenticator

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD")
SETTINGS = "/api/runtime/settings"
SESSIONS = "/api/runtime/story/sessions"
GONE = (
    "/api/runtime/custom-world/sessions",
    "/api/runtime/custom-world/sessions/cws_1",
    "/api/runtime/custom-world/sessions/cws_1/answers",
    "/api/runtime/custom-world/sessions/cws_1/generate/stream",
)
NOT_YET = ("/api/runtime/big-fish/works", "/api/runtime/puzzle/works")


@pytest.fixture(scope="module")
def game(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Game]:
    with game_server(tmp_path_factory.mktemp("http")) as running:
        yield running


@pytest.fixture
async def visitors(game: Game) -> AsyncIterator[Visitors]:
    async with visiting(game.server) as found:
        yield found


def address(row: Row) -> str:
    """An address of a row; that what it names exists is not said."""
    return re.sub(r"\{[^}]*\}", "1", row.path)


async def test_whoever_must_log_in_is_told_so(visitors: Visitors) -> None:
    for row in ROWS:
        if row.access == ANYONE:
            continue
        answer = await visitors.guest.send(row.method, address(row))
        assert answer.status_code == 401, row
        assert answer.headers["www-authenticate"] == "Bearer"
        assert refusal_of(answer).code == "auth.unauthenticated"


async def test_what_is_for_anyone_needs_no_token(visitors: Visitors) -> None:
    for row in ROWS:
        if row.access == ANYONE:
            answer = await visitors.guest.send(row.method, address(row), json={})
            assert answer.status_code not in {401, 403, 405}, row


async def test_what_needs_a_role_is_refused_to_players(visitors: Visitors) -> None:
    user = await visitors.newcomer()
    for row in ROWS:
        if row.access not in {ANYONE, USER}:
            refusal = await user.refused(row.method, address(row), json={})
            assert (refusal.status, refusal.code) == (403, "auth.forbidden"), row


async def test_a_token_must_be_good(visitors: Visitors) -> None:
    answer = await visitors.holder("not.a.token").send("GET", SETTINGS)
    assert answer.headers["www-authenticate"] == "Bearer"
    assert (answer.status_code, refusal_of(answer).code) == (401, "auth.unauthenticated")


async def test_a_token_must_not_be_expired(visitors: Visitors, game: Game) -> None:
    long_ago = Authenticator(
        SigningKeys.load(game.server.data_dir),
        TrustedIssuers((), time.monotonic),
        clock=lambda: 1_600_000_000_000_000,
    )
    token = long_ago.mint("late", roles=(), seconds=60).token
    answer = await visitors.holder(token).send("GET", SETTINGS)
    assert answer.headers["www-authenticate"] == "Bearer"
    assert (answer.status_code, refusal_of(answer).code) == (401, "auth.token_expired")


async def test_other_methods_are_named(visitors: Visitors) -> None:
    user = await visitors.newcomer()
    allowed: dict[str, set[str]] = {}
    for row in ROWS:
        allowed.setdefault(address(row), set()).add(row.method)
    for path, methods in allowed.items():
        wrong = next(method for method in ("PATCH", "PUT") if method not in methods)
        answer = await user.send(wrong, path, json={})
        assert answer.status_code == 405, path
        assert methods <= {name.strip() for name in answer.headers["allow"].split(",")}


@pytest.mark.parametrize("method", METHODS)
async def test_some_addresses_do_not_exist(visitors: Visitors, method: str) -> None:
    user = await visitors.newcomer()
    for path in (*GONE, *NOT_YET, "/api/nothing"):
        answer = await user.send(method, path)
        assert answer.status_code == 404, path
        if method != "HEAD":
            assert refusal_of(answer).code == "input.unknown_endpoint"


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[1]", b'"x"', b'{"musicVolume": 1, "musicVolume": 2}', b'{"a": \xff}', b"nul"],
)
async def test_bodies_must_be_objects(visitors: Visitors, body: bytes) -> None:
    user = await visitors.newcomer()
    headers = {"content-type": "application/json"}
    refusal = await user.refused("PUT", SETTINGS, content=body, headers=headers)
    assert (refusal.status, refusal.code) == (400, "input.json_malformed")


async def test_fields_have_types(visitors: Visitors) -> None:
    user = await visitors.newcomer()
    assert (await user.put(SETTINGS, {"unknown": 1}))["settings"]
    wrong = await user.refused("PUT", SETTINGS, json={"musicVolume": "loud"})
    assert wrong == (400, "input.invalid_type", {"path": "musicVolume"})
    missing = await user.refused("POST", SESSIONS, json={"profileId": "x"})
    assert missing == (400, "input.missing_field", {"path": "roleKey"})
    variant = await user.refused("PUT", SETTINGS, json={"textSpeed": "warp"})
    assert (variant.status, variant.code) == (400, "input.unknown_variant")


async def test_other_media_are_refused(visitors: Visitors) -> None:
    user = await visitors.newcomer()
    headers = {"content-type": "text/plain"}
    answer = await user.send("PUT", SETTINGS, content=b"{}", headers=headers)
    assert answer.status_code == 415


async def test_a_body_may_be_too_large(visitors: Visitors) -> None:
    user = await visitors.newcomer()
    headers = {"content-type": "application/json"}
    body = b'{"x": "' + b"a" * (2 << 20) + b'"}'
    refusal = await user.refused("PUT", SETTINGS, content=body, headers=headers)
    assert (refusal.status, refusal.code) == (413, "input.payload_too_large")


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"limit": "0"}, "input.out_of_range"),
        ({"limit": "101"}, "input.out_of_range"),
        ({"limit": "abc"}, "input.invalid_type"),
        ({"cursor": "forged"}, "input.invalid_cursor"),
        ({"cursor": "AAAAAAAAWzFd"}, "input.invalid_cursor"),
    ],
)
@pytest.mark.parametrize(
    "path",
    [
        "/api/runtime/browse-history",
        "/api/runtime/profile/wallet-ledger",
        "/api/runtime/profile/played-worlds",
        "/api/runtime/profile/save-archives",
        "/api/runtime/custom-world-library",
        "/api/runtime/custom-world-gallery",
        "/api/runtime/custom-world/works",
        "/api/runtime/custom-world/agent/sessions",
        "/api/assets",
    ],
)
async def test_pages_have_bounds(
    visitors: Visitors, path: str, query: dict[str, str], code: str
) -> None:
    user = await visitors.newcomer()
    refusal = await user.refused("GET", path, params=query)
    assert (refusal.status, refusal.code) == (400, code)


async def test_head_mirrors_get(visitors: Visitors) -> None:
    user = await visitors.newcomer()
    answer = await user.send("HEAD", SETTINGS)
    shown = await user.send("GET", SETTINGS)
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["content-length"] == shown.headers["content-length"]


async def test_a_request_keeps_its_id(visitors: Visitors) -> None:
    user = await visitors.newcomer()
    answer = await user.send("GET", "/api/nothing", headers={"x-request-id": "req-7"})
    assert answer.headers["x-request-id"] == "req-7"
    assert answer.json()["error"]["requestId"] == "req-7"


async def test_another_users_rows_need_the_service(visitors: Visitors, game: Game) -> None:
    user, other = await visitors.newcomer(), await visitors.newcomer()
    theirs = (await other.get(SETTINGS))["settings"]["userId"]
    refusal = await user.refused("GET", SETTINGS, params={"userId": theirs})
    assert (refusal.status, refusal.code) == (403, "auth.forbidden")
    shown = await visitors.holder(game.service).get(SETTINGS, userId=theirs)
    assert shown["settings"]["userId"] == theirs
