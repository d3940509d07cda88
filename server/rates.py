"""Token buckets of many callers, without a clock: who may call now.

A bucket is one number: the moment at which it will be full again. That is the generic cell rate
form of a token bucket, exact in integers. Source: domain 1.9.
"""

from __future__ import annotations

from server.limits import BUCKETS_SWEEP_MIN

__all__ = ["TokenBuckets"]


class TokenBuckets:
    """One bucket per key, all with the same rate and burst. Times are integer microseconds.

    A key that is not remembered has a full bucket, so full buckets are forgotten: memory follows
    the callers of the last ``burst / rate`` seconds.
    """

    __slots__ = ("_full_at", "_interval", "_sweep_at", "_tolerance")

    def __init__(self, *, per_minute: int, burst: int) -> None:
        """Make buckets of ``burst`` tokens that gain ``per_minute`` tokens a minute."""
        assert per_minute > 0, "a rate of zero would refuse for ever"
        assert burst > 0, "a bucket holds at least one token"
        self._interval = 60_000_000 // per_minute
        self._tolerance = self._interval * (burst - 1)
        self._full_at: dict[int, int] = {}
        self._sweep_at = BUCKETS_SWEEP_MIN

    def __len__(self) -> int:
        """Count the buckets that are remembered."""
        return len(self._full_at)

    def take(self, key: int, now: int) -> bool:
        """Take one token of ``key``'s bucket at ``now``; False when there is none.

        A refused call takes nothing. A clock that went back refuses nobody for longer than the
        bucket takes to fill.
        """
        full_at = self._full_at.get(key, 0)
        if full_at <= now:
            full_at = now
        elif full_at - now > self._tolerance:
            if full_at - now <= self._tolerance + self._interval:
                return False
            full_at = now + self._tolerance  # the clock went back: one token is left
        self._full_at[key] = full_at + self._interval
        if len(self._full_at) > self._sweep_at:
            self._sweep(now)
        return True

    def _sweep(self, now: int) -> None:
        """Forget full buckets; the next sweep waits for as many again, so its cost is spread."""
        self._full_at = {key: at for key, at in self._full_at.items() if at > now}
        self._sweep_at = max(BUCKETS_SWEEP_MIN, 2 * len(self._full_at))
