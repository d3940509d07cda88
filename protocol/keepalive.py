"""Keep-alive of one connection: when to ping and when to give up, as decisions without a clock.

Times are seconds of any clock that never goes back, passed in by the driver. Source: wire spec 8.2.
"""

from __future__ import annotations

from enum import Enum

from protocol.limits import IDLE_SECONDS_MAX, PING_INTERVAL_SECONDS

__all__ = ["Keepalive", "KeepaliveAction"]


assert IDLE_SECONDS_MAX > PING_INTERVAL_SECONDS  # a ping has the time to be answered


class KeepaliveAction(Enum):
    """What the driver has to do now."""

    WAIT = "wait"
    PING = "ping"
    DROP = "drop"


class Keepalive:
    """Timers of one connection, owned by its driver.

    Call :meth:`received` on every inbound frame, pongs included, :meth:`pong_received` on pongs,
    and :meth:`poll` whenever :meth:`deadline` has come.
    """

    __slots__ = ("_heard_at", "_ping_at", "_pong_outstanding")

    def __init__(self, now: float) -> None:
        self._heard_at = now
        self._ping_at = now
        self._pong_outstanding = False

    def received(self, now: float) -> None:
        """Note an inbound frame of any kind: the peer is alive."""
        self._heard_at = now

    def pong_received(self, now: float) -> None:
        """Note the answer to the last ping; pings may go out again."""
        self._heard_at = now
        self._pong_outstanding = False

    def poll(self, now: float) -> KeepaliveAction:
        """Decide what is due; a PING counts as sent when it is returned."""
        if now >= self._heard_at + IDLE_SECONDS_MAX:
            return KeepaliveAction.DROP
        if self._pong_outstanding or now < self._ping_at:
            return KeepaliveAction.WAIT
        self._pong_outstanding = True
        self._ping_at = now + PING_INTERVAL_SECONDS
        return KeepaliveAction.PING

    def deadline(self) -> float:
        """Earliest time at which :meth:`poll` may have something to do."""
        idle_at = self._heard_at + IDLE_SECONDS_MAX
        return idle_at if self._pong_outstanding else min(idle_at, self._ping_at)
