from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from server.transport.wheel import TimerWheel


class Entry:
    def __init__(self, *again: float) -> None:
        self.calls: list[float] = []
        self.again = list(again)

    def on_deadline(self, now: float) -> float | None:
        self.calls.append(now)
        return self.again.pop(0) if self.again else None


def test_an_entry_is_called_at_the_first_tick_after_its_deadline():
    wheel = TimerWheel(10.0)
    entry = Entry()
    wheel.schedule(entry, 12.5)
    wheel.advance(12.9)
    assert entry.calls == []
    wheel.advance(13.0)
    assert entry.calls == [13.0]
    assert len(wheel) == 0


def test_an_entry_says_when_it_wants_to_be_called_again():
    wheel = TimerWheel(0.0)
    entry = Entry(5.0, 6.0)
    wheel.schedule(entry, 1.0)
    for now in range(1, 10):
        wheel.advance(float(now))
    assert entry.calls == [1.0, 5.0, 6.0]


def test_a_cancelled_entry_is_not_called_even_by_its_neighbour_in_the_same_tick():
    wheel = TimerWheel(0.0)

    class Canceller(Entry):
        def on_deadline(self, now: float) -> float | None:
            for other in (first, last):
                if other is not self:
                    wheel.cancel(other)
            return super().on_deadline(now)

    first, last = Canceller(), Canceller()
    wheel.schedule(first, 1.0)
    wheel.schedule(last, 1.0)
    wheel.advance(1.0)
    assert sorted(map(len, (first.calls, last.calls))) == [0, 1]


def test_scheduling_again_replaces_the_deadline():
    wheel = TimerWheel(0.0)
    entry = Entry()
    wheel.schedule(entry, 1.0)
    wheel.schedule(entry, 3.0)
    wheel.advance(2.0)
    assert entry.calls == []
    wheel.advance(3.0)
    assert entry.calls == [3.0]


@given(
    st.floats(0, 1e6),
    st.lists(st.floats(-5, 200), min_size=1, max_size=30),
    st.lists(st.floats(0, 90), max_size=8),
)
def test_nobody_is_called_late_by_more_than_a_tick_nor_forgotten(start, delays, steps):
    wheel = TimerWheel(start)
    entries = [(start + delay, Entry()) for delay in delays]
    for deadline, entry in entries:
        wheel.schedule(entry, deadline)
    now = start
    for step in [*steps, 300.0]:
        now += step
        wheel.advance(now)
        for deadline, entry in entries:
            # A deadline that has passed is at most one tick away from its call.
            assert entry.calls or max(deadline, start) > now - 2 * wheel.tick_seconds
    assert all(len(entry.calls) == 1 for _, entry in entries)
    assert len(wheel) == 0
