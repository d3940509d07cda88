"""Enums and structs of world creation: sessions, messages, cards and works (domain 6.1, 7.1)."""

from __future__ import annotations

from enum import IntEnum

from actors.domains.domain_types.shared import TextSource, ThemeMode
from actors.module.types import Timestamp, struct, u32, u64

__all__ = [
    "AgentAction",
    "AgentAnchor",
    "AgentStage",
    "AssetStatus",
    "CardStatus",
    "CheckpointTrigger",
    "GateCheck",
    "MessageKind",
    "MessageRole",
    "MessageStatus",
    "ProfileSource",
    "SupportedAction",
    "Work",
    "WorkKind",
]


class AgentStage(IntEnum):
    """How far a creation session has come (domain 7.2)."""

    COLLECTING = 0
    FOUNDATION_READY = 1
    REFINING = 2
    PUBLISH_READY = 3
    PUBLISHING = 4
    PUBLISHED = 5
    ARCHIVED = 6


class AgentAction(IntEnum):
    """What a session can be asked to do, in the registry's order (domain 7.5)."""

    AGENT_REPLY = 0
    RETRY_REPLY = 1
    DRAFT_FOUNDATION = 2
    UPDATE_DRAFT_CARD = 3
    CREATE_DRAFT_CARD = 4
    SET_CARD_STATUS = 5
    REORDER_CARDS = 6
    GENERATE_ENTITY = 7
    GENERATE_SCENE_NPC = 8
    EXPAND_CHAPTER = 9
    GENERATE_ROLE_ASSETS = 10
    GENERATE_SCENE_ASSETS = 11
    GENERATE_COVER = 12
    SYNC_ROLE_ASSETS = 13
    SYNC_SCENE_ASSETS = 14
    SYNC_RESULT_PROFILE = 15
    CREATE_CHECKPOINT = 16
    REVERT_CHECKPOINT = 17
    PUBLISH_WORLD = 18
    UNPUBLISH_WORLD = 19
    ARCHIVE_SESSION = 20
    RESTORE_SESSION = 21


class MessageRole(IntEnum):
    """Who speaks."""

    USER = 0
    ASSISTANT = 1
    SYSTEM = 2


class MessageKind(IntEnum):
    """What a message is for."""

    CHAT = 0
    ACTION_RESULT = 1
    NOTICE = 2


class MessageStatus(IntEnum):
    """How much of a message is there."""

    PENDING = 0
    STREAMING = 1
    COMPLETE = 2
    PARTIAL = 3
    FAILED = 4


class CardStatus(IntEnum):
    """What the author has made of a card."""

    PROPOSED = 0
    ACCEPTED = 1
    LOCKED = 2
    REMOVED = 3


class AssetStatus(IntEnum):
    """Where a card's image stands."""

    NONE = 0
    GENERATING = 1
    READY = 2
    FAILED = 3


class CheckpointTrigger(IntEnum):
    """Why a checkpoint was made."""

    MANUAL = 0
    BEFORE_ACTION = 1
    BEFORE_PUBLISH = 2
    BEFORE_REVERT = 3


class ProfileSource(IntEnum):
    """Where a library profile comes from."""

    AGENT = 0
    IMPORT = 1
    DUPLICATE = 2


class WorkKind(IntEnum):
    """What an entry of an author's list of works is (domain 6.9)."""

    AGENT_DRAFT = 0
    PROFILE_DRAFT = 1
    PUBLISHED = 2
    UNPUBLISHED = 3


@struct
class AgentAnchor:
    """One of the six things that a world is built on; ``value`` is empty until it is known."""

    key: str
    value: str
    confidence_permille: u32
    source: TextSource


@struct
class SupportedAction:
    """Whether a session can be asked for an action now, and else why not."""

    action: AgentAction
    enabled: bool
    reason_code: str | None
    cost_spark: u32


@struct
class GateCheck:
    """One check of a gate (domain 6.6, 6.7)."""

    check_code: str
    passed: bool
    message: str


@struct
class Work:
    """A creation session or a library profile, as its author's list of works shows it."""

    work_id: str
    work_kind: WorkKind
    agent_session_id: str | None
    profile_id: str | None
    title: str
    subtitle: str
    summary_text: str
    cover_image_src: str | None
    theme_mode: ThemeMode
    stage: AgentStage | None
    progress_permille: u32
    blocker_count: u32
    warning_count: u32
    can_resume: bool
    can_publish: bool
    can_enter: bool
    published_version: u32
    like_count: u64
    play_count: u64
    updated_at: Timestamp
