"""Transactions: what a procedure does in one actor in a single transaction, without a reducer."""

from __future__ import annotations

from collections.abc import Callable

from actors.errors import ReducerError
from actors.host.caller import Caller
from actors.host.core import ActorCore
from actors.host.turns import CallFailedError, Reply, Turn, TurnNote, unavailable
from actors.module.context import ReducerContext

__all__ = ["Transaction"]


class Transaction(Turn):
    """A function of a procedure's own, run as a turn; its journal name is the procedure's."""

    __slots__ = ("_body", "_caller", "_error", "_name", "_reply")

    def __init__(
        self, name: str, body: Callable[[ReducerContext], object], caller: Caller, reply: Reply
    ) -> None:
        self._name = name
        self._body = body
        self._caller = caller
        self._reply = reply
        self._error: Exception | None = None

    def turn(self, core: ActorCore, now: int) -> None:
        """Run it; it commits whole or not at all."""
        caller, reply = self._caller, self._reply
        if core.is_quarantined:
            self.refuse(unavailable())
            return
        context = core.context(now, caller.identity, caller.connection_id, caller.claims)
        try:
            answer = self._body(context)
            core.commit(self._name, caller.identity_bytes, b"")
        except ReducerError as error:
            core.rollback()
            core.evidence = ()
            self._error = error
            reply.fail(context.timestamp, error)
        except Exception as error:  # noqa: BLE001 - a turn answers for everything inside it
            core.fail(self._name, error)
            self._error = error
            reply.fail(context.timestamp, CallFailedError(self._name))
        else:
            reply.succeed(context.timestamp, None, answer)

    def refuse(self, error: ReducerError) -> None:
        """Tell the procedure."""
        self._error = error
        self._reply.fail(0, error)

    def note(self) -> TurnNote:
        """Name the procedure's function and its caller."""
        return "call", self._name, self._caller, self._error
