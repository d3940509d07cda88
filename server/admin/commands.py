"""Commands: one definition of what operators can ask; protocol, schema, page and CLI follow it.

    class ShowBan(Params):
        user: str = Field(description="User id or identity.")

    @command("bans.show", role=Role.READ)
    async def show_ban(ctx: AdminContext, params: ShowBan) -> BanEntry: ...

The first line of the handler's docstring is the summary that operators read.
"""

from __future__ import annotations

import inspect
import typing
from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from types import ModuleType
from typing import Annotated, TypeVar

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, create_model

from server.admin.context import AdminContext
from server.admin.roles import Role
from server.limits import (
    ADMIN_COMMAND_SECONDS_MAX,
    ADMIN_REASON_CHARS_MAX,
    ADMIN_REASON_CHARS_MIN,
)

__all__ = ["Command", "Event", "NoParams", "Params", "Result", "command", "commands_of"]


class Params(BaseModel):
    """Parameters of a command; every field is described."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class NoParams(Params):
    """A command that needs to be told nothing."""


class Result(BaseModel):
    """What a command answers, or a part of that; every field is described."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Event(Result):
    """What a command that goes on tells from time to time, as notifications of its name."""


Handler = Callable[[AdminContext, typing.Any], Awaitable[Result]]
Asked = TypeVar("Asked", bound=Params)
Answered = TypeVar("Answered", bound=Result)

_Reason = Annotated[
    str,
    StringConstraints(
        strip_whitespace=True,
        min_length=ADMIN_REASON_CHARS_MIN,
        max_length=ADMIN_REASON_CHARS_MAX,
    ),
    Field(description="Why; kept in the audit."),
]


@dataclass(frozen=True, eq=False)
class Command:
    """A command, as its handler declares it.

    Attributes:
        name: ``group.verb``, the method of the protocol and the words of the command line.
        handler: runs it. It raises CommandError or ReducerError to refuse.
        role: the least role that may run it. Whatever needs more than ``READ`` changes something:
            it asks for a reason and leaves an audit record.
        seconds: time that it may take.
        event: what its notifications carry; None for a command that ends with its answer.
    """

    name: str
    handler: Handler
    role: Role
    seconds: float
    event: type[Event] | None

    @property
    def group(self) -> str:
        """The first part of the name."""
        return self.name.partition(".")[0]

    @property
    def verb(self) -> str:
        """The rest of the name."""
        return self.name.partition(".")[2]

    @property
    def mutates(self) -> bool:
        """Whether it changes something, so that it needs a reason and is audited."""
        return self.role is not Role.READ

    @cached_property
    def text(self) -> str:
        """What it does, in whole paragraphs; the first line is a summary."""
        return inspect.getdoc(self.handler) or ""

    @property
    def summary(self) -> str:
        """What it does, in one line."""
        return self.text.partition("\n")[0]

    @cached_property
    def params(self) -> type[Params]:
        """The model of what it is told, with the ``reason`` where one is needed."""
        _, name = inspect.signature(self.handler).parameters
        declared = typing.cast("type[Params]", self._hints[name])
        if not self.mutates:
            return declared
        return create_model(declared.__name__, __base__=declared, reason=(_Reason, ...))

    @cached_property
    def result(self) -> type[Result]:
        """The model of what it answers."""
        return typing.cast("type[Result]", self._hints["return"])

    @cached_property
    def _hints(self) -> dict[str, object]:
        return typing.get_type_hints(self.handler)


def command(
    name: str,
    *,
    role: Role,
    seconds: float = ADMIN_COMMAND_SECONDS_MAX,
    event: type[Event] | None = None,
) -> Callable[
    [Callable[[AdminContext, Asked], Awaitable[Answered]]],
    Callable[[AdminContext, Asked], Awaitable[Answered]],
]:
    """Declare a command: ``async def f(ctx: AdminContext, params: P) -> R`` with models P and R.

    The handler's docstring is what operators read. A module's commands exist once the module is
    listed in ``server.admin.catalogue``.

    Args:
        name: ``group.verb``; lower-case, words joined by ``-``.
        role: the least role that may run it.
        seconds: time that it may take; beyond it the handler is cancelled.
        event: what its notifications carry, when it goes on after its answer.
    """

    def declare(
        handler: Callable[[AdminContext, Asked], Awaitable[Answered]],
    ) -> Callable[[AdminContext, Asked], Awaitable[Answered]]:
        handler.__command__ = Command(  # type: ignore[attr-defined]
            name, handler, role, seconds, event
        )
        return handler

    return declare


def commands_of(modules: Iterable[ModuleType]) -> Iterator[Command]:
    """The commands that Python modules declare, in the order of their sources."""
    for module in modules:
        for value in vars(module).values():
            declared = getattr(value, "__command__", None)
            if isinstance(declared, Command) and declared.handler.__module__ == module.__name__:
                yield declared
