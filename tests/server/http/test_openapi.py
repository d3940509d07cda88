"""The document about the routes, and the routes held to it by generated requests."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator

import pytest
import schemathesis
import shelf_module
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis.specs.openapi.checks import positive_data_acceptance
from shelf import Shelf, running_shelf

from actors import Access, Route, struct, u32, u128
from actors.errors import DeclarationError
from server.http.compiled_route import compile_route
from server.http.openapi import describe

OPERATIONS = [(route.method, route.path.replace(":path", "")) for route in shelf_module.ROUTES]


@pytest.fixture(scope="module")
def address(tmp_path_factory) -> Iterator[tuple[str, str]]:
    """A server on a loop and a thread of its own, for clients that block; and a token."""
    folder = tmp_path_factory.mktemp("shelf")
    ready: list[tuple[str, str]] = []
    started = threading.Event()
    stopping: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []

    async def serve() -> None:
        async with running_shelf(folder) as shelf:
            stop = asyncio.Event()
            stopping.append((asyncio.get_running_loop(), stop))
            token = shelf.token("tester", roles=["service", "player"])
            ready.append((f"http://127.0.0.1:{shelf.port}", token))
            started.set()
            await stop.wait()

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    assert started.wait(20)
    yield ready[0]
    loop, stop = stopping[0]
    loop.call_soon_threadsafe(stop.set)
    thread.join(20)


@pytest.fixture(scope="module")
def document() -> schemathesis.schemas.BaseSchema:
    return schemathesis.openapi.from_dict(describe(map(compile_route, shelf_module.ROUTES)))


async def test_the_document_is_served(shelf: Shelf):
    answer = await shelf.ask("GET", "/api/openapi.json")
    assert (answer.status, answer.headers["content-type"]) == (200, "application/json")
    assert answer.json == describe(map(compile_route, shelf_module.ROUTES))


def test_every_route_is_in_the_document(document):
    document.validate()
    found = {
        (entry.ok().method.upper(), entry.ok().path) for entry in document.get_all_operations()
    }
    assert found == set(OPERATIONS)


@pytest.mark.parametrize(
    ("method", "path"),
    [entry for entry in OPERATIONS if entry != ("GET", "/api/explode")],
)
def test_no_request_breaks_the_server_and_answers_are_as_described(document, address, method, path):
    base, token = address
    strategy = document[path][method].as_strategy()

    @given(case=strategy, data=st.data())
    @settings(
        max_examples=15,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    def check(case: schemathesis.Case, data: st.DataObject) -> None:
        if "watch" in path:
            case.query = {**(case.query or {}), "until": 0}
            if isinstance(case.body, dict):
                case.body["until"] = 0
        is_known = data.draw(st.booleans(), label="with a token")
        case.call_and_validate(
            base_url=base,
            headers={"Authorization": f"Bearer {token}"} if is_known else {},
            # What a schema allows, a rule may still refuse.
            excluded_checks=[positive_data_acceptance],
        )

    check()


@struct
class Numbers:
    small: u32
    maybe: u32 | None
    count: u32 = 7


async def take(ctx: object, input: Numbers) -> Numbers:
    """Take numbers.

    And more.
    """
    del ctx
    return input


def operation_of(route: Route) -> tuple[dict, dict]:
    document = describe([compile_route(route)])
    return document["paths"]["/api/x"][route.method.lower()], document["components"]["schemas"]


def test_a_body_lets_out_what_has_a_default_and_an_answer_does_not():
    operation, schemas = operation_of(Route("POST", "/api/x", take, status=201))
    assert operation["summary"] == "Take numbers."
    sent = operation["requestBody"]["content"]["application/json"]["schema"]
    assert sent["required"] == ["small"]
    assert sent["properties"]["count"] == {
        "type": "integer",
        "minimum": 0,
        "maximum": 2**32 - 1,
        "default": 7,
    }
    assert operation["responses"]["201"]["content"]["application/json"]["schema"] == {
        "$ref": "#/components/schemas/Numbers"
    }
    assert schemas["Numbers"]["required"] == ["small", "maybe", "count"]


def test_a_query_says_what_must_be_there():
    operation, _ = operation_of(Route("GET", "/api/x", take))
    assert [(entry["name"], entry["required"]) for entry in operation["parameters"]] == [
        ("small", True),
        ("maybe", False),
        ("count", False),
    ]


def test_who_may_call_is_said():
    operation, _ = operation_of(Route("GET", "/api/x", take, roles=frozenset({"service"})))
    assert operation["security"] == [{"bearer": []}]
    assert operation["description"] == "Needs one of the roles: service."
    operation, _ = operation_of(Route("GET", "/api/x", take, access=Access.ANYONE))
    assert operation["security"] == [{"bearer": []}, {}]


@struct
class Wide:
    number: u128


@struct
class Nested:
    inner: Numbers


async def take_wide(ctx: object, input: Wide) -> None:
    del ctx, input


async def take_nested(ctx: object, input: Nested) -> None:
    del ctx, input


def read_nothing() -> Numbers:
    return Numbers(1, None)


@pytest.mark.parametrize(
    "route",
    [
        Route("POST", "/api/x", take_wide),
        Route("GET", "/api/x", take_nested),
        Route("GET", "/api/x/{other}", take),
        Route("POST", "/api/x", take, read=read_nothing),
        Route("POST", "/api/x", take, is_upload=True),
        Route("GET", "/api/x", shelf_module.take_cover, is_upload=True),
    ],
)
def test_a_route_that_cannot_be_served_is_refused_at_the_start(route):
    with pytest.raises(DeclarationError):
        compile_route(route)
