from __future__ import annotations

import asyncio
import io
import os
import sys

import pytest
from rich.console import Console

from loadtest.errors import CheckError
from loadtest.latency import Latencies
from loadtest.limits import STREAM_PIECES_MAX
from loadtest.stream_model import PacedText
from loadtest.stream_report import streams_table
from loadtest.streams import StreamOptions, StreamOutcome, stream_on_own_server
from loadtest.tally import Tally

SMALL = StreamOptions(
    authors=3, per_second=300, users=2, think_seconds=0.2, seconds=4, store="memory:"
)


def shown(outcome: StreamOutcome) -> str:
    page = io.StringIO()
    Console(file=page, width=160).print(streams_table(SMALL, outcome))
    return page.getvalue()


async def test_authors_get_every_piece_while_others_play() -> None:
    affinity = os.sched_getaffinity(0)
    try:
        outcome = await stream_on_own_server(SMALL, Console(file=io.StringIO()))
    finally:
        os.sched_setaffinity(0, affinity)
    assert outcome.is_good, (outcome.failures, outcome.tally.violations, outcome.errors)
    assert outcome.replies >= 1
    assert outcome.pieces >= outcome.chunks > 0
    assert len(outcome.latencies) == outcome.pieces
    assert outcome.tally.calls > 0
    assert "nothing missing in any of them" in shown(outcome)


def test_a_failure_is_shown() -> None:
    outcome = StreamOutcome(Tally())
    assert outcome.is_good
    outcome.failures["CheckError: piece 3 of a reply is '005'"] += 2
    outcome.log = ["1 [warning  ] slow", "2 [error    ] broken"]
    assert not outcome.is_good
    text = shown(outcome)
    assert "2 x CheckError: piece 3 of a reply is '005'" in text
    assert "broken" in text
    assert "slow" not in text


def test_a_reply_tells_when_its_pieces_were_due() -> None:
    text = PacedText(20)
    assert list(text.feed("64")) == []
    assert list(text.feed("-001-0")) == [100, 120]
    assert list(text.feed("02-003-")) == [140, 160]
    assert text.pieces == 4


@pytest.mark.parametrize("rest", ["002-", "000-", "001-001-", "001-003-"])
def test_a_missing_piece_is_found_out(rest) -> None:
    text = PacedText(20)
    with pytest.raises(CheckError, match="of a reply is"):
        list(text.feed(f"64-{rest}"))


def test_a_whole_reply_is_as_long_as_replies_may_be() -> None:
    assert len(f"{2**63:x}-") + 4 * (STREAM_PIECES_MAX - 1) <= 1_200


def test_latencies_are_added_up() -> None:
    one, other = Latencies(), Latencies()
    one.record(1_000_000)
    other.record(3_000_000, 2)
    one.add(other)
    assert len(one) == 3
    assert one.summary().p50 == pytest.approx(3_000, rel=0.01)


async def test_without_a_server_of_its_own_it_says_so() -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "loadtest", "streams", "--authors", "1"),
        stderr=asyncio.subprocess.PIPE,
    )
    _, errors = await process.communicate()
    assert process.returncode == 2
    assert "--start-server" in errors.decode()
