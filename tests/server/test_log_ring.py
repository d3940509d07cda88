from __future__ import annotations

import asyncio
import json
import logging
import threading
from collections.abc import AsyncIterator

import pytest

from server import log_ring
from server.limits import LOG_TEXT_CHARS_MAX
from server.log_ring import LogRing
from server.logs import in_context

log = logging.getLogger("test.ring")


@pytest.fixture
def ring():
    kept = LogRing()
    detach = kept.attach()
    yield kept
    detach()


async def lines_of(lines: AsyncIterator[bytes]) -> list[dict]:
    return [
        json.loads(line)
        for part in [part async for part in lines]
        for line in part.split(b"\n")
        if line
    ]


async def test_a_record_is_one_that_the_official_tools_read(ring: LogRing):
    end = in_context(lambda: {"call": "say", "actor": "database/0"})
    log.warning("somebody speaks", extra={"token": "secret", "text": "hi"})
    end()
    (record,) = await lines_of(ring.lines(None, follow=False))
    assert list(record) == ["level", "ts", "target", "function", "message"]
    assert record["level"] == "Warn"
    assert record["ts"] > 1_700_000_000_000_000
    assert (record["target"], record["function"]) == ("test.ring", "say")
    assert record["message"].startswith("somebody speaks ")
    assert "text=hi" in record["message"]
    assert "actor=database/0" in record["message"]
    assert "secret" not in record["message"]


@pytest.mark.parametrize(
    ("level", "wanted"),
    [("info", "Info"), ("warning", "Warn"), ("error", "Error"), ("critical", "Error")],
)
async def test_levels(ring: LogRing, caplog, level, wanted):
    with caplog.at_level("DEBUG"):
        getattr(log, level)("x")
    (record,) = await lines_of(ring.lines(None, follow=False))
    assert record["level"] == wanted


async def test_a_defect_comes_with_its_trace_and_without_secrets(ring: LogRing):
    try:
        raise ValueError("at redis://user:password@host/0")
    except ValueError:
        log.exception("it broke")
    (record,) = await lines_of(ring.lines(None, follow=False))
    assert record["message"].startswith("it broke\nTraceback")
    assert "password" not in record["message"]


async def test_a_long_text_is_cut(ring: LogRing):
    log.warning("x" * (LOG_TEXT_CHARS_MAX + 1))
    (record,) = await lines_of(ring.lines(None, follow=False))
    assert record["message"] == "x" * LOG_TEXT_CHARS_MAX


async def test_the_last_lines_oldest_first_and_no_more_than_are_kept(monkeypatch):
    monkeypatch.setattr(log_ring, "LOG_LINES_MAX", 5)
    ring = LogRing()
    detach = ring.attach()
    for number in range(8):
        log.warning("line %d", number)
    detach()
    log.warning("not any more")
    for count, wanted in ((None, 5), (0, 0), (2, 2), (5, 5), (99, 5)):
        found = await lines_of(ring.lines(count, follow=False))
        assert [one["message"][-1] for one in found] == list("34567")[5 - wanted :]


async def test_followers_see_what_comes_from_any_thread(ring: LogRing):
    log.warning("before")
    lines = ring.lines(1, follow=True)
    assert b"before" in await anext(lines)
    coming = asyncio.ensure_future(anext(lines))
    thread = threading.Thread(target=log.warning, args=("after",))
    thread.start()
    thread.join()
    assert json.loads(await coming)["message"] == "after"
    coming = asyncio.ensure_future(anext(lines, None))
    await asyncio.sleep(0)
    ring.end_followers()
    assert await coming is None


async def test_a_follower_that_is_slow_misses_the_oldest(monkeypatch):
    monkeypatch.setattr(log_ring, "LOG_LINES_MAX", 2)
    ring = LogRing()
    detach = ring.attach()
    log.warning("first")
    log.warning("second")
    lines = ring.lines(None, follow=True)
    await anext(lines)
    for number in range(5):
        log.warning("line %d", number)
    assert [json.loads(line)["message"] for line in (await anext(lines)).splitlines()] == [
        "line 3",
        "line 4",
    ]
    await lines.aclose()
    detach()


async def test_only_so_many_follow(ring: LogRing, monkeypatch):
    monkeypatch.setattr(log_ring, "LOG_FOLLOWERS_MAX", 1)
    log.warning("x")
    assert not ring.is_crowded
    lines = ring.lines(None, follow=True)
    await anext(lines)
    assert ring.is_crowded
    await lines.aclose()
    assert not ring.is_crowded
