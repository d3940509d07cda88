"""Limits of stories and battles: sizes, counts and times that the domain specification fixes."""

from __future__ import annotations

from typing import Final

__all__ = [
    "AFFINITY_MAX",
    "AFFINITY_MIN",
    "BATTLES_ENDED_MAX",
    "BATTLE_ABSENT_TURNS_MAX",
    "BATTLE_ACTIONS_BURST",
    "BATTLE_ACTIONS_PER_SECOND",
    "BATTLE_AWAY_TURN_MICROS",
    "BATTLE_EVENTS_MAX",
    "BATTLE_IDLE_MICROS",
    "BATTLE_LOADOUT_MICROS",
    "BATTLE_LOG_MICROS",
    "BATTLE_TURN_MICROS",
    "CHOICES_MAX",
    "CHOICES_MIN",
    "DETAIL_CHARS_MAX",
    "EVENTS_LISTED_MAX",
    "EVENTS_SHOWN",
    "EXCHANGES_CLOSED_MAX",
    "FREE_TEXT_CHARS_MAX",
    "INVITE_CODE_CHARS",
    "JOIN_REFUSALS_MAX",
    "JOIN_SECONDS_MAX",
    "LABEL_CHARS_MAX",
    "LABEL_NAME_CHARS_MAX",
    "NARRATION_CHARS_MAX",
    "NARRATION_MICROS_MAX",
    "PARTY_COMPANIONS_MAX",
    "PLAYERS_MAX",
    "PLAY_GAP_MS_MAX",
    "PLAY_SEGMENT_MS",
    "QUESTS_ACTIVE_MAX",
    "SETTLEMENTS_CLOSED_MAX",
    "SPECTATORS_MAX",
    "STOCK_TURNS",
    "STORY_EVENTS_MAX",
    "STORY_FLAGS_MAX",
    "STORY_IDLE_MICROS",
    "STORY_STATE_BYTES_MAX",
    "TALK_CHOICES_MAX",
    "TRADE_QUANTITY_MAX",
    "TRAVEL_CHOICES_MAX",
    "TREASURE_SECONDS_MAX",
    "WORLDS_CACHED_MAX",
]

_SECOND: Final = 1_000_000
_DAY: Final = 24 * 3600 * _SECOND

STORY_FLAGS_MAX: Final = 128
"""Flags of a session (domain 5.1); beyond it the oldest goes."""

STORY_IDLE_MICROS: Final = 30 * _DAY
"""Without a call for so long, a session is abandoned (domain 5.2)."""

STORY_STATE_BYTES_MAX: Final = 524_288
"""Largest JSON of an archived session (domain 2.6); ``archive.too_large``."""

PLAYERS_MAX: Final = 4
"""Players of a session, the host included (domain 5.2): ``story.full_state``."""

SPECTATORS_MAX: Final = 16
"""Spectators of a session (domain 5.2): ``story.full_state``."""

INVITE_CODE_CHARS: Final = 8
"""Letters of an invite code (domain 5.2)."""

JOIN_SECONDS_MAX: Final = 10
"""How long a caller waits for its own actor to agree to one more story (domain 1.4)."""

JOIN_REFUSALS_MAX: Final = 32
"""Refused joiners whose reason is kept for callers who wait; the oldest goes first."""

TREASURE_SECONDS_MAX: Final = 10
"""How long a caller waits for a treasure to open (domain 1.4); then it gets ``opening``."""

CHOICES_MAX: Final = 8
"""Choices of a turn (domain 5.3); the rest of the list is cut."""

CHOICES_MIN: Final = 3
"""Fillers are added up to this many (domain 5.3)."""

TALK_CHOICES_MAX: Final = 2
TRAVEL_CHOICES_MAX: Final = 3

LABEL_CHARS_MAX: Final = 40
LABEL_NAME_CHARS_MAX: Final = 24
"""Names are shortened to this inside a choice's label, so that its verb stays readable."""

DETAIL_CHARS_MAX: Final = 120
NARRATION_CHARS_MAX: Final = 4000
NARRATION_MICROS_MAX: Final = 5 * 60 * _SECOND
"""A model's narration that takes longer is given up, and the turn is told without it."""

FREE_TEXT_CHARS_MAX: Final = 400

STORY_EVENTS_MAX: Final = 2_000
"""Events kept of one session; the oldest goes first."""

EVENTS_SHOWN: Final = 50
"""Newest events in a session's state (domain 5.2)."""

EVENTS_LISTED_MAX: Final = 100
"""Events of one page (domain 5.2)."""

SETTLEMENTS_CLOSED_MAX: Final = 500
"""Answered settlements that a session shows; the oldest goes. What was paid stays in receipts."""

EXCHANGES_CLOSED_MAX: Final = 200
"""Answered exchanges that a session shows; the oldest goes first."""

QUESTS_ACTIVE_MAX: Final = 10
"""Active quests of a session (domain 5.6)."""

AFFINITY_MIN: Final = -100
AFFINITY_MAX: Final = 100
"""Bounds of what an npc thinks of the party (domain 5.5)."""

PARTY_COMPANIONS_MAX: Final = 2
"""Recruited npcs at the host's side (domain 5.5)."""

STOCK_TURNS: Final = 20
"""Turns after which an npc has new goods (domain 5.5)."""

TRADE_QUANTITY_MAX: Final = 99
"""Most items of one trade (domain 5.5): ``inventory.quantity_out_of_range``."""

BATTLES_ENDED_MAX: Final = 50
"""Ended battles that a session shows; the oldest goes first."""

BATTLE_EVENTS_MAX: Final = 200
"""Events kept of one battle (domain 4.1); the oldest goes first."""

BATTLE_LOG_MICROS: Final = _DAY
"""Events of an ended battle are dropped after this (domain 4.1)."""

BATTLE_IDLE_MICROS: Final = _DAY
"""A battle without an action for so long is aborted (domain 4.5)."""

BATTLE_LOADOUT_MICROS: Final = 5 * _SECOND
"""Players whose loadout takes longer fight with bare stats (domain 4.5)."""

BATTLE_TURN_MICROS: Final = 60 * _SECOND
"""A turn's deadline when several players fight (domain 4.5)."""

BATTLE_AWAY_TURN_MICROS: Final = 2 * _SECOND
"""What a player who is away may take to come back before the rules play the turn."""

BATTLE_ABSENT_TURNS_MAX: Final = 3
"""Turns missed in a row after which the rules play a combatant (domain 4.5)."""

BATTLE_ACTIONS_PER_SECOND: Final = 5
"""Actions of one battle in the long run (domain 4.7): ``limit.rate_exceeded``."""

BATTLE_ACTIONS_BURST: Final = 40
"""Actions that may come at once: a whole fight of a fast client passes, a flood does not."""

PLAY_GAP_MS_MAX: Final = 120_000
"""The longest pause between two calls that counts as play (domain 2.4)."""

PLAY_SEGMENT_MS: Final = 60_000
"""Play time is reported when so much has come together (domain 2.4)."""

WORLDS_CACHED_MAX: Final = 64
"""World documents kept parsed in one process; the least recently used goes first."""

assert CHOICES_MIN <= CHOICES_MAX
assert EVENTS_SHOWN <= EVENTS_LISTED_MAX <= STORY_EVENTS_MAX
assert BATTLE_AWAY_TURN_MICROS < BATTLE_LOADOUT_MICROS
assert BATTLE_LOADOUT_MICROS < BATTLE_TURN_MICROS < BATTLE_IDLE_MICROS
