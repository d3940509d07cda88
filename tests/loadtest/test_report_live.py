from __future__ import annotations

import io

from report_loads import outcome, report
from rich.console import Console

from loadtest.interval import Interval
from loadtest.reports.comparison import compare
from loadtest.reports.live import LiveView
from loadtest.reports.tables import comparison_table, latency_table, outcome_table


def shown(load, *, is_terminal):
    written = io.StringIO()
    console = Console(file=written, force_terminal=is_terminal, width=140, color_system=None)
    with LiveView(console, "[story] of 50", 5.0, 20.0) as view:
        for interval in load.intervals:
            view.show(interval)
    return written.getvalue()


def test_the_terminal_shows_the_second_that_was() -> None:
    text = shown(outcome(seconds=20, errors=1), is_terminal=True)
    last = text[text.rindex("[story] of 50") :]
    for words in (
        "20 of 20 s", "120/s of 120 due", "choose", "begin_story", "all calls", "deliveries",
        "50 connections", "360 updates/s", "25 errors so far", "server 2.4% of a core", "MiB",
        "generator 30% of a core, 1.5 ms late",
    ):  # fmt: skip
        assert words in last


def test_without_a_terminal_there_is_a_line_now_and_then() -> None:
    lines = shown(outcome(seconds=20, errors=1), is_terminal=False).splitlines()
    assert len(lines) == 5
    assert lines[0].startswith("warm-up, 1 s to go: 120/s, p50 ")
    assert lines[-1].startswith("20 of 20 s: 120/s, p50 ")
    assert lines[-1].endswith("50 connections, 25 errors so far")


def test_seconds_in_which_nothing_happens_are_shown_too() -> None:
    silent = outcome(seconds=0, calls=0)
    silent.intervals.append(Interval(24))
    assert "waiting for the last answers" in shown(silent, is_terminal=True)
    assert "waiting for the last answers: 0/s" in shown(silent, is_terminal=False)


def printed(*tables):
    console = Console(file=io.StringIO(), width=140, color_system=None)
    console.print(*tables)
    return console.file.getvalue()


def test_the_end_is_a_table_of_figures_and_of_what_broke() -> None:
    rules = [f"[rule] {number}" for number in range(25)]
    found = report("p99<1ms", "rate>1", errors=1, broken=rules, saturated=["worker 1 was full"])
    text = printed(latency_table(found), outcome_table(found))
    for words in (
        "4,800", "all calls", "deliveries", "120/s of 120/s due", "360/s", "200 us", "40, 0.83%",
        "40 x limit.rate_exceeded", "not kept", "120/s, kept", "[rule] 0", "[rule] 19",
        "and 5 more", "worker 1 was full", "as it was",
    ):  # fmt: skip
        assert words in text
    assert "[rule] 20" not in text


def test_a_comparison_is_a_table() -> None:
    before, after = report(), report(seconds=30, slower=2.0)
    text = printed(comparison_table(compare(before, after, 1.1)))
    for words in ("choose", "p99.9", "worse", "shown", "option duration: 40, later 30", "x to "):
        assert words in text
