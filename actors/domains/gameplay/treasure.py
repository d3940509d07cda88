"""Treasures: their rows, what opening one costs and pays (domain 5.8)."""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from typing import Final, NamedTuple

from actors import ReducerContext, ReducerError, Timestamp, replace, table, u32
from actors.domains.domain_types import (
    GrantSource,
    ItemGrant,
    LootEntry,
    PaceBand,
    TreasureLock,
)
from actors.domains.gameplay.encounters import has_uncleared_fixed
from actors.domains.gameplay.rewards import bundle_of, request_settlement
from actors.domains.gameplay.story import (
    StoryParticipant,
    StorySecret,
    StorySession,
    host_of,
    players_of,
)
from actors.domains.kinds import STORY
from actors.domains.rules.combat import merge_grants, roll_table
from actors.domains.rules.ids import derived_id, local_id, seed_of_text
from actors.domains.rules.items import (
    COIN,
    GEAR_TIERS,
    HEALING_HERB,
    gear_item_id,
    gear_tier,
)
from actors.domains.rules.progression import treasure_xp
from actors.domains.rules.world import WorldDocument
from actors.module import DatabaseReader
from actors.rng import SplitMix64

__all__ = [
    "TreasureRecord",
    "TreasureStatus",
    "check_reachable",
    "create_treasures",
    "find_treasure",
    "leave_treasure",
    "open_treasure",
    "reveal_treasures",
    "source_ref_of",
    "treasures_here",
    "write_opened",
    "write_refused",
]

_COINS: Final = {
    PaceBand.OPENING: 10,
    PaceBand.STEADY: 25,
    PaceBand.PRESSURE: 60,
    PaceBand.FINALE: 120,
}


class TreasureStatus(IntEnum):
    """Where a treasure stands."""

    HIDDEN = 0
    FOUND = 1
    OPENING = 2
    OPENED = 3
    LEFT = 4


_OPENABLE: Final = frozenset({TreasureStatus.FOUND, TreasureStatus.LEFT})


@table(public=True, primary_key="treasure_record_id", index=["story_session_id"], actor=STORY)
class TreasureRecord:
    """A treasure of this playthrough; contents show once it is being opened."""

    treasure_record_id: str
    story_session_id: str
    treasure_key: str
    scene_key: str
    title: str
    status: TreasureStatus
    lock: TreasureLock
    key_item_id: str | None
    trap_permille: u32
    opened_by: str | None
    granted_items: list[ItemGrant]
    granted_coins: u32
    trap_triggered: bool
    created_at: Timestamp
    updated_at: Timestamp


class _Find(NamedTuple):
    """What a player meets in a treasure."""

    is_trapped: bool
    coins: int
    items: list[ItemGrant]


def create_treasures(ctx: ReducerContext, session: StorySession, world: WorldDocument) -> None:
    """Hide every treasure of the world."""
    for treasure in world.treasures.values():
        ctx.db[TreasureRecord].insert(
            TreasureRecord(
                treasure_record_id=local_id(session.story_session_id, "t", treasure.key),
                story_session_id=session.story_session_id,
                treasure_key=treasure.key,
                scene_key=treasure.scene_key,
                title=treasure.title,
                status=TreasureStatus.HIDDEN,
                lock=treasure.lock,
                key_item_id=treasure.key_item_id,
                trap_permille=treasure.trap_permille,
                opened_by=None,
                granted_items=[],
                granted_coins=0,
                trap_triggered=False,
                created_at=ctx.timestamp,
                updated_at=ctx.timestamp,
            )
        )


def reveal_treasures(ctx: ReducerContext, session: StorySession, world: WorldDocument) -> None:
    """Entering a scene finds the treasures that the running chapter hid there."""
    for key in world.chapter(session.chapter_index).treasure_keys:
        row = find_treasure(ctx.db, session, key)
        is_here = row.scene_key == session.current_scene_key
        if is_here and row.status is TreasureStatus.HIDDEN:
            _write(ctx, replace(row, status=TreasureStatus.FOUND))


def treasures_here(
    db: DatabaseReader, session: StorySession, world: WorldDocument
) -> list[TreasureRecord]:
    """The running chapter's treasures of the scene that can be opened, in document order."""
    keys = world.chapter(session.chapter_index).treasure_keys
    rows = (find_treasure(db, session, key) for key in keys)
    here = session.current_scene_key
    return [row for row in rows if row.scene_key == here and row.status in _OPENABLE]


def find_treasure(db: DatabaseReader, session: StorySession, treasure_key: str) -> TreasureRecord:
    """A treasure of the session.

    Raises:
        ReducerError: ``treasure.not_found``.
    """
    row = db[TreasureRecord].find(local_id(session.story_session_id, "t", treasure_key))
    if row is None:
        raise ReducerError("treasure.not_found", "there is no such treasure")
    return row


def check_reachable(session: StorySession, world: WorldDocument, row: TreasureRecord) -> None:
    """Let only those treasures through that can be opened or left where the party stands.

    Raises:
        ReducerError: ``treasure.already_opened`` or ``treasure.not_in_scene_state``.
    """
    chapter = world.chapter(session.chapter_index)
    is_here = row.scene_key == session.current_scene_key
    if row.status in {TreasureStatus.OPENING, TreasureStatus.OPENED}:
        raise ReducerError("treasure.already_opened", "the treasure was opened before")
    if not is_here or row.treasure_key not in chapter.treasure_keys:
        raise ReducerError("treasure.not_in_scene_state", "the treasure is not in this scene")


def leave_treasure(
    ctx: ReducerContext, session: StorySession, world: WorldDocument, row: TreasureRecord
) -> TreasureRecord:
    """Leave a treasure as it is; it can still be opened in the same chapter.

    Raises:
        ReducerError: as ``open_treasure``, but for what opening requires.
    """
    check_reachable(session, world, row)
    return _write(ctx, replace(row, status=TreasureStatus.LEFT))


def open_treasure(
    ctx: ReducerContext, session: StorySession, world: WorldDocument, row: TreasureRecord
) -> TreasureRecord:
    """Open a treasure: traps strike at once, contents are owed to every player.

    Behind a lock both wait until the host's own actor has given the key.

    Raises:
        ReducerError: ``treasure.not_in_scene_state``, ``treasure.already_opened``, or
            ``treasure.requirements_not_met`` while danger holds it shut.
    """
    check_reachable(session, world, row)
    if row.lock is TreasureLock.DANGER and has_uncleared_fixed(ctx.db, session, world):
        raise ReducerError("treasure.requirements_not_met", "danger holds the treasure shut")
    host = host_of(ctx.db)
    find = _find(ctx.db, session, world, row, host)
    key_item_id = row.key_item_id if row.lock is TreasureLock.KEY_ITEM else None
    if key_item_id is None:
        _owe(ctx, session, world, row, host, find)
        _strike(ctx, host, find)
        _share(ctx, session, world, row)
    else:
        _owe(ctx, session, world, row, host, find, key_item_id)
    return _write(
        ctx,
        replace(
            row,
            status=TreasureStatus.OPENING,
            opened_by=host.user_id,
            granted_items=find.items,
            granted_coins=find.coins,
            trap_triggered=find.is_trapped,
        ),
    )


def source_ref_of(session: StorySession, treasure_key: str) -> str:
    """The business key of a treasure's contents: once per lineage (domain 12.2)."""
    return derived_id(session.runtime_session_id, "treasure", treasure_key)


def write_opened(
    ctx: ReducerContext, session: StorySession, world: WorldDocument, row: TreasureRecord
) -> TreasureRecord:
    """The host has the contents; behind a lock, now the trap strikes and the others get theirs."""
    if row.lock is TreasureLock.KEY_ITEM:
        host = host_of(ctx.db)
        _strike(ctx, host, _find(ctx.db, session, world, row, host))
        _share(ctx, session, world, row)
    return _write(ctx, replace(row, status=TreasureStatus.OPENED))


def write_refused(ctx: ReducerContext, row: TreasureRecord) -> TreasureRecord:
    """The host lacks the key: the treasure is shut again."""
    return _write(
        ctx,
        replace(
            row,
            status=TreasureStatus.FOUND,
            opened_by=None,
            granted_items=[],
            granted_coins=0,
            trap_triggered=False,
        ),
    )


def _share(
    ctx: ReducerContext, session: StorySession, world: WorldDocument, row: TreasureRecord
) -> None:
    """Every other player has a find of its own, and meets the trap for itself."""
    for player in players_of(ctx.db):
        if player.user_id != session.host_user_id:
            find = _find(ctx.db, session, world, row, player)
            _owe(ctx, session, world, row, player, find)
            _strike(ctx, player, find)


def _find(
    db: DatabaseReader,
    session: StorySession,
    world: WorldDocument,
    row: TreasureRecord,
    player: StoryParticipant,
) -> _Find:
    """Always the same for a player and a treasure. Draws: the trap, then the contents."""
    rng = _stream(db, session, row, player)
    is_trapped = rng.permille() < row.trap_permille
    coins = _COINS[world.chapter(session.chapter_index).plan.pace_band]
    return _Find(is_trapped, coins, _contents(rng, session, world, row))


def _owe(
    ctx: ReducerContext,
    session: StorySession,
    world: WorldDocument,
    row: TreasureRecord,
    player: StoryParticipant,
    find: _Find,
    key_item_id: str | None = None,
) -> None:
    bundle = bundle_of(
        session,
        GrantSource.TREASURE,
        source_ref_of(session, row.treasure_key),
        flat_xp=treasure_xp(player.effective_level),
        items=[*find.items, ItemGrant(COIN, find.coins)],
        consume_items=[] if key_item_id is None else [ItemGrant(key_item_id, 1)],
    )
    request_settlement(ctx, session, player, bundle, world)


def _strike(ctx: ReducerContext, player: StoryParticipant, find: _Find) -> None:
    """A trap hurts but does not kill."""
    if find.is_trapped:
        hp = max(1, player.hp - player.max_hp * 150 // 1000)
        ctx.db[StoryParticipant].update(replace(player, hp=hp, updated_at=ctx.timestamp))


def _stream(
    db: DatabaseReader, session: StorySession, row: TreasureRecord, player: StoryParticipant
) -> SplitMix64:
    secret = db[StorySecret].get(session.story_session_id)
    text = derived_id(secret.loot_seed, row.treasure_key, player.user_id)
    return SplitMix64(seed_of_text(text))


def _contents(
    rng: SplitMix64, session: StorySession, world: WorldDocument, row: TreasureRecord
) -> list[ItemGrant]:
    table_: Sequence[LootEntry] = world.treasures[row.treasure_key].loot_table
    if table_:
        return merge_grants(roll_table(rng, table_))
    plan = world.chapter(session.chapter_index).plan
    tier = gear_tier(plan.exit_level)
    match plan.pace_band:
        case PaceBand.OPENING:
            return [ItemGrant(HEALING_HERB, 1)]
        case PaceBand.STEADY:
            return [ItemGrant(HEALING_HERB, 2)]
        case PaceBand.PRESSURE:
            return [ItemGrant(gear_item_id(rng.below(3), tier), 1)]
        case PaceBand.FINALE:
            return [ItemGrant(gear_item_id(rng.below(3), min(tier + 1, GEAR_TIERS)), 1)]


def _write(ctx: ReducerContext, row: TreasureRecord) -> TreasureRecord:
    return ctx.db[TreasureRecord].update(replace(row, updated_at=ctx.timestamp))
