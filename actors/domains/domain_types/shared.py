"""Enums that modules of every game share (domain 1.12, 6.1, 6.5)."""

from __future__ import annotations

from enum import IntEnum

from actors.module.types import struct

__all__ = [
    "AccessPolicy",
    "EntityKind",
    "Finding",
    "GrantSource",
    "HostileRank",
    "OperationStatus",
    "PaceBand",
    "ParticipantRole",
    "PublicationStatus",
    "SessionKind",
    "Severity",
    "TextSource",
    "ThemeMode",
    "WorldKind",
]


class SessionKind(IntEnum):
    """What a session directory entry points at."""

    STORY = 0
    AGENT_RPG = 1
    AGENT_BIG_FISH = 2
    AGENT_PUZZLE = 3
    BIG_FISH_RUN = 4
    PUZZLE_RUN = 5


class ParticipantRole(IntEnum):
    """What a user may do in a session."""

    HOST = 0
    PLAYER = 1
    SPECTATOR = 2


class HostileRank(IntEnum):
    """How strong an entity is against its level."""

    MINION = 0
    STANDARD = 1
    ELITE = 2
    BOSS = 3


class GrantSource(IntEnum):
    """Where experience or a reward comes from."""

    QUEST = 0
    HOSTILE_DEFEAT = 1
    SPAR = 2
    TREASURE = 3
    STORY_MILESTONE = 4
    ADMIN = 5


class PaceBand(IntEnum):
    """Which part of the story's arc a chapter is."""

    OPENING = 0
    STEADY = 1
    PRESSURE = 2
    FINALE = 3


class ThemeMode(IntEnum):
    """How a client paints a world."""

    LIGHT = 0
    DARK = 1
    SEPIA = 2
    NEON = 3


class PublicationStatus(IntEnum):
    """Where a work stands between its author and everyone."""

    DRAFT = 0
    PUBLISHED = 1
    UNPUBLISHED = 2


class WorldKind(IntEnum):
    """Which game a world belongs to."""

    CUSTOM_WORLD = 0
    BIG_FISH = 1
    PUZZLE = 2


class Severity(IntEnum):
    """How much a finding weighs."""

    BLOCKER = 0
    WARNING = 1
    INFO = 2


class TextSource(IntEnum):
    """Who wrote a text."""

    LLM = 0
    FALLBACK = 1
    REPAIRED = 2
    USER = 3


class OperationStatus(IntEnum):
    """Where a long operation stands."""

    QUEUED = 0
    RUNNING = 1
    SUCCEEDED = 2
    FAILED = 3
    CANCELLED = 4


class AccessPolicy(IntEnum):
    """Who may read a stored object."""

    PRIVATE = 0
    OWNER_READ = 1
    PUBLIC_READ = 2


class EntityKind(IntEnum):
    """A section of the world document (domain 6.1)."""

    WORLD = 0
    FACTION = 1
    ROLE = 2
    NPC = 3
    HOSTILE = 4
    ITEM = 5
    LANDMARK = 6
    CHAPTER = 7
    QUEST = 8
    TREASURE = 9
    THREAD = 10


@struct
class Finding:
    """One remark of the compile on a world (domain 6.5)."""

    code: str
    severity: Severity
    entity_kind: EntityKind
    entity_key: str | None
    field: str | None
    message: str
