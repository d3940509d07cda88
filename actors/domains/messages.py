"""Messages: what the game's actors tell one another (domain 12.3).

A refusal is a message as well, never an exception (domain 12.1). Replies go to the actor that
asked. Several copies of one message have one effect, by the business key that its docstring names.

An authored item is defined in the world's document, which only story actors read; whoever sends
items to a user therefore adds the definitions of those that are not core items.
"""

from __future__ import annotations

from actors.domains.domain_types import (
    ChapterProgressionPlan,
    ChapterProgressionSnapshot,
    ItemGrant,
    ItemMods,
    PaceAdvice,
    ParticipantRole,
    PlayerProgressionSnapshot,
    RewardBundle,
    RuntimeItemDefinition,
    SessionKind,
    SettlementResult,
    WorkCard,
    WorkRef,
    WorldKind,
)
from actors.domains.runtime.directory_entry import DirectoryState
from actors.module.types import i64, struct, u32, u64

__all__ = [
    "ChapterEntered",
    "ChapterExited",
    "DescribeWorks",
    "DraftWorld",
    "EnterChapter",
    "ExchangeRejected",
    "ExchangeSettled",
    "ExitChapter",
    "GetProfile",
    "JoinAgreed",
    "JoinRefused",
    "Loadout",
    "ProfileFound",
    "ProfileMissing",
    "RecordPlay",
    "RecordPlayCompletion",
    "RecordPlaySegment",
    "RecordPlayStart",
    "RecordSession",
    "ReleaseLoadout",
    "RequestJoin",
    "RequestLoadout",
    "SettleExchange",
    "SettleReward",
    "Settled",
    "SettlementRejected",
    "StoryBegin",
    "StoryPresence",
    "StoryRejected",
    "UseItem",
    "WorksDescribed",
]


# To a user's actor


@struct
class RecordSession:
    """A session tells a participant how it stands; inserts or updates the directory entry.

    Sent by the session whenever its state or title changes; messages of one session arrive in
    order, so the last one is the truth.
    """

    session_key: str
    kind: SessionKind
    role: ParticipantRole
    state: DirectoryState
    title: str
    world_key: str
    runtime_session_id: str | None


@struct
class StoryRejected:
    """A story could not begin: its directory entry goes to archived and the caller gets the code.

    Key: ``story_session_id``. The story's rows are gone when it is sent.
    """

    story_session_id: str
    code: str
    message: str


@struct
class EnterChapter:
    """A player enters a chapter (domain 3.9); answered by ``ChapterEntered``.

    Key: user and chapter. ``chapter_id`` is ``profile_id`` + ``:c`` + the plan's index.
    """

    story_session_id: str
    runtime_session_id: str
    profile_id: str
    chapter_id: str
    plan: ChapterProgressionPlan


@struct
class ExitChapter:
    """A player leaves a finished chapter (domain 3.9); answered by ``ChapterExited``.

    Key: user and chapter; only the first time counts. Who tries an own draft out gets no bonus.
    """

    story_session_id: str
    runtime_session_id: str
    chapter_id: str
    is_test_play: bool


@struct
class RequestJoin:
    """The user wants to come into a story (domain 5.2); ``JoinAgreed`` or ``JoinRefused``.

    Key: ``story_session_id``. Agreeing takes up one of the user's slots; the story fills it with
    ``RecordSession`` (active), or gives it back (archived).
    """

    story_session_id: str
    runtime_session_id: str
    role: ParticipantRole
    title: str
    world_key: str


@struct
class RequestLoadout:
    """A battle asks what a player brings (domain 4.5); answered by ``Loadout``.

    Key: ``battle_state_id``. ``chapter_id`` bounds the effective level; None outside chapters.
    """

    battle_state_id: str
    runtime_session_id: str
    chapter_id: str | None


@struct
class ReleaseLoadout:
    """A battle is over: used belt items are consumed and the rest is unlocked (domain 4.5).

    Key: ``battle_state_id``; sent before the battle's ``SettleReward``.
    """

    battle_state_id: str
    runtime_session_id: str
    consumed: list[ItemGrant]


@struct
class SettleReward:
    """Pay a bundle once (domain 12.2); answered by ``Settled`` or ``SettlementRejected``.

    Key: user and ``bundle.source_ref``. ``settlement_id`` only comes back in the answer.
    ``locked_by`` is a battle whose locked stacks may be consumed too. ``definitions`` describes
    the bundle's items that are not core items.
    """

    settlement_id: str
    runtime_session_id: str
    bundle: RewardBundle
    locked_by: str | None
    definitions: list[RuntimeItemDefinition]


@struct
class SettleExchange:
    """Swap coins and items atomically (domain 5.5); ``ExchangeSettled`` or ``ExchangeRejected``.

    Key: ``exchange_id``. ``coins`` is what the user gains, negative for a price.
    """

    exchange_id: str
    runtime_session_id: str
    coins: i64
    gained: list[ItemGrant]
    given: list[ItemGrant]
    definitions: list[RuntimeItemDefinition]


@struct
class RecordPlayStart:
    """A session of a world has begun (domain 2.4). Key: ``session_id``."""

    session_id: str
    world_key: str
    world_kind: WorldKind
    world_owner_user_id: str
    profile_id: str
    world_title: str
    world_subtitle: str


@struct
class RecordPlaySegment:
    """Play time of a session since its last segment (domain 2.4). Key: session and segment."""

    session_id: str
    world_key: str
    segment_no: u32
    delta_ms: u64


@struct
class RecordPlayCompletion:
    """A playthrough reached its end (domain 5.2). Key: ``completion_ref``, once per lineage."""

    completion_ref: str
    world_key: str
    score: u32 | None


@struct
class WorksDescribed:
    """The works that a catalog shard knows, of those that it was asked for; the others are missing.

    Key: ``visit_id`` and shard; a visit that is over ignores it.
    """

    visit_id: str
    works: list[WorkCard]


# To a story's actor


@struct
class DraftWorld:
    """The compiled draft of a world that its author tries out (domain 6.7)."""

    document_json: str
    document_hash: str


@struct
class StoryBegin:
    """The first message of a story's actor (domain 12.6). Key: ``story_session_id``.

    The user's directory entry is ``starting``. The story answers with ``RecordSession`` (active)
    or ``StoryRejected``. With ``draft`` the host tries its own world, and the catalog is not asked.
    ``is_strict`` is the host's content filter.
    """

    story_session_id: str
    runtime_session_id: str
    host_user_id: str
    host_display_name: str
    profile_id: str
    role_key: str
    locale: str | None
    is_strict: bool
    draft: DraftWorld | None


@struct
class StoryPresence:
    """A participant's first connection came, or the last one went."""

    user_id: str
    connected: bool


@struct
class JoinAgreed:
    """The user has a slot for the story."""

    user_id: str


@struct
class JoinRefused:
    """The user is in too many stories."""

    user_id: str
    code: str
    message: str


@struct
class ChapterEntered:
    """A player's progression at the entry of a chapter.

    ``previous_advice`` is that of the chapter before, None when there is no report of it.
    """

    user_id: str
    chapter_id: str
    progression: PlayerProgressionSnapshot
    chapter: ChapterProgressionSnapshot
    effective_level: u32
    previous_advice: PaceAdvice | None


@struct
class ChapterExited:
    """A player's progression at the exit of a chapter, and what its report advises."""

    user_id: str
    chapter_id: str
    progression: PlayerProgressionSnapshot
    chapter: ChapterProgressionSnapshot
    advice: PaceAdvice


@struct
class Loadout:
    """What a player brings into a battle: the level that counts, worn gear, and the belt.

    The belt's stacks (at most six kinds) stay locked until ``ReleaseLoadout``.
    """

    battle_state_id: str
    user_id: str
    level: u32
    effective_level: u32
    equipment: list[ItemMods]
    belt: list[ItemGrant]


@struct
class Settled:
    """A bundle is paid, or was before (``result.replayed``).

    ``chapter`` is the bundle's one, which need not be the one that the story is in by now.
    """

    settlement_id: str
    user_id: str
    source_ref: str
    result: SettlementResult
    progression: PlayerProgressionSnapshot
    chapter: ChapterProgressionSnapshot | None


@struct
class SettlementRejected:
    """A bundle could not be paid; nothing changed and the same bundle may be tried again."""

    settlement_id: str
    user_id: str
    source_ref: str
    code: str
    message: str


@struct
class ExchangeSettled:
    """An exchange is done, or was before."""

    exchange_id: str
    user_id: str


@struct
class ExchangeRejected:
    """An exchange could not be done; nothing changed."""

    exchange_id: str
    user_id: str
    code: str
    message: str


@struct
class ProfileFound:
    """A published world at the version that was asked for, else at its live version."""

    request_id: str
    profile_id: str
    published_profile_id: str
    owner_user_id: str
    version: u32
    schema_version: u32
    document_json: str
    document_hash: str


@struct
class ProfileMissing:
    """There is no such published world, or it may not be entered."""

    request_id: str
    profile_id: str
    code: str
    message: str


# To a catalog shard


@struct
class GetProfile:
    """Ask for a published world; answered by ``ProfileFound`` or ``ProfileMissing``.

    ``request_id`` only comes back in the answer. ``version`` None means the live one.
    """

    request_id: str
    profile_id: str
    version: u32 | None


@struct
class DescribeWorks:
    """Ask a catalog shard for its works in a batch (domain 2.3); answered by ``WorksDescribed``.

    ``visit_id`` only comes back in the answer.
    """

    visit_id: str
    works: list[WorkRef]


@struct
class RecordPlay:
    """A session of a published world has begun. Key: ``session_id``."""

    profile_id: str
    user_id: str
    session_id: str


# To a story's actor, from a player's inventory


@struct
class UseItem:
    """A player wants to use up an item between battles; the story asks for it by an exchange."""

    user_id: str
    item_id: str
