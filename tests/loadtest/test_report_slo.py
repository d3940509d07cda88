from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from report_loads import report

from loadtest.errors import SloError
from loadtest.reports.slo import parse_slo


@pytest.mark.parametrize(
    ("text", "kind", "figure", "order", "bound"),
    [
        ("p99<50ms", None, "p99", "<", 50_000),
        ("battle.p99.9 < 200ms", "battle", "p99.9", "<", 200_000),
        ("story.choose.p50<=750us", "story.choose", "p50", "<=", 750),
        ("story.*.max<1.5s", "story.*", "max", "<", 1_500_000),
        ("errors<0.1%", None, "errors", "<", 0.001),
        ("errors<=3", None, "errors", "<=", 3),
        ("rate>1000", None, "rate", ">", 1_000),
        ("choose.rate>=10/s", "choose", "rate", ">=", 10),
        ("deliveries>20000", None, "deliveries", ">", 20_000),
    ],
)
def test_a_bound_is_read(text, kind, figure, order, bound) -> None:
    slo = parse_slo(text)
    assert (slo.kind, slo.figure, slo.order) == (kind, figure, order)
    assert slo.bound == pytest.approx(bound)
    assert slo.text == text.replace(" ", "")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "p99",
        "p99<",
        "p99=50ms",
        "p99<50",
        "p99<50%",
        "p0<50ms",
        "p100.1<50ms",
        "p99<-1ms",
        "mean<50ms",
        "rate>1000ms",
        "deliveries>5%",
        "battle.errors<1%",
        "battle.deliveries>1",
        ".p99<50ms",
        "p99<50ms,p50<1ms",
    ],
)
def test_what_is_no_bound_is_refused(text) -> None:
    with pytest.raises(SloError, match=r"no bound|measured in|not of a kind|percentiles"):
        parse_slo(text)


@given(st.integers(1, 10**6), st.sampled_from(["<", "<=", ">", ">="]), st.integers(1, 10**6))
def test_orders_mean_what_they_say(bound, order, measured) -> None:
    slo = parse_slo(f"max{order}{bound}us")
    expected = {"<": measured < bound, "<=": measured <= bound}
    expected |= {">": measured > bound, ">=": measured >= bound}
    assert slo.is_kept(measured) == expected[order]


def verdict(slo, **changes):
    (found,) = report(slo, **changes).verdicts
    return found


@pytest.mark.parametrize(
    ("kept", "broken"),
    [
        ("p50<20ms", "p50<1ms"),
        ("choose.p50<5ms", "begin_story.p50<5ms"),
        ("*.max<2s", "*.max<1ms"),
        ("max>=1ms", "max<1ms"),
        ("rate>=120", "rate>120"),
        ("choose.rate>=90", "choose.rate>90"),
        ("deliveries>=360", "deliveries>360"),
        ("delivery.p50<20ms", "delivery.p50<1ms"),
        ("errors<1%", "errors<0.5%"),
        ("errors<=40", "errors<40"),
    ],
)
def test_verdicts_come_from_the_measured_time(kept, broken) -> None:
    assert verdict(kept, errors=1).kept
    assert not verdict(broken, errors=1).kept


def test_a_bound_on_what_never_happened_is_not_kept() -> None:
    found = verdict("battle.p99<50ms")
    assert (found.kept, found.measured) == (False, "nothing")
    assert not verdict("p99<50ms", calls=0).kept


def test_what_was_measured_is_said_in_words() -> None:
    assert verdict("errors<1%", errors=1).measured == "0.83%"
    assert verdict("rate>1").measured == "120/s"
    assert verdict("p50<20ms").measured.endswith(" ms")
