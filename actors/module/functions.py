"""Function declarations: reducers, procedures, views, messages and lifecycle hooks of a module."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeVar, overload

from actors.errors import DeclarationError
from actors.keys import DATABASE, ActorKind, Kinds, kinds_of
from actors.module.context import ReducerContext, ViewContext
from actors.module.naming import snake
from actors.module.rates import Rate
from actors.module.types import algebraic_type, product_type
from protocol.schema import Lifecycle
from protocol.types import AlgebraicType, Field, ProductType

__all__ = [
    "MessageDeclaration",
    "ProcedureDeclaration",
    "ReducerDeclaration",
    "ViewDeclaration",
    "client_connected",
    "client_disconnected",
    "init",
    "message",
    "procedure",
    "reducer",
    "view",
]

ReducerFunction = TypeVar("ReducerFunction", bound=Callable[..., object])
ProcedureFunction = TypeVar("ProcedureFunction", bound=Callable[..., object])
Result = TypeVar("Result")
Payload = TypeVar("Payload")
Hook = TypeVar("Hook", bound=Callable[[ReducerContext], None])


@dataclass(frozen=True)
class _Function:
    function: Callable[..., typing.Any]
    name: str
    kinds: tuple[ActorKind, ...]
    roles: frozenset[str]
    rate: Rate | None = field(default=None, kw_only=True)

    @cached_property
    def parameters(self) -> ProductType:
        """The arguments' product type, without the context."""
        hints = typing.get_type_hints(self.function, include_extras=True)
        names = list(inspect.signature(self.function).parameters)[1:]
        bare = [name for name in names if name not in hints]
        if bare:
            raise DeclarationError(f"{self.name}: argument {bare[0]} has no annotation")
        # ``from_`` in Python, where ``from`` is a keyword, is ``from`` on the wire.
        fields = (Field(name.rstrip("_"), algebraic_type(hints[name])) for name in names)
        return ProductType(tuple(fields))

    @cached_property
    def input(self) -> type | None:
        """The struct of the one argument ``input``, when the function takes its arguments so."""
        hints = typing.get_type_hints(self.function)
        names = list(inspect.signature(self.function).parameters)[1:]
        if names != ["input"] or not hasattr(hints["input"], "_fields"):
            return None
        return typing.cast("type", hints["input"])

    @cached_property
    def returns(self) -> AlgebraicType | None:
        """The type of the answer; None for a function without one."""
        annotation = typing.get_type_hints(self.function, include_extras=True).get("return")
        if annotation is None or annotation is type(None):
            return None
        return algebraic_type(annotation)


@dataclass(frozen=True)
class ReducerDeclaration(_Function):
    """A transaction that clients, or only some roles, may call.

    Attributes:
        roles: roles that may call it; empty means every caller.
        lifecycle: set when the host calls it, and clients may not.
        is_fixture: it exists only where fixtures are enabled, for tests and development.
    """

    lifecycle: Lifecycle | None = None
    is_fixture: bool = False


@dataclass(frozen=True)
class ProcedureDeclaration(_Function):
    """A function that answers its caller and nobody else.

    A plain function reads inside one actor; a coroutine runs outside actors and may call several.
    """

    @cached_property
    def is_async(self) -> bool:
        """Whether it runs outside actors."""
        return inspect.iscoroutinefunction(self.function)


@dataclass(frozen=True)
class ViewDeclaration:
    """Rows computed from one actor's tables, subscribed to by name like a table.

    Attributes:
        is_anonymous: the rows do not depend on who asks.
    """

    function: Callable[[ViewContext], Iterable[object]]
    name: str
    kind: ActorKind
    is_public: bool
    is_anonymous: bool

    @property
    def kinds(self) -> tuple[ActorKind, ...]:
        """The kind, as tables have several."""
        return (self.kind,)

    @cached_property
    def row(self) -> type:
        """The struct class of the rows."""
        annotation = typing.get_type_hints(self.function).get("return")
        arguments = typing.get_args(annotation)
        if not arguments or not hasattr(arguments[0], "_fields"):
            raise DeclarationError(f"view {self.name} must return a list of structs")
        return typing.cast("type", arguments[0])

    @cached_property
    def row_type(self) -> ProductType:
        """The row's product type."""
        return product_type(self.row)


@dataclass(frozen=True)
class MessageDeclaration:
    """What an actor does with a message from another actor, or from its own timer."""

    function: Callable[..., None]
    kind: ActorKind

    @property
    def kinds(self) -> tuple[ActorKind, ...]:
        """The kind, as tables have several."""
        return (self.kind,)

    @cached_property
    def payload(self) -> type:
        """The struct class of the message."""
        hints = typing.get_type_hints(self.function)
        names = list(inspect.signature(self.function).parameters)
        payload = hints.get(names[1]) if len(names) == 2 else None
        if not hasattr(payload, "_fields"):
            raise DeclarationError(f"{self.function.__name__} must take a context and a struct")
        return typing.cast("type", payload)

    @cached_property
    def name(self) -> str:
        """``kind.message_name``, as in the catalogue of domain 12.3."""
        return f"{self.kind.name}.{snake(self.payload.__name__)}"


@overload
def reducer(function: ReducerFunction, /) -> ReducerFunction: ...


@overload
def reducer(
    *,
    name: str | None = ...,
    actor: Kinds = ...,
    roles: Iterable[str] = ...,
    rate: Rate | None = ...,
    fixture: bool = ...,
) -> Callable[[ReducerFunction], ReducerFunction]: ...


def reducer(
    function: ReducerFunction | None = None,
    /,
    *,
    name: str | None = None,
    actor: Kinds = DATABASE,
    roles: Iterable[str] = (),
    rate: Rate | None = None,
    fixture: bool = False,
) -> ReducerFunction | Callable[[ReducerFunction], ReducerFunction]:
    """Declare a reducer: ``def name(ctx: ReducerContext, ...) -> None``.

    It runs to completion inside one transaction of one actor. It may answer a struct; the answer
    is what a repeated call with the same ``request_id`` gets again, and what its ``_and_return``
    procedure returns.

    Args:
        function: the function, when the decorator is used bare.
        name: name on the wire; the function's own when absent.
        actor: the kind of actor that it runs in; of several, the one that the input names.
        roles: roles that may call it; others get ``auth.forbidden``. Empty means everybody.
        rate: how often a user may call it, with the other functions of that rate.
        fixture: it exists only where fixtures are enabled.
    """

    def declare(function: ReducerFunction) -> ReducerFunction:
        if inspect.iscoroutinefunction(function):
            raise DeclarationError(f"reducer {function.__name__} must not wait: no coroutines")
        declaration = ReducerDeclaration(
            function,
            name or function.__name__,
            kinds_of(actor),
            frozenset(roles),
            rate=rate,
            is_fixture=fixture,
        )
        function.__declaration__ = declaration  # type: ignore[attr-defined]
        return function

    return declare if function is None else declare(function)


@overload
def procedure(function: ProcedureFunction, /) -> ProcedureFunction: ...


@overload
def procedure(
    *,
    name: str | None = ...,
    actor: Kinds = ...,
    roles: Iterable[str] = ...,
    rate: Rate | None = ...,
) -> Callable[[ProcedureFunction], ProcedureFunction]: ...


def procedure(
    function: ProcedureFunction | None = None,
    /,
    *,
    name: str | None = None,
    actor: Kinds = DATABASE,
    roles: Iterable[str] = (),
    rate: Rate | None = None,
) -> ProcedureFunction | Callable[[ProcedureFunction], ProcedureFunction]:
    """Declare a procedure, which answers its caller only.

    ``def name(ctx: ViewContext, ...) -> T`` reads inside one actor of the kind ``actor``;
    ``async def name(ctx: ProcedureContext, ...) -> T`` runs outside actors.

    Args:
        function: the function, when the decorator is used bare.
        name: name on the wire; the function's own when absent.
        actor: the kind of actor that a reading procedure runs in; of several, as in a reducer.
        roles: roles that may call it. Empty means everybody.
        rate: how often a user may call it, as in a reducer.
    """

    def declare(function: ProcedureFunction) -> ProcedureFunction:
        declaration = ProcedureDeclaration(
            function, name or function.__name__, kinds_of(actor), frozenset(roles), rate=rate
        )
        function.__declaration__ = declaration  # type: ignore[attr-defined]
        return function

    return declare if function is None else declare(function)


def view(
    *,
    name: str | None = None,
    actor: ActorKind = DATABASE,
    public: bool = True,
    anonymous: bool = False,
) -> Callable[[Callable[[ViewContext], Result]], Callable[[ViewContext], Result]]:
    """Declare a view: ``def name(ctx: ViewContext) -> list[Row]``.

    It is computed again in every transaction that changed a table it reads.

    Args:
        name: name on the wire; the function's own when absent.
        actor: the kind of actor whose tables it reads.
        public: whether clients may subscribe.
        anonymous: the rows are the same for everybody; ``ctx.sender`` must not be read.
    """

    def declare(function: Callable[[ViewContext], Result]) -> Callable[[ViewContext], Result]:
        function.__declaration__ = ViewDeclaration(  # type: ignore[attr-defined]
            function,  # type: ignore[arg-type]
            name or function.__name__,
            actor,
            public,
            anonymous,
        )
        return function

    return declare


def message(
    actor: ActorKind,
) -> Callable[
    [Callable[[ReducerContext, Payload], None]], Callable[[ReducerContext, Payload], None]
]:
    """Declare what actors of a kind do with a message: ``def name(ctx, payload: Struct)``.

    Messages come from ``ctx.send`` of any actor and from ``ctx.send_at`` of the same one, and take
    effect exactly once. A refusal is a message back, never an exception (domain 12.1).
    """

    def declare(
        function: Callable[[ReducerContext, Payload], None],
    ) -> Callable[[ReducerContext, Payload], None]:
        function.__declaration__ = MessageDeclaration(function, actor)  # type: ignore[attr-defined]
        return function

    return declare


@overload
def init(function: Hook, /) -> Hook: ...


@overload
def init(*, actor: ActorKind) -> Callable[[Hook], Hook]: ...


def init(
    function: Hook | None = None, /, *, actor: ActorKind = DATABASE
) -> Hook | Callable[[Hook], Hook]:
    """Declare what runs once, in the first actor of a kind, when the store is empty."""
    return _lifecycle(function, actor, Lifecycle.INIT)


@overload
def client_connected(function: Hook, /) -> Hook: ...


@overload
def client_connected(*, actor: ActorKind) -> Callable[[Hook], Hook]: ...


def client_connected(
    function: Hook | None = None, /, *, actor: ActorKind = DATABASE
) -> Hook | Callable[[Hook], Hook]:
    """Declare what runs before a connection's first message; raising refuses the connection."""
    return _lifecycle(function, actor, Lifecycle.ON_CONNECT)


@overload
def client_disconnected(function: Hook, /) -> Hook: ...


@overload
def client_disconnected(*, actor: ActorKind) -> Callable[[Hook], Hook]: ...


def client_disconnected(
    function: Hook | None = None, /, *, actor: ActorKind = DATABASE
) -> Hook | Callable[[Hook], Hook]:
    """Declare what runs after a connection ended, whatever the reason; failure is only logged."""
    return _lifecycle(function, actor, Lifecycle.ON_DISCONNECT)


def _lifecycle(
    function: Hook | None, actor: ActorKind, moment: Lifecycle
) -> Hook | Callable[[Hook], Hook]:
    def declare(function: Hook) -> Hook:
        function.__declaration__ = ReducerDeclaration(  # type: ignore[attr-defined]
            function, function.__name__, (actor,), frozenset(), lifecycle=moment
        )
        return function

    return declare if function is None else declare(function)
