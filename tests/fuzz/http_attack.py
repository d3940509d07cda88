"""Attacks over HTTP: requests to every address with wrong paths, headers and bodies, or no HTTP."""

from __future__ import annotations

import http.client
import json
import random
from typing import NamedTuple

from mutations import WORDS, mutate, mutate_json, mutate_query
from raw_socket import Fault, RawSocket
from valid_requests import QUERIES, some_call

DATABASE = "/v1/database/e2e"
REQUESTS_MAX = 48
SILENCE_SECONDS_MAX = 2.0
"""Who sent half a request waits for its answer only so long."""

ANSWERS_5XX = {501, 503, 505, 530}
"""What a client can bring about; any other answer of 500 and more is the server's own mistake."""


class Asked(NamedTuple):
    """One request, not yet bytes."""

    method: str
    path: str
    headers: tuple[str, ...]
    body: bytes

    def spell(self) -> bytes:
        """The request as HTTP, with the right length."""
        lines = (
            f"{self.method} {self.path} HTTP/1.1",
            "Host: 127.0.0.1",
            *self.headers,
            f"Content-Length: {len(self.body)}",
        )
        return "\r\n".join((*lines, "", "")).encode(errors="replace") + self.body


_JSON = "Content-Type: application/json"


def _facts(chance: random.Random) -> Asked:
    identity = f"{chance.getrandbits(256):064x}"
    path = chance.choice(
        (
            *("/v1/ping", "/v1/health", "/healthz", "/readyz", "/nowhere", "/v1/openapi.json"),
            *("/v1/identity/public-key", f"/v1/identity/{identity}/verify", DATABASE),
            *(f"/v1/identity/{identity}/databases", f"{DATABASE}/identity", f"{DATABASE}/names"),
            *(f"{DATABASE}/schema?version=9", f"{DATABASE}/schema?version=10"),
            *(f"{DATABASE}/unstable/timestamp", f"{DATABASE}/subscribe", "/api/answers/7?hue=red"),
            *(f"{DATABASE}/logs?num_lines=5", f"{DATABASE}/route/api/answers/8?words=a&words=b"),
        )
    )
    return Asked(chance.choice(("GET",) * 8 + ("HEAD", "OPTIONS", "POST")), path, (), b"")


def _call(chance: random.Random) -> Asked:
    name, args = some_call(chance)
    plain = [value if isinstance(value, int | str) else None for value in args]
    body = json.dumps(plain).encode()
    return Asked("POST", f"{DATABASE}/call/{name}", (_JSON,), body)


def _sql(chance: random.Random) -> Asked:
    query = chance.choice((*QUERIES, "SELECT COUNT(*) AS n FROM item CROSS JOIN tag LIMIT 2"))
    return Asked("POST", f"{DATABASE}/sql?confirmed=false", (), query.encode())


def _route(chance: random.Random) -> Asked:
    body = {"id": chance.randrange(9), "words": ["a", "b"], "hue": "green"}
    return Asked("POST", "/api/answers", (_JSON,), json.dumps(body).encode())


def _identity(chance: random.Random) -> Asked:
    path = chance.choice(("/v1/identity", "/v1/identity/websocket-token"))
    return Asked("POST", path, (), b"")


def _upgrade(chance: random.Random) -> Asked:
    headers = (
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Protocol: v3.bsatn.spacetimedb, v2.bsatn.spacetimedb",
        "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits",
    )
    query = f"?compression=Gzip&confirmed=true&connection_id={chance.getrandbits(128):032x}"
    return Asked("GET", f"{DATABASE}/subscribe{query}", headers, b"")


_KINDS = (_facts, _facts, _call, _call, _call, _sql, _sql, _sql, _route, _identity)
_HEADERS = (
    *(_JSON, "Content-Type: text/plain", "Accept: nothing", "Connection: close", "Range: bytes=0-"),
    *("Authorization: Basic eDp5", "Authorization: Bearer", "Authorization: Bearer a.b.c"),
    *("Expect: 100-continue", "Origin: http://x", "Idempotency-Key: 1", "X-Request-Id: \t~"),
    *(
        "Content-Type: application/json; charset=utf-16",
        "Last-Event-ID: -1",
        "Cookie: " + "x" * 999,
    ),
)


def _mutated(chance: random.Random, asked: Asked, tokens: list[str]) -> Asked:
    """The same request with something wrong about it that leaves it HTTP."""
    method, path, headers, body = asked
    if chance.random() < 0.7:
        token = chance.choice(tokens)
        if chance.random() < 0.1:
            token = mutate(chance, token.encode(), [b"."]).hex()
        headers = (*headers, f"Authorization: Bearer {token}")
    way = chance.randrange(6)
    if way == 0:
        path = _mutated_path(chance, path)
    elif way == 1:
        headers = (*headers, chance.choice(_HEADERS))
    elif way == 2 and headers:
        headers = tuple(header for header in headers if chance.random() < 0.7)
    elif way == 3:
        method = chance.choice(("GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "X"))
    elif body.startswith((b"[", b"{")) and way == 4:
        body = mutate_json(chance, body)
    elif path.endswith("confirmed=false") and way == 4:
        body = mutate_query(chance, body.decode()).encode()
    elif body:
        body = mutate(chance, body, [body, b'["', *WORDS])
    return Asked(method, path, headers, body)


def _mutated_path(chance: random.Random, path: str) -> str:
    place = chance.randrange(1, len(path) + 1)
    odd = (*("%00", "%ff", "%2e%2e/", "//", "..;/", "%", "é", "x" * 3_000, "?a=1&a=2", "#", "[]"),)
    cut = path[:place] + chance.choice(odd) + path[place + chance.randrange(3) :]
    return cut.replace(" ", "")


def attack(port: int, chance: random.Random, tokens: list[str]) -> int:
    """One connection with some requests, the last of which may be none.

    Returns:
        The number of requests.

    Raises:
        Fault: the server did something wrong.
    """
    raw = RawSocket(port)
    try:
        return _attack(raw, chance, tokens)
    finally:
        raw.close()


def _attack(raw: RawSocket, chance: random.Random, tokens: list[str]) -> int:
    count = chance.randrange(1, REQUESTS_MAX)
    for number in range(1, count + 1):
        asked = chance.choice(_KINDS)(chance)
        if chance.random() < 0.9:
            asked = _mutated(chance, asked, tokens)
        raw.send(asked.spell())
        if not _goes_on(raw, asked):
            return number
    asked = chance.choice((*_KINDS, _upgrade, _upgrade, _upgrade))(chance)
    data = asked.spell()
    if asked.headers and "Upgrade: websocket" in asked.headers and chance.random() < 0.3:
        data = data.replace(b"Content-Length: 0\r\n", b"")
    else:
        data = mutate(chance, data, [data, b"\r\n", b"Transfer-Encoding: chunked\r\n\r\nffffffff"])
    raw.send(data)
    raw.finish_writing()
    _last_answers(raw, data)
    return count + 1


def _goes_on(raw: RawSocket, asked: Asked) -> bool:
    """Read the answer, which there has to be; whether the connection lives on."""
    answer = http.client.HTTPResponse(raw.socket, method=asked.method)
    try:
        answer.begin()
        body = answer.read()
    except (http.client.HTTPException, ConnectionError, TimeoutError) as error:
        raise Fault(f"{asked!r:.500} was answered by {error!r}") from None
    finally:
        answer.close()
    if answer.status >= 500 and answer.status not in ANSWERS_5XX:
        raise Fault(f"{asked!r:.500} was answered {answer.status} {body[:200]!r}")
    if answer.status >= 400 and not (body or answer.reason):
        raise Fault(f"{asked!r:.500} was answered {answer.status} without a word")
    return not answer.will_close


def _last_answers(raw: RawSocket, data: bytes) -> None:
    """Whatever comes back is HTTP or, after an upgrade, frames; and it ends."""
    raw.socket.settimeout(SILENCE_SECONDS_MAX)
    said = b""
    try:
        while more := raw.socket.recv(65_536):
            said += more
    except (ConnectionError, TimeoutError):
        pass
    if said and not said.startswith(b"HTTP/1.1 "):
        raise Fault(f"{data[:200]!r} was answered {said[:200]!r}")
    status = int(said[9:12]) if said else 400
    if status >= 500 and status not in ANSWERS_5XX:
        raise Fault(f"{data[:500]!r} was answered {said[:200]!r}")
