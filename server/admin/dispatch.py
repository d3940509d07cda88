"""Dispatch: a message of an operator to its answer; every rule that holds for all commands."""

from __future__ import annotations

import asyncio
import difflib
from collections.abc import Mapping
from functools import cached_property

import structlog
from pydantic import ValidationError

from actors.errors import ReducerError
from server.admin.commands import Command, Params, Result
from server.admin.context import AdminContext, Operator, Parts, Peer
from server.admin.jsonrpc import (
    COMMAND_FAILED,
    INTERNAL_ERROR,
    INVALID_PARAMS,
    METHOD_NOT_FOUND,
    Fault,
    FaultError,
    Request,
    answer_text,
    fault_text,
    faults_of,
    read_message,
)
from server.admin.openrpc import DISCOVER, openrpc_document
from server.errors import CommandError
from server.limits import ADMIN_CALLS_BURST, ADMIN_CALLS_PER_MINUTE
from server.rates import TokenBuckets

__all__ = ["Dispatcher"]

log = structlog.get_logger(__name__)


class Dispatcher:
    """Runs commands for operators: rate, role, parameters, audit, time, in this order.

    Attributes:
        outcomes: how often each command ended how, by its name and ``done`` or an error's code.
    """

    def __init__(self, commands: Mapping[str, Command], parts: Parts) -> None:
        self._commands = commands
        self._parts = parts
        self._buckets = TokenBuckets(per_minute=ADMIN_CALLS_PER_MINUTE, burst=ADMIN_CALLS_BURST)
        self.outcomes = parts.metrics.admin_commands

    async def answer(self, data: str | bytes, operator: Operator, peer: Peer) -> bytes | None:
        """Do what a message asks, one request after the other.

        Returns:
            What to send back; None when nobody waits for it.
        """
        message = read_message(data)
        texts = []
        for entry in message.entries:
            text = await self._answer(entry, operator, peer)
            if text is not None:
                texts.append(text)
        if not texts:
            return None
        return b"[" + b",".join(texts) + b"]" if message.is_batch else texts[0]

    async def _answer(self, entry: Request | Fault, operator: Operator, peer: Peer) -> bytes | None:
        if isinstance(entry, Fault):
            return fault_text(None, entry)
        try:
            result = await self._run(entry, operator, peer)
        except FaultError as error:
            text = fault_text(entry, error.fault)
        else:
            text = answer_text(entry, result)
        return None if entry.is_notification else text

    async def _run(self, request: Request, operator: Operator, peer: Peer) -> object:
        self._admit(operator)
        if request.method == DISCOVER:
            return self._document
        command = self._find(request.method)
        if operator.role < command.role:
            log.warning("a command was refused", command=command.name, operator=operator.name)
            raise self._ended(
                command,
                "auth.forbidden",
                f"{command.name} needs the role {command.role.claim}",
                role=command.role.claim,
            )
        try:
            params = command.params.model_validate(request.params)
        except ValidationError as error:
            self.outcomes[command.name, "input.invalid"] += 1
            raise FaultError(
                INVALID_PARAMS,
                f"{command.name} cannot be told this",
                "input.invalid",
                errors=faults_of(error),
            ) from None
        context = AdminContext(self._parts, operator, peer, getattr(params, "reason", ""))
        if command.mutates:
            result = await self._run_audited(command, context, params)
        else:
            result = await self._handle(command, context, params)
        self.outcomes[command.name, "done"] += 1
        return result.model_dump(mode="json")

    def _admit(self, operator: Operator) -> None:
        now = self._parts.clock()
        if operator.expires_at is not None and operator.expires_at <= now:
            raise FaultError(COMMAND_FAILED, "the token has expired", "auth.token_expired")
        if not self._buckets.take(operator.identity, now):
            raise FaultError(
                COMMAND_FAILED,
                "too many commands, slow down",
                "limit.rate_exceeded",
                retry_after_seconds=1,
            )

    def _find(self, method: str) -> Command:
        command = self._commands.get(method)
        if command is None:
            close = difflib.get_close_matches(method, self._commands, n=3)
            text = f"there is no command {method}"
            raise FaultError(METHOD_NOT_FOUND, text, "command.not_found", close=close)
        return command

    async def _run_audited(self, command: Command, context: AdminContext, params: Params) -> Result:
        """Run a command between the note that it begins and the record of how it ended."""
        audit = self._parts.audit
        try:
            ticket = await audit.begin(command, context.operator, params, context.reason)
        except ReducerError as error:
            raise self._ended(command, error.code, error.message) from None
        error_code = ""
        try:
            return await self._handle(command, context, params)
        except FaultError as error:
            error_code = str(error.fault.data["code"])
            raise
        except asyncio.CancelledError:
            error_code = "command.cancelled"
            raise
        finally:
            try:
                await audit.end(ticket, error_code, context.touched)
            except ReducerError:
                # The note of its beginning stays, and becomes a record at the next start.
                log.exception("the audit has no outcome of a command", command=command.name)
                raise self._ended(
                    command, "audit.incomplete", "it ran, but its outcome is not recorded yet"
                ) from None

    async def _handle(self, command: Command, context: AdminContext, params: Params) -> Result:
        try:
            async with asyncio.timeout(command.seconds):
                return await command.handler(context, params)
        except (CommandError, ReducerError) as error:
            raise self._ended(command, error.code, error.message, **error.details) from None
        except TimeoutError:
            text = f"{command.name} took longer than {command.seconds:g} s"
            raise self._ended(command, "command.timeout", text) from None
        except Exception:
            log.exception("a command broke", command=command.name)
            self.outcomes[command.name, "command.failed"] += 1
            raise FaultError(
                INTERNAL_ERROR, f"{command.name} broke; the log says why", "command.failed"
            ) from None

    def _ended(self, command: Command, code: str, message: str, **details: object) -> FaultError:
        self.outcomes[command.name, code] += 1
        return FaultError(COMMAND_FAILED, message, code, **details)

    @cached_property
    def _document(self) -> dict[str, object]:
        return openrpc_document(self._commands.values())
