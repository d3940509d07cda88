"""Table declarations: a row class, its keys and indexes, and which actors own its rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias, TypeVar, dataclass_transform

from actors.errors import DeclarationError
from actors.keys import DATABASE, ActorKey, ActorKind, Kinds, kinds_of
from actors.module.naming import snake
from actors.module.types import product_type, struct
from protocol.types import ProductType

__all__ = ["Readers", "TableDeclaration", "declaration_of", "table"]

T = TypeVar("T")

Readers: TypeAlias = Callable[[Any], str | None]
"""Maps a row to the one user id that may read it, or to None: everybody may."""


@dataclass(frozen=True)
class TableDeclaration:
    """What ``@table`` was told, resolved to names and positions.

    Attributes:
        row: the struct class of the rows.
        name: the table's name on the wire.
        kinds: the actors that own the rows.
        is_public: clients may subscribe; otherwise the table looks non-existent to them.
        is_event: rows live only in the transaction that inserts them.
        primary_key: column, or None: then the table is a set of whole rows.
        unique: further columns that are unique in one actor.
        indexes: columns by which rows are looked up, single or combined.
        auto_increment: integer column that gets the next number when inserted as 0.
        attaches: for a row of a CALLER actor, the actor whose rows the caller's queries read.
        readers: which callers' queries see a row; None when every row is for everybody.
        readers_role: callers with this role see all rows nonetheless.
        scheduled: name of the reducer that a row calls when its ``ScheduleAt`` column is due.
        catch_up: how many slots of an interval fire, the latest ones, when several are overdue.
    """

    row: type
    name: str
    kinds: tuple[ActorKind, ...]
    is_public: bool
    is_event: bool
    primary_key: str | None
    unique: tuple[str, ...]
    indexes: tuple[tuple[str, ...], ...]
    auto_increment: str | None
    attaches: Callable[[Any], ActorKey | None] | None
    readers: Readers | None
    readers_role: str | None
    scheduled: str | None = None
    catch_up: int = 1

    @cached_property
    def row_type(self) -> ProductType:
        """The row's product type; resolved late, so that annotations may point forward."""
        return product_type(self.row)

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """Column names, in wire order."""
        return tuple(element.name for element in self.row_type.elements)

    @property
    def defaults(self) -> dict[str, object]:
        """Values of the columns that the row class gives one."""
        values = self.row.__new__.__defaults__ or ()
        return dict(zip(self.columns[len(self.columns) - len(values) :], values, strict=True))

    @cached_property
    def primary_key_position(self) -> int | None:
        """Position of the primary key among the columns."""
        return None if self.primary_key is None else self.columns.index(self.primary_key)


@dataclass_transform(frozen_default=True)
def table(
    *,
    name: str | None = None,
    public: bool = False,
    event: bool = False,
    primary_key: str | None = None,
    unique: Iterable[str] = (),
    index: Iterable[str | tuple[str, ...]] = (),
    auto_increment: str | None = None,
    actor: Kinds = DATABASE,
    attaches: Callable[[Any], ActorKey | None] | None = None,
    readers: Readers | None = None,
    readers_role: str | None = None,
    scheduled: str | Callable[..., object] | None = None,
    catch_up: int = 1,
) -> Callable[[type[T]], type[T]]:
    """Declare a table: the decorated class, made a struct, is its row.

    Args:
        name: name on the wire; the class name in snake case when absent.
        public: whether clients may subscribe.
        event: whether rows live only inside the transaction that inserts them.
        primary_key: the key column; without one the table is a set of rows.
        unique: further unique columns.
        index: columns, or tuples of columns, by which rows are found.
        auto_increment: the integer column that is numbered on insert when it is 0.
        actor: the kind of actor that owns the rows; several when such rows live in all of them.
        attaches: maps a row to the actor whose rows its owner's subscriptions shall include.
        readers: maps a row to the user id that alone may read it, or to None: everybody may. It
            must depend on nothing but the row. What a query says can only narrow this.
        readers_role: callers with this role read every row.
        scheduled: the reducer, or its name, that is called with a row when that is due. The rows
            then have a primary key of type ``u64`` and one column of type ``ScheduleAt``. A row
            with a time goes with the call; one with an interval calls again and again.
        catch_up: of slots of an interval that passed while nobody could fire them, so many fire
            afterwards, the latest ones; the others are skipped.

    Raises:
        DeclarationError: a named column does not exist, or ``readers`` are missing.
    """

    def declare(cls: type[T]) -> type[T]:
        row = struct(cls)
        declaration = TableDeclaration(
            row=row,
            name=name or snake(cls.__name__),
            kinds=kinds_of(actor),
            is_public=public,
            is_event=event,
            primary_key=primary_key,
            unique=tuple(unique),
            indexes=tuple((entry,) if isinstance(entry, str) else entry for entry in index),
            auto_increment=auto_increment,
            attaches=attaches,
            readers=readers,
            readers_role=readers_role,
            scheduled=_function_name(scheduled),
            catch_up=catch_up,
        )
        if readers is None and readers_role is not None:
            raise DeclarationError(f"table {declaration.name}: all rows are for everybody already")
        _check_columns(declaration, set(row._fields))  # type: ignore[attr-defined]
        row.__table__ = declaration  # type: ignore[attr-defined]
        return row

    return declare


def declaration_of(row: type) -> TableDeclaration:
    """The declaration of a row class; raises DeclarationError when it is not a table's row."""
    declaration = vars(row).get("__table__")
    if not isinstance(declaration, TableDeclaration):
        raise DeclarationError(f"{row!r} is not the row of a table")
    return declaration


def _function_name(function: str | Callable[..., object] | None) -> str | None:
    if function is None or isinstance(function, str):
        return function
    return str(function.__declaration__.name)  # type: ignore[attr-defined]


def _check_columns(declaration: TableDeclaration, columns: set[str]) -> None:
    named = {column for columns in declaration.indexes for column in columns}
    named.update(declaration.unique)
    named.update(filter(None, (declaration.primary_key, declaration.auto_increment)))
    unknown = sorted(named - columns)
    if unknown:
        raise DeclarationError(f"table {declaration.name} has no column {', '.join(unknown)}")
