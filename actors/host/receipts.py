"""Receipts: what calls came to, for their repetition with the same request id (domain 1.5)."""

from __future__ import annotations

import hashlib
from collections import deque

from actors.datastore import Database
from actors.errors import ReducerError
from actors.limits import DEDUPED_CALLS_MAX, RECEIPT_MICROS
from actors.module.system import RequestReceipt
from protocol.values import Timestamp

__all__ = ["Receipts"]


class Receipts:
    """One actor's receipts: at most the newest 512 of a user, for 24 hours."""

    __slots__ = ("_ages", "_database")

    def __init__(self, database: Database) -> None:
        self._database = database
        # Which receipt goes next, by user; made from the rows when it is first needed.
        self._ages: dict[str, deque[tuple[Timestamp, str]]] = {}

    def find(
        self, user_id: str, request_id: str, name: str, args: bytes, now: Timestamp
    ) -> bytes | None:
        """The recorded outcome of the same call; None when there was none, or long ago.

        Raises:
            ReducerError: ``idempotency.conflict``: the id was used for another call.
        """
        receipt = self._database[RequestReceipt].find(f"{user_id}:{request_id}")
        if receipt is None or receipt.committed_at + RECEIPT_MICROS < now:
            return None
        if receipt.function_name != name or receipt.args_hash != _hash(args):
            raise ReducerError("idempotency.conflict", "the request id was used for another call")
        return receipt.outcome_bytes

    def record(
        self,
        user_id: str,
        request_id: str,
        name: str,
        args: bytes,
        outcome: bytes,
        now: Timestamp,
    ) -> None:
        """Add a receipt to the running transaction, and remove what is over the limits."""
        receipts = self._database[RequestReceipt]
        ages = self._ages.get(user_id)
        if ages is None:
            rows = receipts.filter(user_id=user_id)
            ages = deque(sorted((row.committed_at, row.receipt_id) for row in rows))
            self._ages[user_id] = ages
        # Expired ones go first: the new receipt may have the id of one of them.
        while ages and (len(ages) >= DEDUPED_CALLS_MAX or ages[0][0] + RECEIPT_MICROS < now):
            receipts.delete(ages.popleft()[1])
        receipt_id = f"{user_id}:{request_id}"
        receipts.insert(RequestReceipt(receipt_id, user_id, name, _hash(args), outcome, now))
        ages.append((now, receipt_id))

    def discard(self) -> None:
        """Forget the order of receipts; after a roll back it is made from the rows again."""
        self._ages.clear()


def _hash(args: bytes) -> bytes:
    return hashlib.blake2b(args, digest_size=16).digest()
