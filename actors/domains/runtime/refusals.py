"""Refusals: why something that a user asked for, and another actor decided, did not come about."""

from __future__ import annotations

from actors.domains.kinds import USER
from actors.domains.limits import REFUSALS_MAX
from actors.module.context import ReducerContext
from actors.module.tables import table
from actors.module.types import Timestamp

__all__ = ["Refusal", "note_refusal"]


@table(primary_key="refused_id", actor=USER)
class Refusal:
    """The code that a caller who waits is told; ``refused_id`` is what never came to be."""

    refused_id: str
    error_code: str
    error_message: str
    created_at: Timestamp


def note_refusal(ctx: ReducerContext, refused_id: str, code: str, text: str) -> None:
    """Keep a refusal for its caller; beyond the limit the oldest one goes."""
    refusals = ctx.db[Refusal]
    refusals.upsert(Refusal(refused_id, code, text, ctx.timestamp))
    if len(refusals) > REFUSALS_MAX:
        oldest = min(refusals, key=lambda row: (row.created_at, row.refused_id))
        refusals.delete(oldest.refused_id)
