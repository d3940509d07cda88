"""Limits of creation sessions: what the domain specification fixes, and what bounds a session."""

from __future__ import annotations

from typing import Final

__all__ = [
    "CARDS_BYTES_MAX",
    "CARDS_MAX",
    "CARD_PAYLOAD_BYTES_MAX",
    "CARD_SUMMARY_CHARS_MAX",
    "CARD_TITLE_CHARS_MAX",
    "CHECKPOINTS_MAX",
    "CHECKPOINT_BYTES_MAX",
    "CHECKPOINT_LABEL_CHARS_MAX",
    "CLIENT_MESSAGE_ID_CHARS_MAX",
    "ERROR_CHARS_MAX",
    "GENERATION_CONTEXT_BYTES_MAX",
    "HINT_CHARS_MAX",
    "IMAGES_MAX",
    "LEASE_MICROS",
    "LEASE_RENEWED_MICROS",
    "LIVE_SESSIONS_MAX",
    "MESSAGES_LISTED_DEFAULT",
    "MESSAGES_MAX",
    "MESSAGE_CHARS_MAX",
    "OPERATIONS_ENDED_MAX",
    "OPERATIONS_LISTED_MAX",
    "OPERATION_ATTEMPTS_MAX",
    "OPERATION_BEGIN_SECONDS_MAX",
    "OPERATION_INPUT_BYTES_MAX",
    "OPERATION_REPORT_BYTES_MAX",
    "OPERATION_RESULT_BYTES_MAX",
    "PHASE_DETAIL_CHARS_MAX",
    "PHASE_LABEL_CHARS_MAX",
    "PROPOSED_CARDS_MAX",
    "QUEUED_OPERATIONS_MAX",
    "REPLY_CHARS_MAX",
    "SEED_CHARS_MAX",
    "SUGGESTED_REPLIES_MAX",
    "SUGGESTED_REPLY_CHARS_MAX",
    "TEXT_FLUSH_CHARS",
    "TITLE_CHARS_MAX",
]

LIVE_SESSIONS_MAX: Final = 10
"""Creation sessions of one user that are not archived (domain 1.9); ``limit.quota_exceeded``."""

SEED_CHARS_MAX: Final = 2_000
"""Longest text that a session begins with (domain 7.3); ``input.text_too_long``."""

TITLE_CHARS_MAX: Final = 60
"""Longest title of a session; a longer one is cut."""

MESSAGE_CHARS_MAX: Final = 4_000
"""Longest message of a user (domain 7.3); ``input.text_too_long``."""

REPLY_CHARS_MAX: Final = 16_000
"""Longest text of a message (domain 7.1); a longer reply is cut."""

CLIENT_MESSAGE_ID_CHARS_MAX: Final = 64
"""Longest id that a client gives a message; ``input.invalid_id``."""

MESSAGES_MAX: Final = 2_000
"""Messages of a session; ``limit.quota_exceeded``."""

MESSAGES_LISTED_DEFAULT: Final = 100
"""Messages that a session's snapshot shows (domain 7.3), and most that a caller may ask for."""

TEXT_FLUSH_CHARS: Final = 2_048
"""A streamed reply is written into its message whenever it has grown so much (domain 7.4)."""

SUGGESTED_REPLIES_MAX: Final = 4
"""Suggested replies (domain 7.1); the rest is dropped."""

SUGGESTED_REPLY_CHARS_MAX: Final = 80
"""Longest suggested reply; a longer one is cut."""

PROPOSED_CARDS_MAX: Final = 3
"""Cards that one reply may propose (domain 8.3); the rest is dropped."""

QUEUED_OPERATIONS_MAX: Final = 8
"""Operations that wait for their turn (domain 7.6); ``limit.quota_exceeded``."""

OPERATIONS_ENDED_MAX: Final = 200
"""Ended operations that a session keeps; the oldest goes first."""

OPERATIONS_LISTED_MAX: Final = 20
"""Ended operations that a session's snapshot shows (domain 7.3)."""

OPERATION_ATTEMPTS_MAX: Final = 3
"""Attempts at one operation (domain 7.6)."""

OPERATION_INPUT_BYTES_MAX: Final = 16_384
"""Largest input of an action (domain 7.1); ``input.payload_too_large``."""

OPERATION_RESULT_BYTES_MAX: Final = 524_288
"""Largest result that a worker hands in; ``input.payload_too_large``."""

OPERATION_REPORT_BYTES_MAX: Final = 32_768
"""Largest result that an operation's row keeps (domain 7.1)."""

OPERATION_BEGIN_SECONDS_MAX: Final = 10
"""How long a caller waits for a session to be there, or for the library to answer."""

LEASE_MICROS: Final = 60 * 1_000_000
"""A worker that is silent for so long has lost its operation (domain 7.6)."""

LEASE_RENEWED_MICROS: Final = LEASE_MICROS // 2
"""A lease that has less left than this is renewed by the next piece of text."""

PHASE_LABEL_CHARS_MAX: Final = 40
"""Longest label of an operation's phase (domain 7.1); a longer one is cut."""

PHASE_DETAIL_CHARS_MAX: Final = 160
"""Longest detail of an operation's phase (domain 7.1); a longer one is cut."""

ERROR_CHARS_MAX: Final = 200
"""Longest error message of an operation (domain 7.1); a longer one is cut."""

GENERATION_CONTEXT_BYTES_MAX: Final = 8_192
"""Largest context of an entity that is to be generated (domain 11.2);
``input.payload_too_large``."""

HINT_CHARS_MAX: Final = 300
"""Longest hint to a generator (domain 1.4); ``agent.payload_malformed``."""

IMAGES_MAX: Final = 6
"""Images that one operation makes (domain 7.5); ``agent.payload_malformed``."""

CARDS_MAX: Final = 400
"""Cards of a session, whatever their status; ``limit.quota_exceeded``."""

CARD_PAYLOAD_BYTES_MAX: Final = 16_384
"""Largest payload of a card (domain 7.1); ``input.payload_too_large``."""

CARDS_BYTES_MAX: Final = 655_360
"""All payloads of a session's cards together, so that a checkpoint holds them;
``limit.quota_exceeded``."""

CARD_TITLE_CHARS_MAX: Final = 60
"""Longest title of a card (domain 7.1); a longer one is cut."""

CARD_SUMMARY_CHARS_MAX: Final = 300
"""Longest summary of a card (domain 7.1); a longer one is cut."""

CHECKPOINTS_MAX: Final = 20
"""Checkpoints of a session (domain 7.1); the oldest goes first."""

CHECKPOINT_BYTES_MAX: Final = 1_048_576
"""Largest content of a checkpoint (domain 7.1)."""

CHECKPOINT_LABEL_CHARS_MAX: Final = 40
"""Longest label of a checkpoint (domain 7.1); ``agent.payload_malformed``."""

assert LEASE_RENEWED_MICROS < LEASE_MICROS
assert CARD_PAYLOAD_BYTES_MAX < CARDS_BYTES_MAX < CHECKPOINT_BYTES_MAX
assert OPERATION_REPORT_BYTES_MAX < OPERATION_RESULT_BYTES_MAX
assert SEED_CHARS_MAX <= MESSAGE_CHARS_MAX < REPLY_CHARS_MAX
