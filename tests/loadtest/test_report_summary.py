from __future__ import annotations

import pytest
from report_loads import BEGAN, MACHINE, outcome, report

from loadtest.histogram import Histogram
from loadtest.interval import Interval
from loadtest.outcome import Outcome
from loadtest.reports.limits import BATCHES_MAX, POINTS_MAX
from loadtest.reports.machine import this_machine
from loadtest.reports.server_series import server_figures
from loadtest.reports.summary import summarize


def one_call(second, micros, count=1, **more) -> Interval:
    return Interval(second, {"call": Histogram.of({micros: count}).encode()}, **more)


def summary(*intervals, **more):
    return summarize(Outcome("bank", {}, intervals, **more), [], BEGAN, MACHINE)


def test_warm_up_is_shown_and_never_counted() -> None:
    found = summary(
        one_call(-1, 9_000_000, errors={"early": 5}, deliveries=7, arrivals=3),
        one_call(0, 1_000, errors={"late": 1}, deliveries=2, arrivals=1),
    )
    assert [point.second for point in found.points] == [-1, 0]
    assert (found.total.count, found.total.max) == (1, 1_000)
    assert (found.errors, found.deliveries, found.arrivals) == ({"late": 1}, 2, 1)


def test_late_answers_are_latencies_and_no_throughput() -> None:
    seconds = [one_call(0, 1_000, 10, deliveries=4), one_call(1, 1_000, 10, deliveries=4)]
    late = one_call(2, 2_000_000, 5, deliveries=9, arrivals=1)
    found = summary(*seconds, late, duration=2.0)
    assert (found.rate, found.deliveries, found.arrivals) == (10.0, 8, 0)
    assert found.total.count == 25
    assert found.total.max == pytest.approx(2_000_000, rel=0.001)


def test_figures_are_those_of_one_histogram_of_everything() -> None:
    load = outcome(seconds=30)
    found = summarize(load, [], BEGAN, MACHINE)
    texts = [text for each in load.measured for text in each.calls.values()]
    whole = Histogram.decode(*texts)
    assert found.total.p99_9 == whole.percentile(99.9)
    assert found.total.count == len(whole) == sum(calls.count for calls in found.calls.values())
    assert Histogram.decode(found.total.histogram).quantiles() == whole.quantiles()


@pytest.mark.parametrize(
    ("seconds", "parts", "size"), [(0, 0, 0), (7, 0, 0), (8, 4, 2), (40, 20, 2), (99, 20, 4)]
)
def test_parts_are_equal(seconds, parts, size) -> None:
    found = report(seconds=seconds, calls=8)
    assert len(found.total.parts) == parts <= BATCHES_MAX
    assert found.part_seconds == size
    assert all(part.count == 8 * size for part in found.total.parts)


def test_long_loads_have_several_seconds_in_a_point() -> None:
    seconds = 2 * POINTS_MAX + 50
    found = summary(*(one_call(second, 500, 2) for second in range(-4, seconds)))
    assert len(found.points) <= POINTS_MAX + 2
    assert sum(point.seconds for point in found.points) == seconds + 4
    assert sum(point.total.count for point in found.measured_points) == 2 * seconds
    assert not any(point.second < 0 < point.second + point.seconds for point in found.points)


def test_the_server_stands_beside_it() -> None:
    found = report()
    assert found.server_micros == pytest.approx(200, rel=0.01)
    point = found.points[10]
    assert point.server["turns"] == pytest.approx(240)
    assert point.server["commit"] == pytest.approx(2_000)
    assert "rounds" not in point.server
    assert "cpu" not in found.points[0].server


def test_a_server_without_metrics_has_no_figures() -> None:
    found = summary(one_call(0, 1_000), one_call(1, 1_000))
    assert found.server_micros is None
    assert not any(point.server for point in found.points)


def test_a_server_that_was_started_again_is_no_negative_rate() -> None:
    before = {"genarrative_turns_total": 50.0, "genarrative_actors": 9.0}
    after = {"genarrative_turns_total": 3.0, "genarrative_actors": 1.0}
    assert server_figures(before, after, 1) == {"actors": 1.0}


def test_a_load_without_a_second_is_a_report() -> None:
    found = summary()
    assert (found.rate, found.total.count, found.points) == (0.0, 0, [])


def test_this_machine_is_described() -> None:
    machine = this_machine()
    assert machine.cores >= 1
    assert machine.memory_bytes > 2**20
    assert machine.processor
    assert machine.python.partition(" ")[2]
