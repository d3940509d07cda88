"""Timer wheel: deadlines of very many connections at the cost of one timer.

Deadlines are rounded up to whole ticks; a deadline beyond one turn of the wheel comes early, which
is allowed: whoever is called decides by the time it is given. No clock and no I/O here.
"""

from __future__ import annotations

from typing import Protocol

__all__ = ["TimerWheel", "WheelEntry"]


class WheelEntry(Protocol):
    """What waits on the wheel; kept by identity."""

    def on_deadline(self, now: float) -> float | None:
        """Do what is due at ``now``; the next deadline, or None to leave the wheel."""
        ...


class TimerWheel:
    """Entries by the tick at which their deadline has passed. Times are seconds.

    Attributes:
        now: the time of the last ``advance``, a clock of one tick's resolution that costs nothing
            to read.
    """

    __slots__ = ("_slot_of", "_slots", "_tick", "now", "tick_seconds")

    def __init__(self, now: float, *, tick_seconds: float = 1.0, slots: int = 64) -> None:
        assert tick_seconds > 0, "time goes forward"
        assert slots > 1, "a wheel of one slot would turn on itself"
        self.now = now
        self.tick_seconds = tick_seconds
        self._slots: list[dict[WheelEntry, None]] = [{} for _ in range(slots)]
        self._slot_of: dict[WheelEntry, int] = {}
        self._tick = int(now // tick_seconds)

    def __len__(self) -> int:
        """Count the entries."""
        return len(self._slot_of)

    def schedule(self, entry: WheelEntry, deadline: float) -> None:
        """Call ``entry`` at the first tick at or after ``deadline``; replaces an earlier one."""
        self.cancel(entry)
        ticks = int(-(-deadline // self.tick_seconds)) - self._tick
        slot = (self._tick + min(max(ticks, 1), len(self._slots) - 1)) % len(self._slots)
        self._slots[slot][entry] = None
        self._slot_of[entry] = slot

    def cancel(self, entry: WheelEntry) -> None:
        """Forget ``entry``; harmless when it is not there."""
        slot = self._slot_of.pop(entry, None)
        if slot is not None:
            del self._slots[slot][entry]

    def advance(self, now: float) -> None:
        """Call everything whose tick has passed by ``now``, oldest tick first."""
        self.now = now
        target = int(now // self.tick_seconds)
        # After a long stop one turn meets every entry; more turns would find nothing new.
        self._tick = max(self._tick, target - len(self._slots))
        while self._tick < target:
            self._tick += 1
            # Nobody is rescheduled into the slot being emptied, and whoever is cancelled leaves it.
            due = self._slots[self._tick % len(self._slots)]
            while due:
                entry, _ = due.popitem()
                del self._slot_of[entry]
                deadline = entry.on_deadline(now)
                if deadline is not None:
                    self.schedule(entry, deadline)
