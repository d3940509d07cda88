"""Browse history: the worlds that a user looked at, the last one first (domain 2.3).

Only the catalog knows the published works, so that a visit takes three turns: the user's actor
notes it and asks the catalog's shards, each shard answers, and with the last answer all of the
visit's worlds are entered, or none.
"""

from __future__ import annotations

from actors.domains.domain_types import ThemeMode, WorkCard, WorkRef, WorldKind
from actors.domains.kinds import CATALOG, USER
from actors.domains.limits import (
    BROWSE_BATCH_MAX,
    BROWSE_HISTORY_MAX,
    BROWSE_LISTED_DEFAULT,
    DISPLAY_NAME_CHARS_MAX,
    IMAGE_SRC_CHARS_MAX,
    LISTED_ROWS_MAX,
    SOURCE_REF_CHARS_MAX,
    WORK_SUBTITLE_CHARS_MAX,
    WORK_SUMMARY_CHARS_MAX,
    WORK_TITLE_CHARS_MAX,
)
from actors.domains.messages import DescribeWorks, WorksDescribed
from actors.domains.rules.ids import derived_id, owner_of, world_key
from actors.domains.rules.text import check_id, clean_text
from actors.domains.runtime.refusals import Refusal, note_refusal
from actors.errors import ReducerError
from actors.keys import ActorKey
from actors.module.context import ProcedureContext, ReducerContext, ViewContext
from actors.module.functions import message, procedure, reducer
from actors.module.tables import table
from actors.module.types import Timestamp, replace, struct, u32

__all__ = [
    "BrowseVisit",
    "UserBrowseHistory",
    "clear_browse_history",
    "delete_browse_history_entry",
    "list_browse_history",
    "upsert_browse_history",
    "upsert_browse_history_and_return",
    "works_described",
]


@table(
    public=True,
    primary_key="browse_history_id",
    index=["user_id", "visited_at"],
    actor=USER,
)
class UserBrowseHistory:
    """A world that the user looked at, with its texts as they were at the last visit."""

    browse_history_id: str
    user_id: str
    world_key: str
    world_kind: WorldKind
    owner_user_id: str
    profile_id: str
    world_name: str
    subtitle: str
    summary_text: str
    cover_image_src: str | None
    theme_mode: ThemeMode
    author_display_name: str
    visit_count: u32
    visited_at: Timestamp
    created_at: Timestamp
    updated_at: Timestamp


@table(primary_key="visit_id", actor=USER)
class BrowseVisit:
    """A visit that waits for the catalog.

    Attributes:
        world_keys: what is to be entered, in order.
        works: what the catalog knows of it so far.
        shards_left: how many shards have not answered.
    """

    visit_id: str
    world_keys: list[str]
    works: list[WorkCard]
    shards_left: u32


@struct
class ListBrowseHistory:
    """Input of ``list_browse_history``: worlds visited before a time, or the newest."""

    user_id: str | None
    limit: u32 | None
    before_visited_at: Timestamp | None


@struct
class UpsertBrowseHistory:
    """Input of ``upsert_browse_history``: one world or a batch, which is entered whole.

    The catalog's words replace those of the cards.
    """

    user_id: str | None
    entries: list[WorkCard]
    request_id: str


@struct
class DeleteBrowseHistoryEntry:
    """Input of ``delete_browse_history_entry``."""

    user_id: str | None
    world_key: str
    request_id: str


@struct
class ClearBrowseHistory:
    """Input of ``clear_browse_history``."""

    user_id: str | None
    request_id: str


@struct
class StartedVisit:
    """A visit that the catalog was asked about."""

    visit_id: str
    world_keys: list[str]


@procedure(actor=USER)
def list_browse_history(ctx: ViewContext, input: ListBrowseHistory) -> list[UserBrowseHistory]:
    """The user's worlds, the last visited first. Raises ``input.out_of_range``."""
    limit = BROWSE_LISTED_DEFAULT if input.limit is None else input.limit
    if not 1 <= limit <= LISTED_ROWS_MAX:
        raise ReducerError("input.out_of_range", f"limit must be 1 to {LISTED_ROWS_MAX}")
    before = input.before_visited_at
    last = None if before is None else before - 1
    return list(ctx.db[UserBrowseHistory].range("visited_at", None, last))[::-1][:limit]


@reducer(actor=USER)
def upsert_browse_history(ctx: ReducerContext, input: UpsertBrowseHistory) -> StartedVisit:
    """Note a visit and ask the catalog; the worlds are entered as soon as it has answered.

    Raises ``input.out_of_range`` for an empty batch or a too large one, ``limit.quota_exceeded``,
    and the refusals of ids and texts. Whether there are such worlds is found out by the catalog,
    see ``upsert_browse_history_and_return``; if one is missing, none is entered.
    """
    if not 1 <= len(input.entries) <= BROWSE_BATCH_MAX:
        raise ReducerError("input.out_of_range", f"a batch has 1 to {BROWSE_BATCH_MAX} worlds")
    if len(ctx.db[BrowseVisit]) >= BROWSE_HISTORY_MAX:
        raise ReducerError("limit.quota_exceeded", "too many visits wait", limit=BROWSE_HISTORY_MAX)
    visit_id = ctx.new_id("bv_")
    asked: dict[ActorKey, list[WorkRef]] = {}
    for card in input.entries:
        _check_card(card)
        shard = CATALOG.shard_key(card.profile_id)
        asked.setdefault(shard, []).append(WorkRef(card.world_kind, card.profile_id))
    for shard, works in asked.items():
        ctx.send(shard, DescribeWorks(visit_id, works), idempotency_key=visit_id)
    world_keys = [card.world_key for card in input.entries]
    ctx.db[BrowseVisit].insert(BrowseVisit(visit_id, world_keys, [], len(asked)))
    return StartedVisit(visit_id, world_keys)


@procedure(actor=USER)
async def upsert_browse_history_and_return(
    ctx: ProcedureContext, input: UpsertBrowseHistory
) -> list[UserBrowseHistory]:
    """Enter worlds and answer their rows, in the order of the batch.

    Raises what ``upsert_browse_history`` raises, and ``browse.world_not_found``.
    """
    started = await ctx.call(upsert_browse_history, input)
    user_id = owner_of(input.user_id or ctx.user_id)

    def entered(view: ViewContext) -> list[UserBrowseHistory] | None:
        refusal = view.db[Refusal].find(started.visit_id)
        if refusal is not None:
            raise ReducerError(refusal.error_code, refusal.error_message)
        if view.db[BrowseVisit].find(started.visit_id) is not None:
            return None
        history = view.db[UserBrowseHistory]
        rows = (history.find(derived_id(user_id, key)) for key in dict.fromkeys(started.world_keys))
        return [row for row in rows if row is not None]

    rows = await ctx.until(USER.key(user_id), entered)
    if rows is None:
        raise ReducerError("dependency.timeout", "the catalog has not answered yet")
    return rows


@reducer(actor=USER)
def delete_browse_history_entry(ctx: ReducerContext, input: DeleteBrowseHistoryEntry) -> None:
    """Forget a world, also one that the catalog is being asked about; unknown ones are no error."""
    forgotten = check_id(input.world_key)
    ctx.db[UserBrowseHistory].delete(derived_id(ctx.key, forgotten))
    visits = ctx.db[BrowseVisit]
    for visit in visits:
        if forgotten in visit.world_keys:
            left = [key for key in visit.world_keys if key != forgotten]
            visits.update(replace(visit, world_keys=left))


@reducer(actor=USER)
def clear_browse_history(ctx: ReducerContext, input: ClearBrowseHistory) -> None:
    """Forget all worlds, also those that the catalog is being asked about."""
    del input  # It only names the actor.
    history, visits = ctx.db[UserBrowseHistory], ctx.db[BrowseVisit]
    for row in history:
        history.delete(row.browse_history_id)
    for visit in visits:
        visits.delete(visit.visit_id)


@message(USER)
def works_described(ctx: ReducerContext, payload: WorksDescribed) -> None:
    """Take a shard's answer; the last one decides about the visit."""
    visits = ctx.db[BrowseVisit]
    visit = visits.find(payload.visit_id)
    if visit is None:
        return
    works = [*visit.works, *payload.works]
    if visit.shards_left > 1:
        visits.update(replace(visit, works=works, shards_left=visit.shards_left - 1))
        return
    visits.delete(visit.visit_id)
    known = {card.world_key: card for card in works}
    if known.keys() >= set(visit.world_keys):
        _enter(ctx, [known[key] for key in visit.world_keys])
    else:
        note_refusal(ctx, visit.visit_id, "browse.world_not_found", "there is no such world")


def _enter(ctx: ReducerContext, cards: list[WorkCard]) -> None:
    """Move worlds to the front; what is beyond the limit then goes from the back."""
    history = ctx.db[UserBrowseHistory]
    for card in cards:
        entry_id = derived_id(ctx.key, card.world_key)
        known = history.find(entry_id)
        history.upsert(
            UserBrowseHistory(
                browse_history_id=entry_id,
                user_id=ctx.key,
                world_key=card.world_key,
                world_kind=card.world_kind,
                owner_user_id=card.owner_user_id,
                profile_id=card.profile_id,
                world_name=card.world_name,
                subtitle=card.subtitle,
                summary_text=card.summary_text,
                cover_image_src=card.cover_image_src,
                theme_mode=card.theme_mode,
                author_display_name=card.author_display_name,
                visit_count=1 if known is None else known.visit_count + 1,
                visited_at=ctx.timestamp,
                created_at=ctx.timestamp if known is None else known.created_at,
                updated_at=ctx.timestamp,
            )
        )
    excess = max(0, len(history) - BROWSE_HISTORY_MAX)
    for row in list(history.range("visited_at"))[:excess]:
        history.delete(row.browse_history_id)


def _check_card(card: WorkCard) -> None:
    check_id(card.profile_id)
    check_id(card.owner_user_id)
    # The row's id has the user's before it, and is an id still.
    key = check_id(card.world_key, SOURCE_REF_CHARS_MAX)
    if key != world_key(card.world_kind, card.profile_id):
        raise ReducerError("input.invalid_id", "the world's key is not that of its profile")
    clean_text(card.world_name, WORK_TITLE_CHARS_MAX)
    clean_text(card.subtitle, WORK_SUBTITLE_CHARS_MAX)
    clean_text(card.summary_text, WORK_SUMMARY_CHARS_MAX)
    clean_text(card.cover_image_src or "", IMAGE_SRC_CHARS_MAX)
    clean_text(card.author_display_name, DISPLAY_NAME_CHARS_MAX)
