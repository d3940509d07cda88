from __future__ import annotations

import json
import math
import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st
from report_loads import BEGAN, MACHINE, outcome, report

from loadtest.histogram import Histogram
from loadtest.outcome import Outcome
from loadtest.reports.axis import linear_axis, log_axis
from loadtest.reports.chart import Frame, Line, line_chart
from loadtest.reports.comparison import compare
from loadtest.reports.histogram_chart import histogram_chart
from loadtest.reports.page import render_page
from loadtest.reports.quantities import amount, duration, share, size, times
from loadtest.reports.slo import parse_slo
from loadtest.reports.summary import summarize

VOID = {"meta", "br", "link", "img", "input", "hr"}
LOADING = {"src", "href", "xlink:href", "action", "data", "poster", "srcset"}


class Page(HTMLParser):
    """Reads a page strictly: what is opened is closed, in order."""

    def __init__(self, text) -> None:
        super().__init__()
        self.open, self.tags, self.attributes, self.words = [], [], [], []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attributes) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, name, value) for name, value in attributes]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag) -> None:
        assert self.open.pop() == tag

    def handle_startendtag(self, tag, attributes) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, name, value) for name, value in attributes]

    def handle_data(self, data) -> None:
        if not {"style", "script"} & set(self.open):
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(self.words)


@pytest.fixture(scope="module")
def compared():
    earlier = report(seed=3)
    later = report("p99<20ms", "rate>1", seconds=30, slower=1.5, errors=1)
    return render_page(later, earlier, compare(earlier, later, 1.1))


def test_the_page_needs_nothing_else(compared) -> None:
    page = Page(compared)
    assert not [each for each in page.attributes if each[1] in LOADING]
    assert not {"link", "img", "iframe", "object", "embed", "base", "form"} & set(page.tags)
    assert not re.search(r"url\(|@import|@font-face|fetch\(|XMLHttp|import\(", compared)
    (policy,) = [value for _, name, value in page.attributes if (value or "").startswith("default")]
    assert policy.startswith("default-src 'none'")


def test_everything_that_was_asked_for_is_on_it(compared) -> None:
    text = Page(compared).text
    for words in (
        "story", "bounds were not kept", "p99<20ms", "not kept", "kept", "Latency of all calls",
        "Answered calls per second", "Errors per second: limit.rate_exceeded", "begin_story",
        "Updates delivered per second", "How latencies are spread", "Processor time",
        "Resident memory", "A commit, mean", "Beside the earlier load", "by chance alone",
        "Machine and versions", "a processor, 2 cores", "CPython 3.11.2", "store=memory",
        "Load generator: busiest process", "option duration: 40, later 30",
        "2026-01-02 03:04:05 UTC",
    ):  # fmt: skip
        assert words in text


def test_light_and_dark_are_both_there(compared) -> None:
    assert "prefers-color-scheme: dark" in compared
    used = set(re.findall(r"var\((--\w+)\)", compared))
    dark = compared.split("prefers-color-scheme: dark")[1].split("}")[0]
    given = set(re.findall(r"(--\w+):", dark))
    assert used - given == {"--line"}


def test_values_under_the_pointer_fit_the_drawing(compared) -> None:
    told = [
        json.loads(value) for _, name, value in Page(compared).attributes if name == "data-told"
    ]
    assert len(told) > 10
    for each in told:
        assert each["x"] == sorted(each["x"])
        assert all(len(values) == len(each["x"]) == len(each["t"]) for *_, values in each["lines"])


def test_no_number_is_none_or_infinite(compared) -> None:
    drawn = re.findall(r' (?:d|x|y|x1|x2|y1|y2|width|height)="([^"]*)"', compared)
    assert drawn
    assert not [each for each in drawn if re.search(r"nan|inf|None|e[+-]", each)]


def test_names_of_others_are_words_and_not_markup() -> None:
    evil = "</script><script>alert(1)</script>\"'&<b>"
    found = report(broken=[evil], saturated=[evil], facts={evil: evil}, options={evil: evil})
    found = found.model_copy(
        update={
            "scenario": evil,
            "server": evil,
            "calls": {evil: found.total, "b": found.total},
            "errors": {evil: 3},
            "points": [
                point.model_copy(update={"calls": {evil: point.total}, "errors": {evil: 1}})
                for point in found.points
            ],
        }
    )
    text = render_page(found, found, compare(found, found, 1.1))
    page = Page(text)
    assert page.tags.count("script") == 1
    assert "b" not in {tag for tag, name, value in page.attributes if value == evil}
    assert evil in page.text


@pytest.mark.parametrize("seconds", [0, 1, 2])
def test_short_and_silent_loads_have_a_page(seconds) -> None:
    for calls in (0, 1):
        load = outcome(seconds=seconds, calls=calls)
        found = summarize(load, [parse_slo("p99<1s")], BEGAN, MACHINE)
        Page(render_page(found, found, compare(found, found, 1.1)))
    empty = summarize(Outcome("bank", {}, []), [], BEGAN, MACHINE)
    assert "passed" in Page(render_page(empty)).text


def test_broken_rules_are_said_first() -> None:
    page = Page(render_page(report(broken=["the total is not as it was"])))
    assert page.text.index("rules were broken") < page.text.index("the total is not as it was")
    assert page.text.index("the total is not as it was") < page.text.index("Over time")


def test_a_gap_is_a_gap_and_a_lone_value_a_dot() -> None:
    line = Line("a", "c1", [1.0, None, 3.0, 4.0])
    drawn = line_chart("t", [0.0, 1.0, 2.0, 3.0], [line], Frame(400, 200, amount))
    (path,) = re.findall(r'<path[^>]* d="([^"]*)"', drawn)
    assert re.fullmatch(r"M\S+ \S+h0M\S+ \S+L\S+ \S+", path)


def test_bytes_have_round_ticks_of_their_own() -> None:
    line = Line("a", "c1", [0.0, 95.0 * 2**20])
    drawn = line_chart("t", [0.0, 1.0], [line], Frame(400, 200, size, is_binary=True))
    ticks = re.findall(r'class="tick"[^>]*>([^<]*)<', drawn)
    assert ticks == ["0 B", "50 MiB", "100 MiB"]


def test_bars_are_as_high_as_their_calls_are_many() -> None:
    histogram = Histogram.of({1_000: 25, 30_000: 75})
    total = report().total.model_copy(update={"histogram": histogram.encode()})
    drawn = histogram_chart("t", total, None)
    bars = re.findall(r'class="bar" x="([^"]*)".*?height="([^"]*)"><title>([^<]*)<', drawn)
    assert [told.split(": ")[1] for *_, told in bars] == ["25%", "75%"]
    (left, low, _), (right, high, _) = bars
    assert float(high) == pytest.approx(3 * float(low), abs=0.2)
    inner = 560 - 64 - 12
    assert float(left) == 64.0
    # From 1 ms to 50 ms, in sixty bars.
    place = math.log(30) / math.log(50)
    assert float(right) == pytest.approx(64 + inner * place, abs=inner / 60)


def test_warm_up_and_late_answers_are_shaded() -> None:
    times, line = [-1.0, 0.0, 1.0, 2.0, 3.0], Line("a", "c1", [1.0] * 5)
    drawn = line_chart("t", times, [line], Frame(476, 200, amount), measured=2.0)
    shades = re.findall(r'class="warm" x="([^"]*)" y="10" width="([^"]*)"', drawn)
    assert shades == [("64.0", "100.0"), ("364.0", "100.0")]
    assert "warm" not in line_chart(
        "t", times[1:], [Line("a", "c1", [1.0] * 4)], Frame(476, 200, amount)
    )


@given(st.floats(-1e3, 1e3), st.floats(0, 1e9), st.booleans())
def test_linear_axes_reach_and_have_few_round_ticks(low, length, is_closed) -> None:
    axis = linear_axis(low, low + length, is_closed=is_closed)
    assert axis.high >= low + length - 1e-6 * max(1, abs(low), length)
    assert 1 <= len(axis.ticks) <= 8
    assert list(axis.ticks) == sorted(axis.ticks)
    assert 0 <= axis.place(low + length / 2) <= 1


@given(st.lists(st.just(0.0) | st.floats(1e-6, 1e8), max_size=20))
def test_log_axes_hold_all_values(values) -> None:
    axis = log_axis(values)
    drawn = [value for value in values if value > 0]
    assert axis.low < axis.high
    assert all(axis.low * 0.999 <= value <= axis.high * 1.001 for value in drawn)
    assert [axis.place(value) for value in sorted(drawn)] == sorted(map(axis.place, drawn))
    assert axis.ticks


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (duration(0), "0 us"), (duration(999), "999 us"), (duration(4_210), "4.21 ms"),
        (duration(38_000), "38 ms"), (duration(999_000), "999 ms"), (duration(1_250_000), "1.25 s"),
        (amount(0), "0"), (amount(7), "7"), (amount(0.25), "0.25"), (amount(9_950), "9,950"),
        (amount(12_300), "12.3k"), (amount(4_560_000), "4.56M"), (amount(2e9), "2G"),
        (size(0), "0 B"), (size(1_536), "1.5 KiB"), (size(240 * 2**20), "240 MiB"),
        (share(0), "0%"), (share(0.00012), "0.012%"), (share(0.034), "3.4%"), (share(1), "100%"),
        (times(1.034), "1.034x"), (times(12.54), "12.5x"), (times(0.5), "0.500x"),
    ],
)  # fmt: skip
def test_quantities_are_short(text, expected) -> None:
    assert text == expected
