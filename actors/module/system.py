"""System tables: what every actor keeps for the host, beside the module's own rows.

They are ordinary private tables, so that receipts, unsent messages and timers are journaled,
checkpointed and recovered exactly as rows are (domain 1.10). ``outbox_cursor`` remembers how far
a destination's numbering went after its messages were acknowledged and deleted; ``sequence`` how
far auto-increment numbers are reserved; ``scheduled_row`` when rows of scheduled tables are due.
"""

from __future__ import annotations

from actors.keys import ActorKind
from actors.module.tables import table
from actors.module.types import ConnectionId, Identity, Timestamp, u32, u64

__all__ = [
    "SYSTEM",
    "SYSTEM_TABLES",
    "ActorTimer",
    "ConnectedClient",
    "DeadLetter",
    "InboxCursor",
    "OutboxCursor",
    "OutboxMessage",
    "RequestReceipt",
    "ScheduledRow",
    "Sequence",
]

SYSTEM = ActorKind("system")
"""Stands for every kind: a table of this kind is in all actors."""


@table(primary_key="receipt_id", index=["user_id"], actor=SYSTEM)
class RequestReceipt:
    """The recorded outcome of a call, for its repetition (domain 1.5)."""

    receipt_id: str
    user_id: str
    function_name: str
    args_hash: bytes
    outcome_bytes: bytes
    committed_at: Timestamp


@table(primary_key="message_key", index=["dst_actor"], actor=SYSTEM)
class OutboxMessage:
    """A message that its destination has not acknowledged yet (domain 12.1)."""

    message_key: str
    dst_actor: str
    dst_seq: u64
    kind: str
    idempotency_key: str
    payload: bytes
    on_behalf_of: Identity
    attempts: u32
    next_attempt_at: Timestamp
    created_at: Timestamp


@table(primary_key="dst_actor", actor=SYSTEM)
class OutboxCursor:
    """The number of the last message ever sent to a destination."""

    dst_actor: str
    last_seq: u64


@table(primary_key="src_actor", actor=SYSTEM)
class InboxCursor:
    """The number of the last message taken from a source."""

    src_actor: str
    last_seq: u64
    updated_at: Timestamp


@table(primary_key="message_key", actor=SYSTEM)
class DeadLetter:
    """A message whose handler failed unexpectedly, again and again."""

    message_key: str
    src_actor: str
    dst_actor: str
    kind: str
    error: str
    payload: bytes
    on_behalf_of: Identity
    parked_at: Timestamp


@table(primary_key="timer_id", actor=SYSTEM)
class ActorTimer:
    """A message to the actor itself, due at a time."""

    timer_id: str
    kind: str
    guard: u64
    fire_at: Timestamp
    payload: bytes


@table(primary_key="place", index=["due_at"], actor=SYSTEM)
class ScheduledRow:
    """When a row of a scheduled table is due next.

    ``due_at`` is always a slot of the row's schedule, so that lateness does not add up.
    """

    place: str
    table_name: str
    key: u64
    due_at: Timestamp


@table(primary_key="table_name", actor=SYSTEM)
class Sequence:
    """How far a table's auto-increment numbers are reserved."""

    table_name: str
    reserved: u64


@table(primary_key="connection_id", actor=SYSTEM)
class ConnectedClient:
    """A connection for which ``client_connected`` ran and ``client_disconnected`` has yet to."""

    connection_id: ConnectionId
    identity: Identity
    connected_at: Timestamp


SYSTEM_TABLES: tuple[type, ...] = (
    RequestReceipt,
    OutboxMessage,
    OutboxCursor,
    InboxCursor,
    DeadLetter,
    ActorTimer,
    ScheduledRow,
    Sequence,
    ConnectedClient,
)
