"""Module: all declarations of one game or application, checked and found by name."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
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

_SYSTEM_NAMES = frozenset(declaration_of(row).name for row in SYSTEM_TABLES)


class Module:
    """What a server hosts: tables, reducers, procedures, views, messages, effects, each name once.

    Args:
        name: for people and logs.
        sources: Python modules whose declarations make up the module.
        enveloped: procedures answer ``{ok, value, error_code, error_message,
            error_details_json}`` and every reducer that answers something has a procedure
            ``<name>_and_return`` (domain 1.4).
        fixtures: whether reducers that are declared as fixtures exist.

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
    ) -> None:
        self.name = name
        self.enveloped = enveloped
        self.tables: dict[str, TableDeclaration] = {}
        self.views: dict[str, ViewDeclaration] = {}
        self.reducers: dict[str, ReducerDeclaration] = {}
        self.procedures: dict[str, ProcedureDeclaration] = {}
        self.messages: dict[str, MessageDeclaration] = {}
        self.effects: dict[str, EffectDeclaration] = {}
        self.lifecycle: dict[Lifecycle, ReducerDeclaration] = {}
        self.message_names: dict[tuple[str, type], str] = {}
        seen: set[int] = set()
        for source in sources:
            for declaration in _declarations(source):
                if id(declaration) not in seen:
                    seen.add(id(declaration))
                    self._enter(declaration, fixtures=fixtures)
        self._check_kinds()

    @classmethod
    def load(cls, dotted_name: str, *, fixtures: bool = False) -> Module:
        """Import a Python module or package and collect its declarations, submodules included.

        The Python module may say ``ENVELOPED = True`` and ``NAME = "..."``.

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
        )
        if not module.tables and not module.reducers and not module.procedures:
            raise DeclarationError(f"module {dotted_name} declares nothing")
        return module

    @cached_property
    def kinds(self) -> dict[str, ActorKind]:
        """Every kind of actor that owns a table or serves a function, by name."""
        owners: tuple[_Owned, ...] = (
            *self.tables.values(),
            *self.reducers.values(),
            *self.lifecycle.values(),
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
        schema = module_schema(self)
        try:
            check_schema(schema)
        except SchemaError as error:
            raise DeclarationError(str(error)) from None
        return schema

    def tables_of(self, kind: ActorKind) -> list[TableDeclaration]:
        """The tables that actors of a kind own, system tables included."""
        own = [table for table in self.tables.values() if kind in table.kinds]
        return [*own, *(declaration_of(row) for row in SYSTEM_TABLES)]

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


def _declarations(source: ModuleType) -> Iterator[object]:
    """A Python module's declarations in the order of its source; imported ones included."""
    for value in vars(source).values():
        if inspect.isclass(value):
            declaration = vars(value).get("__table__")
            if isinstance(declaration, TableDeclaration) and value not in SYSTEM_TABLES:
                yield declaration
        elif inspect.isfunction(value) and hasattr(value, "__declaration__"):
            yield value.__declaration__


def _submodules(root: ModuleType) -> list[ModuleType]:
    """All modules of the package that ``root`` is, or whose entry ``root`` is called."""
    package = root
    if not hasattr(root, "__path__"):
        if not root.__name__.endswith(".entry"):
            return []
        package = importlib.import_module(root.__name__.rpartition(".")[0])
    found = pkgutil.walk_packages(package.__path__, package.__name__ + ".")
    return [importlib.import_module(entry.name) for entry in found]
