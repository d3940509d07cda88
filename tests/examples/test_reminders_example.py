from __future__ import annotations

from example_bench import caller, running_example

from examples.reminders import DAY, Reminder, Said, Tidying, Urgency
from persistence.memory import MemoryDisk
from protocol.values import ScheduleInterval

SECOND = 1_000_000


class Morning:
    """A clock that a test turns; every look at it is a microsecond later."""

    def __init__(self) -> None:
        self.micros = 1_700_000_000_000_000

    def __call__(self) -> int:
        self.micros += 1
        return self.micros

    def advance(self, seconds: float) -> None:
        self.micros += round(seconds * SECOND)


async def wait(example, clock: Morning, seconds: float) -> None:
    """Let time pass, and let be said what is due then."""
    clock.advance(seconds)
    await example.host._wakes.look()
    for _ in range(20):
        await example.host.durable()


def said(example) -> list[tuple[str, Urgency]]:
    return [(row.text, row.urgency) for row in example.rows(Said)]


async def test_a_reminder_is_said_once_and_can_be_put_off():
    clock = Morning()
    async with running_example("examples.reminders", MemoryDisk(), clock) as example:
        assert await example.call(1, "remind_at", clock.micros, "") is not None
        for text in ("tea", "cake"):
            assert await example.call(1, "remind_at", clock.micros + 60 * SECOND, text) is None
        assert await example.call(2, "snooze", 2) == "This is no reminder of yours"
        assert await example.call(1, "snooze", 2) is None
        await wait(example, clock, 61)
        assert said(example) == [("tea", Urgency.NORMAL)]
        await wait(example, clock, 300)
        assert said(example) == [("tea", Urgency.NORMAL), ("cake", Urgency.HIGH)]
        assert example.rows(Reminder) == []
        assert {row.owner for row in example.rows(Said)} == {caller(1).identity}


async def test_after_a_night_an_hourly_reminder_is_said_three_times():
    clock, disk = Morning(), MemoryDisk()
    async with running_example("examples.reminders", disk, clock) as example:
        assert await example.call(1, "remind_every", 3_600, "stretch") is None
    clock.advance(8.5 * 3_600)
    async with running_example("examples.reminders", disk, clock) as example:
        await wait(example, clock, 0)
        assert said(example) == [("stretch", Urgency.LOW)] * 3
        first, second, third = (row.due for row in example.rows(Said))
        assert third - second == second - first == 3_600 * SECOND
        assert await example.call(1, "forget", example.rows(Reminder)[0].id) is None
        await wait(example, clock, 8 * 3_600)
        assert len(said(example)) == 3


async def test_what_was_said_is_kept_for_a_week():
    clock = Morning()
    async with running_example("examples.reminders", MemoryDisk(), clock) as example:
        (tidying,) = example.rows(Tidying)
        assert tidying.scheduled_at == ScheduleInterval(DAY)
        assert await example.call(1, "remind_at", clock.micros, "tea") is None
        await wait(example, clock, 6 * 24 * 3_600)
        assert said(example) == [("tea", Urgency.NORMAL)]
        await wait(example, clock, 2 * 24 * 3_600)
        assert said(example) == []
