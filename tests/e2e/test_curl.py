"""The HTTP API as somebody with a terminal uses it: ``curl``, and a server that is killed."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from served import Served, serving

CURL = shutil.which("curl")
pytestmark = pytest.mark.skipif(CURL is None, reason="curl is not installed")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Served]:
    with serving("examples.chat", tmp_path / "data") as running:
        yield running


def curl(server: Served, path: str, *words: str) -> tuple[int, str]:
    """Status and body of an answer."""
    url = f"http://127.0.0.1:{server.port}{path}"
    done = subprocess.run(
        [str(CURL), "-sS", "--noproxy", "*", "-w", "\n%{http_code}", *words, url],
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    body, _, status = done.stdout.rpartition("\n")
    return int(status), body


def test_a_chat_by_curl_outlives_the_server(server: Served):
    _, made = curl(server, "/v1/identity", "-X", "POST")
    identity, token = json.loads(made)["identity"], json.loads(made)["token"]
    mine = ("-H", f"Authorization: Bearer {token}")
    posted = (*mine, "-H", "Content-Type: application/json", "-d")
    database = "/v1/database/e2e"
    assert curl(server, f"{database}/call/set_name", *posted, '["Ada"]') == (200, "")
    assert curl(server, f"{database}/call/send_message", *posted, '{"text":"hi"}') == (200, "")
    refused = curl(server, f"{database}/call/send_message", *posted, '[""]')
    assert refused == (530, "Messages must not be empty")
    assert curl(server, f"{database}/call/send", *posted, "[]") == (404, "no such reducer")
    status, text = curl(server, f"{database}/call/send_message", *posted, "[1]")
    assert status == 400
    assert text.startswith("invalid arguments for reducer send_message: ")
    server.kill()
    server.start()
    query = ("-d", "SELECT name, online FROM user WHERE online = false")
    status, body = curl(server, f"{database}/sql", *query)
    (statement,) = json.loads(body)
    assert (status, statement["rows"]) == (200, [[[0, "Ada"], False]])
    _, body = curl(server, f"{database}/sql", "-d", "SELECT sender, text FROM message")
    assert json.loads(body)[0]["rows"] == [[[f"0x{identity}"], "hi"]]
    assert curl(server, f"/v1/identity/{identity}/verify", *mine) == (204, "")
    _, body = curl(server, f"{database}/identity")
    assert len(body) == 64
    assert curl(server, f"/v1/database/{body}/names") == (200, '{"names":["e2e"]}')


def test_the_owner_follows_the_logs_by_curl(server: Served):
    owner = ("-H", f"Authorization: Bearer {server.token('service')}")
    path = "/v1/database/e2e/logs?num_lines=5"
    status, body = curl(server, path, *owner)
    assert status == 200
    assert all({"level", "ts", "message"} <= json.loads(line).keys() for line in body.splitlines())
    assert curl(server, path)[0] == 403
    assert curl(server, "/v1/ping") == (200, "")
    assert curl(server, "/v1/database/e2e/subscribe")[0] == 426
