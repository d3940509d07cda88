"""Excess: what an actor's history holds beyond its bounds, counted run by run. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from persistence.limits import RUNS_LOOK_RECORDS
from persistence.retention import Bounds
from persistence.runs import Entry, Run

__all__ = ["Excess"]


class Excess:
    """How much of one actor's history must go once it is folded through a record.

    The records through ``trimmed`` are gone already; ``kept_bytes`` is the size of those after it
    through ``base_seq``, None when it is not known. Whoever asks reads the runs of each look, and
    shows them, until there is no look left.

    What is looked at follows what is folded and what goes, not how long the history is.

    Attributes:
        actor_id: whose history it is.
        trim: the records through this one must go.
        kept_bytes: the size of the folded records that stay then; None without a bound on bytes.
    """

    __slots__ = ("_at", "_bounds", "_spans", "_through", "actor_id", "kept_bytes", "trim")

    def __init__(
        self,
        actor_id: int,
        bounds: Bounds,
        base_seq: int,
        trimmed: int,
        kept_bytes: int | None,
        through: int,
    ) -> None:
        self.actor_id = actor_id
        # Beyond the bound on their number they go without a look.
        is_counted = bounds.records_max is not None
        floor = max(trimmed, through - (bounds.records_max or 0)) if is_counted else trimmed
        self.trim = floor
        self.kept_bytes: int | None = None
        # What is to be added to kept_bytes, and taken off: (sign, after, through).
        self._spans: list[tuple[int, int, int]] = []
        if bounds.bytes_max is not None and (kept_bytes is None or floor >= base_seq):
            self.kept_bytes = 0
            self._spans = [(1, floor, through)]
        elif bounds.bytes_max is not None:
            self.kept_bytes = kept_bytes
            self._spans = [(1, base_seq, through), (-1, trimmed, floor)]
        self._bounds = bounds
        self._through = through
        self._at: int | None = floor

    def looks(self) -> list[tuple[int, int, int]]:
        """What is to be read next, as (actor id, after, through); empty when all is known."""
        if self._at is None:
            return []
        spans = [(after, through) for _, after, through in self._spans]
        spans.append((self._at, self._until()))
        return [(self.actor_id, after, through) for after, through in spans if after < through]

    def look_at(self, runs: Sequence[Run]) -> None:
        """Count what was read: the runs, ascending, in which the looks' records are."""
        for sign, after, through in self._spans:
            assert self.kept_bytes is not None
            self.kept_bytes += sign * sum(_size_between(run, after, through) for run in runs)
        self._spans = []
        until = self._until()
        for run in runs:
            for entry in run.entries() if run.last > self.trim else ():
                if entry.seq > until:
                    break
                if entry.seq <= self.trim:
                    continue
                if self._is_within(entry):
                    self._at = None
                    return
                self.trim = entry.seq
                if self.kept_bytes is not None:
                    self.kept_bytes -= entry.size
        self._at = until

    def _until(self) -> int:
        assert self._at is not None
        return min(self._through, self._at + RUNS_LOOK_RECORDS)

    def _is_within(self, oldest: Entry) -> bool:
        _, bytes_max, since = self._bounds
        return (bytes_max is None or (self.kept_bytes or 0) <= bytes_max) and (
            since is None or oldest.time >= since
        )


def _size_between(run: Run, after: int, through: int) -> int:
    """The size of a run's records after one number through another."""
    if after < run.seq and run.last <= through:
        return run.size
    return sum(entry.size for entry in run.entries() if after < entry.seq <= through)
