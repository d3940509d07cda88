"""Logs over HTTP: for the owner, as lines of JSON, and as they come."""

from __future__ import annotations

import asyncio
import json
import logging

import pytest
from parlour import CORS, WAIT_SECONDS_MAX, Parlour, open_parlour

from server import log_ring


@pytest.fixture
async def parlour(tmp_path):
    async with open_parlour(tmp_path, rate_limits=False) as opened:
        yield opened


@pytest.fixture
def token(parlour: Parlour) -> str:
    return parlour.bearer("service", roles=["service"]).token


async def test_what_a_reducer_logs(parlour: Parlour, token):
    await parlour.call("say", ["one", False])
    await parlour.call("say", ["two", False])
    answer = await parlour.ask("GET", "/logs", token, params={"num_lines": "1"})
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/x-ndjson"
    assert answer.headers["cache-control"] == "no-cache"
    assert answer.headers.items() >= CORS.items()
    assert "spacetime-identity" in answer.headers
    (line,) = answer.text.splitlines()
    record = json.loads(line)
    assert (record["level"], record["target"], record["function"]) == ("Warn", "parlour", "say")
    assert "text=two" in record["message"]
    everything = (await parlour.ask("GET", "/logs", token)).text
    assert everything.index("text=one") < everything.index("text=two")


async def test_others_do_not_read_them(parlour: Parlour):
    somebody = parlour.bearer("somebody")
    for bearer in (somebody.token, None):
        answer = await parlour.ask("GET", "/logs", bearer)
        assert answer.status_code == 403
        assert answer.text.endswith(f"on database {parlour.identity}: view module logs")
    assert answer.headers["content-type"].startswith("text/plain")


@pytest.mark.parametrize(
    "query", ["num_lines=x", "num_lines=-1", "num_lines=4294967296", "follow=1", "follow="]
)
async def test_parameters_without_meaning(parlour: Parlour, token, query):
    answer = await parlour.ask("GET", f"/logs?{query}", token)
    assert answer.status_code == 400
    assert answer.text.startswith("Failed to deserialize query string: ")


async def test_following_ends_with_the_server(tmp_path):
    async with open_parlour(tmp_path, rate_limits=False) as parlour:
        token = parlour.bearer("service", roles=["service"]).token
        headers = {"authorization": f"Bearer {token}"}
        url = "/v1/database/parlour/logs?num_lines=0&follow=true"
        async with (
            asyncio.timeout(WAIT_SECONDS_MAX),
            parlour.client.stream("GET", url, headers=headers) as answer,
        ):
            lines = answer.aiter_lines()
            logging.getLogger("parlour").warning("while somebody follows")
            assert json.loads(await anext(lines))["message"] == "while somebody follows"
            stopping = asyncio.ensure_future(parlour.server.stop())
            async for _ in lines:
                pass
            assert await stopping
        parlour.is_stopped = True


async def test_only_so_many_follow(parlour: Parlour, token, monkeypatch):
    monkeypatch.setattr(log_ring, "LOG_FOLLOWERS_MAX", 0)
    answer = await parlour.ask("GET", "/logs?follow=true", token)
    assert answer.status_code == 503
    assert answer.headers["content-type"] == "application/problem+json"
    assert (await parlour.ask("GET", "/logs", token)).status_code == 200


async def test_asking_for_the_head_alone_does_not_follow(parlour: Parlour, token):
    answer = await parlour.ask("HEAD", "/logs?follow=true", token)
    assert (answer.status_code, answer.content) == (200, b"")
