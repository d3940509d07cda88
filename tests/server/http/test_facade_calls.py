"""Requests to a running facade: who may call, what is read, what is answered (domain 11)."""

from __future__ import annotations

import json

import pytest
from shelf import Shelf, running_shelf

from persistence.errors import StoreError
from server.limits import BODIES_BYTES_MAX, JSON_BODY_BYTES_MAX

BOOK = {"title": "Emma", "mood": "quiet", "details": {"pages": [1, {"b": 2, "a": None}]}}
EVERYTHING = {
    "flag": True,
    "small": 255,
    "large": 2**53,
    "signed": -(2**53),
    "text": "häuser 🏠",
    "moment": "2030-01-31T12:00:00.000001Z",
    "who": "ab" * 32,
    "data": "/w==",
    "mood": "very_loud",
    "parts": [{"name": "one", "pages": 1, "note": None}],
    "part": {"name": "two", "pages": 2, "note": "x"},
    "details": [1, "two", {"three": None}],
    "maybe": None,
    "extra": {"a": 1},
    "count": 3,
}


# Reading and answering


async def test_a_reducer_a_procedure_and_a_coroutine_answer(shelf: Shelf):
    token = shelf.token()
    added = await shelf.ask("POST", "/api/books", token=token, value=BOOK)
    assert added.status == 201
    book = added.json["book"]
    assert book | {"addedAt": ""} == {**BOOK, "bookId": 1, "addedAt": ""}
    assert (await shelf.ask("GET", "/api/books/1", token=token)).json == {"book": book}
    page = await shelf.ask("GET", "/api/books", token=token)
    assert page.json == {"items": [book], "nextCursor": None}
    assert (await shelf.ask("GET", "/api/books/latest", token=token)).json == book


async def test_every_type_goes_in_and_out(shelf: Shelf):
    answer = await shelf.ask("POST", "/api/echo", value=EVERYTHING)
    assert answer.status == 200
    assert answer.json == EVERYTHING
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"


async def test_an_answer_without_a_body(shelf: Shelf):
    answer = await shelf.ask("DELETE", "/api/books", token=shelf.token())
    assert (answer.status, answer.body) == (204, b"")
    assert "content-type" not in answer.headers


async def test_a_status_may_depend_on_the_answer(shelf: Shelf):
    token = shelf.token()
    for title, status in (("now", 200), ("later", 202)):
        answer = await shelf.ask("POST", "/api/books/plain", token=token, value={"title": title})
        assert (answer.status, answer.json["mood"]) == (status, "quiet")


async def test_a_query_is_read_by_its_types(shelf: Shelf):
    path = "/api/search?words=a&words=b%20c&flag=false&mood=very_loud&offset=-5&limit=3"
    answer = await shelf.ask("GET", f"{path}&since=2030-01-01T00:00:00%2B00:00&other=1")
    assert answer.json == {
        "words": ["a", "b c"],
        "limit": 3,
        "flag": False,
        "mood": "very_loud",
        "since": "2030-01-01T00:00:00.000000Z",
        "offset": -5,
    }


async def test_what_a_query_leaves_out(shelf: Shelf):
    answer = await shelf.ask("GET", "/api/search?mood=&since=")
    assert answer.json == {
        "words": [],
        "limit": 20,
        "flag": None,
        "mood": None,
        "since": None,
        "offset": 0,
    }


@pytest.mark.parametrize(
    ("query", "code", "path"),
    [
        ("limit=0", "input.out_of_range", "limit"),
        ("limit=-1", "input.out_of_range", "limit"),
        (f"limit={2**32}", "input.out_of_range", "limit"),
        ("limit=abc", "input.invalid_type", "limit"),
        ("limit=", "input.invalid_type", "limit"),
        ("limit=+1", "input.invalid_type", "limit"),
        ("limit=1&limit=2", "input.invalid_type", "limit"),
        ("offset=1.0", "input.invalid_type", "offset"),
        ("flag=1", "input.invalid_type", "flag"),
        ("mood=LOUD", "input.unknown_variant", "mood"),
        ("since=yesterday", "input.invalid_type", "since"),
    ],
)
async def test_a_bad_query(shelf: Shelf, query, code, path):
    answer = await shelf.ask("GET", f"/api/search?{query}")
    assert (answer.status, answer.code) == (400, code)
    assert answer.json["error"]["details"] == {"path": path}


async def test_a_bad_parameter_of_the_path(shelf: Shelf):
    answer = await shelf.ask("GET", "/api/books/first", token=shelf.token())
    assert (answer.status, answer.code) == (400, "input.invalid_type")
    assert answer.json["error"]["details"] == {"path": "bookId"}


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "input.json_malformed"),
        (b"{", "input.json_malformed"),
        (b"[]", "input.json_malformed"),
        (b'{"title":"a","title":"b"}', "input.json_malformed"),
        (b'{"a":' * 17 + b"1" + b"}" * 17, "input.json_malformed"),
        (b"{}", "input.missing_field"),
        (json.dumps(BOOK | {"title": 1}).encode(), "input.invalid_type"),
        (json.dumps(BOOK | {"mood": "MOODY"}).encode(), "input.unknown_variant"),
    ],
)
async def test_a_bad_body(shelf: Shelf, body, code):
    answer = await shelf.ask(
        "POST", "/api/books", token=shelf.token(), body=body, content_type="application/json"
    )
    assert (answer.status, answer.code) == (400, code)


async def test_no_body_is_an_empty_one_where_nothing_must_be_in_it(shelf: Shelf):
    answer = await shelf.ask("POST", "/api/serve", token=shelf.token(roles=["service"]))
    assert answer.status == 200
    missing = await shelf.ask("POST", "/api/books", token=shelf.token())
    assert (missing.status, missing.code) == (415, "input.unsupported_media")


@pytest.mark.parametrize("media_type", ["", "text/plain", "application/xml", "multipart/form-data"])
async def test_a_body_of_another_type(shelf: Shelf, media_type):
    answer = await shelf.ask(
        "POST", "/api/books", token=shelf.token(), body=b"{}", content_type=media_type
    )
    assert (answer.status, answer.code) == (415, "input.unsupported_media")


async def test_a_type_may_have_parameters(shelf: Shelf):
    media_type = "Application/JSON; charset=utf-8"
    answer = await shelf.ask(
        "POST", "/api/books", token=shelf.token(), value=BOOK, content_type=media_type
    )
    assert answer.status == 201


async def test_a_large_body_is_refused_by_its_length_alone(shelf: Shelf):
    answer = await shelf.ask(
        "POST",
        "/api/books",
        token=shelf.token(),
        content_type="application/json",
        content_length=str(JSON_BODY_BYTES_MAX + 1),
    )
    assert (answer.status, answer.code) == (413, "input.payload_too_large")


async def test_a_large_body_without_a_length_is_refused_while_it_comes(shelf: Shelf):
    body = b"40\r\n" + b" " * 64 + b"\r\n" + b"1\r\n \r\n"  # and no end
    answer = await shelf.ask(
        "POST",
        "/api/small",
        token=shelf.token(),
        body=body,
        content_type="application/json",
        content_length="",
        transfer_encoding="chunked",
    )
    assert (answer.status, answer.code) == (413, "input.payload_too_large")


async def test_a_body_of_exactly_the_size_is_read(shelf: Shelf):
    answer = await shelf.ask(
        "POST",
        "/api/small",
        token=shelf.token(),
        body=b"{}" + b" " * 62,
        content_type="application/json",
    )
    assert answer.code == "input.missing_field"


async def test_memory_for_bodies_has_an_end(shelf: Shelf, monkeypatch):
    monkeypatch.setattr("server.http.bodies.BODIES_BYTES_MAX", 10)
    answer = await shelf.ask("POST", "/api/books", token=shelf.token(), value=BOOK)
    assert (answer.status, answer.code) == (503, "dependency.unavailable")
    assert answer.headers["retry-after"] == "1"
    monkeypatch.setattr("server.http.bodies.BODIES_BYTES_MAX", BODIES_BYTES_MAX)
    assert (await shelf.ask("POST", "/api/books", token=shelf.token(), value=BOOK)).status == 201


async def test_a_body_that_does_not_come(shelf: Shelf, monkeypatch):
    monkeypatch.setattr("server.http.bodies.BODY_SECONDS_MAX", 0.01)
    answer = await shelf.ask(
        "POST",
        "/api/books",
        token=shelf.token(),
        body=b"{",
        content_length="100",
        content_type="application/json",
    )
    assert (answer.status, answer.code) == (408, "input.too_slow")


# Addresses and methods


@pytest.mark.parametrize("path", ["/api/nothing", "/api", "/api/", "/api/books/", "/api/books/1/x"])
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
async def test_an_unknown_address(shelf: Shelf, method, path):
    answer = await shelf.ask(method, path)
    assert (answer.status, answer.code) == (404, "input.unknown_endpoint")


async def test_a_known_address_with_another_method(shelf: Shelf):
    answer = await shelf.ask("PATCH", "/api/books", token=shelf.token())
    assert (answer.status, answer.code) == (405, "input.method_not_allowed")
    assert answer.headers["allow"] == "DELETE, GET, HEAD, OPTIONS, POST"


async def test_head_is_get_without_the_body(shelf: Shelf):
    token = shelf.token()
    wanted = await shelf.ask("GET", "/api/account", token=token)
    answer = await shelf.ask("HEAD", "/api/account", token=token)
    assert (answer.status, answer.body) == (200, b"")
    assert answer.headers["content-length"] == wanted.headers["content-length"]
    assert (await shelf.ask("HEAD", "/api/nothing")).status == 404
    refused = await shelf.ask("HEAD", "/api/refuse")
    assert refused.status == 405


async def test_the_other_routes_of_the_server_are_untouched(shelf: Shelf):
    assert (await shelf.ask("GET", "/healthz")).status == 200
    assert (await shelf.ask("POST", "/healthz")).status == 405
    assert (await shelf.ask("GET", "/v1/nothing")).body == b"Not Found"


# Request ids


async def test_an_answer_names_its_request(shelf: Shelf):
    answer = await shelf.ask("GET", "/api/nothing", x_request_id="mine-1")
    assert answer.headers["x-request-id"] == "mine-1"
    assert answer.json["error"]["requestId"] == "mine-1"
    answer = await shelf.ask("GET", "/api/whoami")
    assert answer.headers["x-request-id"].startswith("req_")
    answer = await shelf.ask("GET", "/api/whoami", x_request_id="not one")
    assert answer.headers["x-request-id"].startswith("req_")


async def test_a_repeated_request_changes_nothing(shelf: Shelf):
    token = shelf.token()
    first, again = [
        await shelf.ask("POST", "/api/books", token=token, value=BOOK, idempotency_key="k1")
        for _ in range(2)
    ]
    assert first.json == again.json
    other = await shelf.ask(
        "POST", "/api/books", token=token, value=BOOK | {"title": "x"}, idempotency_key="k1"
    )
    assert (other.status, other.code) == (409, "idempotency.conflict")
    for _ in range(2):
        assert (await shelf.ask("POST", "/api/books", token=token, value=BOOK)).status == 201
    page = await shelf.ask("GET", "/api/books", token=token)
    assert [book["bookId"] for book in page.json["items"]] == [1, 2, 3]


@pytest.mark.parametrize("key", ["a b", "a/b", "x" * 65, "ä"])
async def test_an_idempotency_key_that_is_none(shelf: Shelf, key):
    answer = await shelf.ask(
        "POST", "/api/books", token=shelf.token(), value=BOOK, idempotency_key=key
    )
    assert (answer.status, answer.code) == (400, "input.invalid_id")


# Refusals


@pytest.mark.parametrize(
    ("code", "status"),
    [("quest.too_far", 409), ("book.not_found", 404), ("world.gate_blocked", 422)],
)
async def test_a_refusal_is_told_with_its_status(shelf: Shelf, code, status):
    answer = await shelf.ask("POST", "/api/refuse", token=shelf.token(), value={"code": code})
    assert (answer.status, answer.code) == (status, code)
    assert answer.json["error"]["message"] == "as asked"


async def test_a_limit_says_when_to_come_again(shelf: Shelf):
    value = {"code": "limit.rate_exceeded", "seconds": 9}
    answer = await shelf.ask("POST", "/api/refuse", token=shelf.token(), value=value)
    assert (answer.status, answer.headers["retry-after"]) == (429, "9")


async def test_of_a_defect_nothing_is_told(shelf: Shelf, capsys):
    answer = await shelf.ask("GET", "/api/explode", token=shelf.token(), x_request_id="find-me")
    assert (answer.status, answer.code) == (500, "internal.error")
    assert b"secret" not in answer.body
    assert "find-me" in capsys.readouterr().out


# Who asks


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer a b", "Basic dXNlcjpwYXNz", "Bearer garbage"]
)
async def test_a_token_is_needed(shelf: Shelf, header):
    answer = await shelf.ask("GET", "/api/account", authorization=header)
    assert (answer.status, answer.code) == (401, "auth.unauthenticated")
    assert answer.headers["www-authenticate"] == "Bearer"


async def test_a_bad_token_is_refused_where_none_is_needed(shelf: Shelf):
    answer = await shelf.ask("GET", "/api/whoami", authorization="Bearer garbage")
    assert (answer.status, answer.code) == (401, "auth.unauthenticated")


async def test_an_expired_token(tmp_path):
    now = [1_800_000_000_000_000]
    async with running_shelf(tmp_path, clock=lambda: now[0]) as shelf:
        token = shelf.token(seconds=60)
        assert (await shelf.ask("GET", "/api/account", token=token)).status == 200
        now[0] += 60_000_000
        answer = await shelf.ask("GET", "/api/account", token=token)
    assert (answer.status, answer.code) == (401, "auth.token_expired")
    assert answer.headers["www-authenticate"] == "Bearer"


async def test_without_a_token_one_is_somebody_new_each_time(shelf: Shelf):
    first = await shelf.ask("GET", "/api/whoami")
    again = await shelf.ask("GET", "/api/whoami")
    assert first.json["userId"] != again.json["userId"]
    assert first.json["roles"] == ["creator", "player"]
    assert len(shelf.facade.visits) == 0


async def test_a_role_may_be_needed(shelf: Shelf):
    refused = await shelf.ask("POST", "/api/serve", token=shelf.token(), value={})
    assert (refused.status, refused.code) == (403, "auth.forbidden")
    token = shelf.token("worker", roles=["service"])
    assert (await shelf.ask("POST", "/api/serve", token=token, value={})).json == {}


async def test_a_user_sees_what_is_its_own(shelf: Shelf):
    await shelf.ask("POST", "/api/books", token=shelf.token("one"), value=BOOK)
    answer = await shelf.ask("GET", "/api/books/1", token=shelf.token("two"))
    assert (answer.status, answer.code) == (404, "book.not_found")


# Rates


async def test_calls_have_a_rate_of_their_caller(tmp_path):
    async with running_shelf(tmp_path, rates=True, clock=lambda: 1_800_000_000_000_000) as shelf:
        tokens = shelf.token("one"), shelf.token("two")
        statuses = [
            (await shelf.ask("GET", "/api/account", token=tokens[0])).status for _ in range(4)
        ]
        assert statuses == [200, 200, 200, 429]
        assert (await shelf.ask("GET", "/api/account", token=tokens[1])).status == 200
        refused = await shelf.ask("GET", "/api/account", token=tokens[0])
        assert (refused.code, refused.headers["retry-after"]) == ("limit.rate_exceeded", "1")
        assert shelf.gateway.metrics.requests_limited == 2


async def test_callers_without_a_token_share_the_rate_of_their_address(tmp_path):
    async with running_shelf(tmp_path, rates=True, clock=lambda: 1_800_000_000_000_000) as shelf:
        statuses = [(await shelf.ask("GET", "/api/whoami")).status for _ in range(4)]
    assert statuses == [200, 200, 200, 429]


async def test_a_route_may_have_a_rate_of_its_own(tmp_path):
    async with running_shelf(tmp_path, rates=True, clock=lambda: 1_800_000_000_000_000) as shelf:
        first, again = [await shelf.ask("GET", "/api/rare") for _ in range(2)]
    assert (first.status, again.status) == (200, 429)
    assert again.headers["retry-after"] == "10"


# Connections


async def test_requests_follow_each_other_on_one_connection(shelf: Shelf):
    reader, writer = await shelf.send("POST", "/api/refuse", token=shelf.token(), value={})
    head = await reader.readuntil(b"\r\n\r\n")
    assert b" 400 " in head
    size = int(head.lower().partition(b"content-length: ")[2].split()[0])
    await reader.readexactly(size)
    writer.write(b"GET /api/whoami HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
    assert (await reader.read()).startswith(b"HTTP/1.1 200 ")
    writer.close()
    await writer.wait_closed()


async def test_a_client_that_goes_away_harms_nobody(shelf: Shelf):
    _, writer = await shelf.send(
        "POST",
        "/api/books",
        token=shelf.token(),
        body=b"{",
        content_length="9",
        content_type="application/json",
    )
    await writer.drain()
    writer.transport.abort()
    assert (await shelf.ask("GET", "/api/whoami")).status == 200


async def test_while_the_server_stops_nothing_is_begun(shelf: Shelf):
    shelf.facade.close()
    answer = await shelf.ask("GET", "/api/whoami")
    assert (answer.status, answer.code) == (503, "state.actor_unavailable")


async def test_what_a_failed_store_took_back_is_not_told(shelf: Shelf):
    token = shelf.token()
    assert (await shelf.ask("GET", "/api/account", token=token)).status == 200
    shelf.store.fail_next(StoreError("the disk is full"))
    answer = await shelf.ask("POST", "/api/books", token=token, value=BOOK)
    assert (answer.status, answer.code) == (503, "state.actor_unavailable")
