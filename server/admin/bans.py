"""Bans: whom this server does not let in, known to every handshake and kept by an actor."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from actors import Identity, Timestamp, user_id_of
from actors.operations.bans import (
    Ban,
    OperationsBan,
    Unban,
    operations_lift_ban,
    operations_put_ban,
)
from server.admin.operations import Operations

__all__ = ["Bans"]


class Bans:
    """Who is banned; asking is one look-up. Loop thread.

    Args:
        clock: microseconds since the Unix epoch.
    """

    def __init__(self, clock: Callable[[], int]) -> None:
        self._clock = clock
        self._operations: Operations
        self._bans: dict[str, OperationsBan] = {}

    async def load(self, operations: Operations) -> None:
        """Learn the bans that the store holds; before anybody is let in."""
        self._operations = operations
        rows = await operations.read(lambda view: list(view.db[OperationsBan]))
        self._bans = {row.user_id: row for row in rows}

    def __call__(self, identity: Identity) -> bool:
        """Whether somebody is banned now."""
        if not self._bans:
            return False
        ban = self._bans.get(user_id_of(identity))
        return ban is not None and not self._is_over(ban)

    def current(self) -> Sequence[OperationsBan]:
        """The bans that are not over, by user."""
        return [ban for _, ban in sorted(self._bans.items()) if not self._is_over(ban)]

    async def put(
        self, user_id: str, *, until: Timestamp | None, operator: str, reason: str
    ) -> OperationsBan:
        """Ban a user; durable on return. Raises ReducerError ``limit.quota_exceeded``."""
        entry = Ban(banned=user_id, until=until, operator=operator, reason=reason)
        ban = await self._operations.call(operations_put_ban, entry)
        self._bans[user_id] = ban
        return ban

    async def lift(self, user_id: str) -> None:
        """End a ban; durable on return. Raises ReducerError ``ban.not_found``."""
        await self._operations.call(operations_lift_ban, Unban(banned=user_id))
        self._bans.pop(user_id, None)

    def _is_over(self, ban: OperationsBan) -> bool:
        return ban.until is not None and ban.until <= self._clock()
