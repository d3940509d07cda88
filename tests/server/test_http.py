from __future__ import annotations

import asyncio
import json

import pytest
from rig import Rig, running_rig

from persistence.memory import MemoryStore
from protocol.values import Identity
from server.http import listening
from server.limits import HEADER_BYTES_MAX, REFUSAL_SECONDS

CORS = {
    "access-control-allow-origin": "*",
    "access-control-allow-methods": "*",
    "access-control-allow-headers": "authorization,accept,content-type",
}


@pytest.fixture
async def rig(tmp_path):
    async with running_rig(tmp_path) as running:
        yield running


def with_token(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


async def test_a_new_identity(rig: Rig):
    answer = await rig.request("POST", "/v1/identity")
    assert answer.status == 200
    body = json.loads(answer.body)
    claims = await rig.authenticator.verify(body["token"])
    assert str(claims.identity) == body["identity"]


async def test_a_websocket_token(rig: Rig):
    bearer = rig.authenticator.mint_anonymous()
    answer = await rig.request("POST", "/v1/identity/websocket-token", with_token(bearer.token))
    assert answer.status == 200
    claims = await rig.authenticator.verify(json.loads(answer.body)["token"])
    assert claims.identity == bearer.claims.identity
    assert claims.expires_at == bearer.claims.issued_at + 60_000_000
    assert answer.headers["spacetime-identity"] == str(bearer.claims.identity)
    assert answer.headers["spacetime-identity-token"] == bearer.token


@pytest.mark.parametrize(
    ("headers", "status"),
    [({}, 401), (with_token("garbage"), 401), ({"authorization": "Basic x"}, 400)],
)
async def test_a_websocket_token_needs_a_token(rig: Rig, headers, status):
    answer = await rig.request("POST", "/v1/identity/websocket-token", headers)
    assert answer.status == status
    assert answer.body
    assert answer.headers.items() >= CORS.items()


async def test_verify(rig: Rig):
    bearer = rig.authenticator.mint_anonymous()
    identity = bearer.claims.identity
    headers = with_token(bearer.token)
    for path, wanted in (
        (f"/v1/identity/{identity}/verify", 204),
        (f"/v1/identity/{Identity(identity - 1)}/verify", 400),
        ("/v1/identity/nobody/verify", 400),
    ):
        assert (await rig.request("GET", path, headers)).status == wanted
    assert (await rig.request("GET", f"/v1/identity/{identity}/verify")).status == 401


async def test_the_public_key(rig: Rig):
    answer = await rig.request("GET", "/v1/identity/public-key")
    assert answer.headers["content-type"].startswith("application/pem-certificate-chain")
    assert answer.body == rig.authenticator.public_pem
    assert answer.body.startswith(b"-----BEGIN PUBLIC KEY-----")


async def test_what_is_known_of_a_database(rig: Rig):
    identity = str(rig.database.identity)
    for name in ("test-db", identity, f"0x{identity}"):
        answer = await rig.request("GET", f"/v1/database/{name}/identity")
        assert (answer.status, answer.body.decode()) == (200, identity)
        assert len(answer.headers["spacetime-identity"]) == 64
    names = await rig.request("GET", f"/v1/database/{identity}/names")
    assert json.loads(names.body) == {"names": ["test-db"]}


@pytest.mark.parametrize(
    "path", ["identity", "names", "schema?version=9", "subscribe", "identity?x=1"]
)
async def test_an_unknown_database(rig: Rig, path):
    for name in ("other", "c2" * 32):
        answer = await rig.request("GET", f"/v1/database/{name}/{path}")
        assert (answer.status, answer.body.decode()) == (404, f"`{name}` not found")
        assert answer.headers.items() >= CORS.items()


async def test_the_schema_in_both_versions(rig: Rig):
    nine = await rig.request("GET", "/v1/database/test-db/schema?version=9")
    assert json.loads(nine.body).keys() >= {"typespace", "tables", "reducers", "misc_exports"}
    ten = await rig.request("GET", "/v1/database/test-db/schema?version=10")
    assert list(json.loads(ten.body)) == ["sections"]
    for query in ("", "?version=8"):
        answer = await rig.request("GET", f"/v1/database/test-db/schema{query}")
        assert answer.status == 400


async def test_a_bad_token_is_refused_where_none_is_needed(rig: Rig):
    answer = await rig.request("GET", "/v1/database/test-db/names", with_token("garbage"))
    assert answer.status == 401


@pytest.mark.parametrize(
    "path", ["/v1/identity/websocket-token", "/v1/database/test-db/subscribe", "/v1/nowhere"]
)
async def test_preflights(rig: Rig, path):
    answer = await rig.request(
        "OPTIONS", path, {"origin": "https://game.example", "access-control-request-method": "POST"}
    )
    assert answer.status == 200
    assert answer.headers.items() >= CORS.items()


async def test_cross_origin_headers_are_on_every_v1_answer_and_nowhere_else(rig: Rig):
    for path in ("/v1/ping", "/v1/nowhere", "/v1/identity"):
        assert (await rig.request("GET", path)).headers.items() >= CORS.items()
    assert "access-control-allow-origin" not in (await rig.request("GET", "/healthz")).headers


async def test_health(rig: Rig):
    assert (await rig.request("GET", "/v1/ping")).body == b""
    for path, content in (("livez", {}), ("healthz", {"beat_seconds": 0.01})):
        answer = await rig.request("GET", f"/{path}")
        assert (answer.status, json.loads(answer.body)) == (200, {"status": "ok"} | content)
    health = json.loads((await rig.request("GET", "/v1/health")).body)
    assert health["package_name"] == "genarrative-server"
    assert health["schedulable"] is True


async def test_readiness(rig: Rig):
    answer = await rig.request("GET", "/readyz")
    assert (answer.status, json.loads(answer.body)) == (200, {"status": "ready"})


async def test_a_process_without_a_store_is_up_and_not_ready(rig: Rig):
    await rig.store.close()
    answer = await rig.request("GET", "/readyz")
    reason = "the store does not take writes"
    assert answer.status == 503
    assert json.loads(answer.body) == {"status": "not ready", "reason": reason}
    assert (await rig.request("GET", "/livez")).status == 200
    assert json.loads((await rig.request("GET", "/v1/health")).body)["schedulable"] is False


async def test_a_process_whose_store_has_just_refused_is_not_ready(rig: Rig):
    rig.host.seconds_since_refusal = 0.0
    answer = await rig.request("GET", "/readyz")
    assert answer.status == 503
    assert json.loads(answer.body)["reason"] == "the store does not take writes"
    rig.host.seconds_since_refusal = REFUSAL_SECONDS
    assert (await rig.request("GET", "/readyz")).status == 200


async def test_a_process_whose_store_was_taken_over_is_not_ready(rig: Rig):
    newer = MemoryStore(rig.store.disk)
    await newer.open()
    answer = await rig.request("GET", "/readyz")
    assert answer.status == 503
    assert json.loads(answer.body)["reason"] == "another server owns the store"


async def test_metrics_count_connections(rig: Rig):
    client = await rig.connect()
    await client.recv()
    text = (await rig.request("GET", "/metrics")).body.decode()
    assert "genarrative_connections_open 1.0" in text
    assert "genarrative_connections_total 1.0" in text
    assert "genarrative_messages_sent_total 1.0" in text


async def test_a_head_that_does_not_end_is_refused(rig: Rig):
    answer = await rig.raw(b"GET / HTTP/1.1\r\nx: " + b"y" * HEADER_BYTES_MAX)
    assert answer.status == 400


async def test_a_plain_request_for_a_socket_is_told_to_upgrade(rig: Rig):
    answer = await rig.request("GET", "/v1/database/test-db/subscribe")
    assert (answer.status, answer.headers["upgrade"]) == (426, "websocket")


async def test_a_head_that_does_not_come_is_not_waited_for(rig: Rig, monkeypatch):
    monkeypatch.setattr(listening, "HEAD_SECONDS_MAX", 0.01)
    for beginning in (b"", b"GET /healthz HTTP/1.1\r\nhost"):
        reader, writer = await asyncio.open_connection("127.0.0.1", rig.port)
        writer.write(beginning)
        assert await reader.read() == b""
        writer.close()
        await writer.wait_closed()
    assert (await rig.request("GET", "/v1/ping")).status == 200
