"""Announcements: words of the operators to everybody who listens at that moment."""

from __future__ import annotations

from actors import ReducerContext, ReducerError, Timestamp, reducer, struct, table
from actors.operations.kinds import OPERATIONS, OPERATIONS_ROLE
from actors.operations.limits import ANNOUNCEMENT_CHARS_MAX

__all__ = ["Announce", "OperationsAnnouncement", "operations_announce"]


@table(public=True, event=True, actor=OPERATIONS)
class OperationsAnnouncement:
    """What operators say; it reaches the clients that subscribe to this table, once."""

    announced_at: Timestamp
    level: str
    text: str


@struct
class Announce:
    """Something to say; ``level`` is ``info``, ``warning`` or ``critical``."""

    level: str
    text: str


@reducer(actor=OPERATIONS, roles=[OPERATIONS_ROLE])
def operations_announce(ctx: ReducerContext, input: Announce) -> None:
    """Say something to all who subscribe to announcements."""
    if len(input.text) > ANNOUNCEMENT_CHARS_MAX:
        raise ReducerError(
            "limit.text_too_long",
            f"an announcement has at most {ANNOUNCEMENT_CHARS_MAX} characters",
        )
    ctx.db[OperationsAnnouncement].insert(
        OperationsAnnouncement(ctx.timestamp, input.level, input.text)
    )
