"""Module: all declarations of one game or application, checked and found by name."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
from collections.abc import Iterable, Iterator
from functools import cached_property
from types import ModuleType
from typing import TypeAlias

from actors.errors import DeclarationError
from actors.keys import ActorKind, Audience
from actors.module.effects import EffectDeclaration
from actors.module.functions import (
    MessageDeclaration,
    ProcedureDeclaration,
    ReducerDeclaration,
    ViewDeclaration,
)
from actors.module.routes import Route
from actors.module.schedules import ScheduleDeclaration, schedules_of
from actors.module.schema import module_schema
from actors.module.system import SYSTEM_TABLES
from actors.module.tables import TableDeclaration, declaration_of
from protocol.errors import SchemaError
from protocol.schema import Lifecycle, ModuleSchema
from protocol.schema_rules import check_schema

__all__ = ["Module"]

_Owned: TypeAlias = (
    TableDeclaration
    | ReducerDeclaration
    | MessageDeclaration
    | ViewDeclaration
    | ProcedureDeclaration
)

_PARAMETER = re.compile(r"\{[^}]*\}")
_SYSTEM_NAMES = frozenset(declaration_of(row).name for row in SYSTEM_TABLES)


class Module:
    """What a server hosts: tables, reducers, procedures, views, messages, effects, each name once.

    ``routes`` are its HTTP addresses, by method and path; ``internal`` are the names of what stands
    beside it. ``schedules`` are its scheduled tables, by name: the reducers that those call are no
    ``reducers``, as nobody else can call them.

    Args:
        name: for people and logs.
        sources: Python modules whose declarations make up the module.
        enveloped: procedures answer ``{ok, value, error_code, error_message,
            error_details_json}`` and every reducer that answers something has a procedure
            ``<name>_and_return`` (domain 1.4).
        fixtures: whether reducers that are declared as fixtures exist.
        beside: further Python modules, of the server itself: hosted like the others, but no
            schema tells clients of them. Who knows a public table of theirs can query it.

    Raises:
        DeclarationError: two declarations take one name, or contradict each other.
    """

    def __init__(
        self,
        name: str,
        sources: Iterable[ModuleType],
        *,
        enveloped: bool = False,
        fixtures: bool = False,
        beside: Iterable[ModuleType] = (),
    ) -> None:
        self.name = name
        self.enveloped = enveloped
        self.tables: dict[str, TableDeclaration] = {}
        self.views: dict[str, ViewDeclaration] = {}
        self.reducers: dict[str, ReducerDeclaration] = {}
        self.procedures: dict[str, ProcedureDeclaration] = {}
        self.messages: dict[str, MessageDeclaration] = {}
        self.effects: dict[str, EffectDeclaration] = {}
        self.routes: dict[tuple[str, str], Route] = {}
        self.lifecycle: dict[Lifecycle, ReducerDeclaration] = {}
        self.schedules: dict[str, ScheduleDeclaration] = {}
        self.message_names: dict[tuple[str, type], str] = {}
        self._enter_all(sources, fixtures=fixtures)
        own = self._names()
        self._enter_all(beside, fixtures=fixtures)
        self.internal = self._names() - own
        self._enter_schedules()
        self._check_kinds()

    @classmethod
    def load(
        cls, dotted_name: str, *, fixtures: bool = False, beside: Iterable[str] = ()
    ) -> Module:
        """Import a Python module or package and collect its declarations, submodules included.

        The Python module may say ``ENVELOPED = True`` and ``NAME = "..."``. What is hosted beside
        it is named likewise.

        Raises:
            DeclarationError: there is no such module, or nothing is declared in it.
        """
        try:
            root = importlib.import_module(dotted_name)
        except ModuleNotFoundError as error:
            if error.name is None or not dotted_name.startswith(error.name):
                raise
            raise DeclarationError(f"there is no module {dotted_name}") from None
        sources = [root, *_submodules(root)]
        module = cls(
            getattr(root, "NAME", dotted_name.rpartition(".")[2]),
            sources,
            enveloped=getattr(root, "ENVELOPED", False),
            fixtures=fixtures,
            beside=[source for name in beside for source in _package(name)],
        )
        if not module.internal.issuperset((*module.tables, *module.reducers, *module.procedures)):
            return module
        raise DeclarationError(f"module {dotted_name} declares nothing")

    @cached_property
    def kinds(self) -> dict[str, ActorKind]:
        """Every kind of actor that owns a table or serves a function, by name."""
        owners: tuple[_Owned, ...] = (
            *self.tables.values(),
            *self.reducers.values(),
            *self.lifecycle.values(),
            *(entry.reducer for entry in self.schedules.values()),
            *self.messages.values(),
            *self.views.values(),
            *(entry for entry in self.procedures.values() if not entry.is_async),
        )
        kinds: dict[str, ActorKind] = {}
        for owner in owners:
            for kind in owner.kinds:
                if kinds.setdefault(kind.name, kind) != kind:
                    raise DeclarationError(f"two kinds of actors are named {kind.name}")
        return kinds

    @cached_property
    def schema(self) -> ModuleSchema:
        """What clients may know of the module.

        Raises:
            DeclarationError: a name or a type is none that clients can deal with (wire spec 13.3).
        """
        return _checked(module_schema(self))

    @cached_property
    def readable(self) -> ModuleSchema:
        """What clients' queries may name: the schema, and public tables of what stands beside.

        Raises:
            DeclarationError: as ``schema``.
        """
        return _checked(module_schema(self, internal=True))

    def tables_of(self, kind: ActorKind) -> list[TableDeclaration]:
        """The tables that actors of a kind own, system tables included."""
        own = [table for table in self.tables.values() if kind in table.kinds]
        return [*own, *(declaration_of(row) for row in SYSTEM_TABLES)]

    def _enter_all(self, sources: Iterable[ModuleType], *, fixtures: bool) -> None:
        seen: set[int] = set()
        for source in sources:
            for declaration in _declarations(source):
                if id(declaration) not in seen:
                    seen.add(id(declaration))
                    self._enter(declaration, fixtures=fixtures)
            for route in getattr(source, "ROUTES", ()):
                self._enter_route(route)

    def _names(self) -> frozenset[str]:
        return frozenset((*self.tables, *self.views, *self.reducers, *self.procedures))

    def _enter(self, declaration: object, *, fixtures: bool) -> None:
        if isinstance(declaration, TableDeclaration):
            self._claim(declaration.name)
            self.tables[declaration.name] = declaration
        elif isinstance(declaration, ViewDeclaration):
            self._claim(declaration.name)
            self.views[declaration.name] = declaration
        elif isinstance(declaration, MessageDeclaration):
            name = declaration.name
            if name in self.messages:
                raise DeclarationError(f"two handlers for message {name}")
            self.messages[name] = declaration
            self.message_names[declaration.kind.name, declaration.payload] = name
        elif isinstance(declaration, EffectDeclaration):
            if self.effects.setdefault(declaration.name, declaration) is not declaration:
                raise DeclarationError(f"two effects are named {declaration.name}")
        elif isinstance(declaration, ReducerDeclaration):
            if fixtures or not declaration.is_fixture:
                self._enter_reducer(declaration)
        elif isinstance(declaration, ProcedureDeclaration):
            self._claim(declaration.name)
            self.procedures[declaration.name] = declaration

    def _enter_reducer(self, declaration: ReducerDeclaration) -> None:
        self._claim(declaration.name)
        if declaration.lifecycle is None:
            self.reducers[declaration.name] = declaration
        elif declaration.lifecycle in self.lifecycle:
            raise DeclarationError(f"two reducers for {declaration.lifecycle}")
        else:
            self.lifecycle[declaration.lifecycle] = declaration

    def _enter_schedules(self) -> None:
        for schedule in schedules_of(self.tables, self.reducers):
            self.schedules[schedule.table.name] = schedule
        for schedule in self.schedules.values():
            self.reducers.pop(schedule.reducer.name, None)

    def _enter_route(self, route: Route) -> None:
        address = (route.method, _PARAMETER.sub("{}", route.path))
        if self.routes.setdefault(address, route) is not route:
            raise DeclarationError(f"two routes are {route.method} {route.path}")

    def _check_kinds(self) -> None:
        reserved = {"effect", "system"}.intersection(self.kinds)
        if reserved:
            raise DeclarationError(f"no kind of actors may be named {min(reserved)}")
        homes = [kind for kind in self.kinds.values() if kind.audience is Audience.CALLER]
        if len(homes) > 1:
            raise DeclarationError("a caller has one actor: two kinds are of the audience CALLER")
        doors = {
            self.lifecycle[moment].kinds[0].name
            for moment in (Lifecycle.ON_CONNECT, Lifecycle.ON_DISCONNECT)
            if moment in self.lifecycle
        }
        if len(doors) > 1:
            raise DeclarationError("connections begin and end in actors of different kinds")

    def _claim(self, name: str) -> None:
        if name in _SYSTEM_NAMES:
            raise DeclarationError(f"{name} is a table of the host")
        taken = (self.tables, self.views, self.reducers, self.procedures)
        lifecycle = (entry.name for entry in self.lifecycle.values())
        if any(name in names for names in taken) or name in lifecycle:
            raise DeclarationError(f"two declarations are named {name}")


def _checked(schema: ModuleSchema) -> ModuleSchema:
    try:
        check_schema(schema)
    except SchemaError as error:
        raise DeclarationError(str(error)) from None
    return schema


def _declarations(source: ModuleType) -> Iterator[object]:
    """A Python module's declarations in the order of its source; imported ones included."""
    for value in vars(source).values():
        if inspect.isclass(value):
            declaration = vars(value).get("__table__")
            if isinstance(declaration, TableDeclaration) and value not in SYSTEM_TABLES:
                yield declaration
        elif inspect.isfunction(value) and hasattr(value, "__declaration__"):
            yield value.__declaration__


def _package(dotted_name: str) -> list[ModuleType]:
    """A Python module that must be there, and its submodules."""
    root = importlib.import_module(dotted_name)
    return [root, *_submodules(root)]


def _submodules(root: ModuleType) -> list[ModuleType]:
    """All modules of the package that ``root`` is, or whose entry ``root`` is called."""
    package = root
    if not hasattr(root, "__path__"):
        if not root.__name__.endswith(".entry"):
            return []
        package = importlib.import_module(root.__name__.rpartition(".")[0])
    found = pkgutil.walk_packages(package.__path__, package.__name__ + ".")
    return [importlib.import_module(entry.name) for entry in found]
