"""What a database is: the addresses that only read, and those of the module."""

from __future__ import annotations

import json

import jsonschema_rs
import pytest
from parlour import CORS, Parlour, open_parlour

from protocol.schema_reading import read_v10_json
from server.http import database_openapi
from server.http.site import build_site


@pytest.fixture
def sites(monkeypatch) -> list[list[str]]:
    """The paths below ``/v1`` of each site that is built."""
    found: list[list[str]] = []

    def build(**parts):
        site = build_site(**parts)
        paths = [getattr(route, "path", "") for route in site.routes]
        found.append([path for path in paths if path.startswith("/v1/")])
        return site

    monkeypatch.setattr("server.app.build_site", build)
    return found


@pytest.fixture
async def parlour(tmp_path, sites):
    async with open_parlour(tmp_path, rate_limits=False) as opened:
        yield opened


async def test_info(parlour: Parlour):
    owner = parlour.bearer("service", roles=["service"]).claims.identity
    answer = await parlour.ask("GET", "")
    assert answer.headers["content-type"] == "application/json"
    info = answer.json()
    assert list(info) == ["database_identity", "owner_identity", "host_type", "initial_program"]
    assert info["database_identity"] == {"__identity__": f"0x{parlour.identity}"}
    assert info["owner_identity"] == {"__identity__": f"0x{owner}"}
    assert info["host_type"] == {"Wasm": []}
    assert info["initial_program"].startswith("0x")


async def test_what_an_identity_owns(parlour: Parlour):
    owner = parlour.bearer("service", roles=["service"]).claims.identity
    other = parlour.bearer("somebody").claims.identity
    for identity, owned in ((owner, [parlour.identity]), (other, [])):
        answer = await parlour.client.get(f"/v1/identity/{identity}/databases")
        assert (answer.status_code, answer.json()) == (200, {"identities": owned})
    assert (await parlour.client.get("/v1/identity/nobody/databases")).status_code == 400


async def test_the_time(parlour: Parlour):
    first = (await parlour.ask("GET", "/unstable/timestamp")).json()
    second = (await parlour.ask("GET", "/unstable/timestamp")).json()
    (name,) = first
    assert name == "__timestamp_micros_since_unix_epoch__"
    assert 1_700_000_000_000_000 < first[name] <= second[name]


async def test_the_schema_reads_back(parlour: Parlour):
    schema = read_v10_json((await parlour.ask("GET", "/schema?version=10")).json())
    assert {table.name for table in schema.tables} == {"guest", "word"}
    assert "echo" in {procedure.name for procedure in schema.procedures}


@pytest.mark.parametrize("path", ["", "/unstable/timestamp", "/logs"])
async def test_an_unknown_database(parlour: Parlour, path):
    for name in ("other", "c2" * 32):
        answer = await parlour.client.get(f"/v1/database/{name}{path}")
        assert (answer.status_code, answer.text) == (404, f"`{name}` not found")
    called = await parlour.client.post("/v1/database/other/call/say", json=[])
    assert (called.status_code, called.text) == (404, "`other` not found")


async def test_addresses_of_publishing_are_not_there(parlour: Parlour):
    for method, path in (("PUT", ""), ("DELETE", ""), ("POST", "/reset"), ("POST", "/lock")):
        answer = await parlour.ask(method, path)
        assert answer.status_code in {404, 405}
        assert answer.headers.items() >= CORS.items()


async def test_routes_of_the_module(parlour: Parlour):
    for name in ("parlour", parlour.identity):
        answer = await parlour.client.get(f"/v1/database/{name}/route/api/greetings/Ada%20L")
        assert (answer.status_code, answer.json()) == (200, {"name": "Ada L"})
        assert answer.headers.items() >= CORS.items()
        assert "spacetime-identity" not in answer.headers
    wrong = await parlour.ask("DELETE", "/route/api/greetings/Ada")
    assert (wrong.status_code, wrong.headers["allow"]) == (405, "GET, HEAD, OPTIONS")
    preflight = await parlour.ask("OPTIONS", "/route/api/greetings/Ada")
    assert preflight.status_code == 200
    assert preflight.headers.items() >= CORS.items()


@pytest.mark.parametrize("path", ["", "/", "/nothing", "/v1/ping", "//api/greetings/x"])
async def test_what_the_module_has_no_route_for(parlour: Parlour, path):
    answer = await parlour.ask("GET", f"/route{path}")
    assert answer.status_code == 404
    assert answer.text == "Database has not registered a handler for this route"
    elsewhere = await parlour.client.get("/v1/database/other/route/api/greetings/x")
    assert (elsewhere.status_code, elsewhere.text) == (404, "`other` not found")


async def test_requests_are_counted_by_their_addresses(parlour: Parlour):
    await parlour.ask("GET", "/route/api/greetings/Ada")
    await parlour.call("count_words")
    text = (await parlour.client.get("/metrics")).text
    assert 'route="/v1/database/{database}/route/{path:path}"' in text
    assert 'route="/v1/database/{database}/call/{function}"' in text
    assert "Ada" not in text


async def test_the_document_tells_of_all_addresses(parlour: Parlour, sites):
    document = (await parlour.client.get("/v1/openapi.json")).json()
    jsonschema_rs.validator_for(_OPENAPI).validate(document)
    templates = {path for path in document["paths"] if "/call/" not in path}
    for path, operations in document["paths"].items():
        concrete = path.format(database="parlour", identity=parlour.identity, function="say")
        for method in operations:
            answer = await parlour.client.request(method, concrete)
            assert answer.status_code not in {404, 405}, (method, path)
    assert templates == {path for path in sites[0] if "/call/" not in path}
    assert document["paths"].keys() >= {
        *("/v1/database/{database}/call/{function}", "/v1/database/{database}/call/say"),
        "/v1/database/{database}/call/echo",
    }
    assert "/v1/database/{database}/call/arrive" not in document["paths"]


async def test_the_document_describes_the_arguments(parlour: Parlour):
    document = (await parlour.client.get(database_openapi.PATH)).json()
    operation = document["paths"]["/v1/database/{database}/call/say"]["post"]
    schema = operation["requestBody"]["content"]["application/json"]["schema"]
    validator = jsonschema_rs.validator_for({**document, **schema})
    assert validator.is_valid(["a", False])
    assert not validator.is_valid(["a"])
    assert (await parlour.call("say", ["a", False])).status_code == 200
    assert json.dumps(document).count("#/components/schemas/") > 3


_OPENAPI = {
    "type": "object",
    "required": ["openapi", "info", "paths", "components"],
    "properties": {
        "openapi": {"const": "3.1.0"},
        "paths": {
            "additionalProperties": {
                "additionalProperties": {
                    "type": "object",
                    "required": ["summary", "parameters", "responses"],
                    "properties": {
                        "responses": {
                            "minProperties": 1,
                            "patternProperties": {
                                "^[1-5][0-9][0-9]$": {"required": ["description"]}
                            },
                            "additionalProperties": False,
                        },
                        "parameters": {"items": {"required": ["name", "in", "schema"]}},
                    },
                }
            }
        },
    },
}
"""What of OpenAPI's own schema matters here."""
