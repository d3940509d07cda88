"""Schema reading: the schema JSON of version 10 back to a module definition (wire spec 13.2).

What a server answers at ``/schema?version=10`` is enough to spell arguments and to read rows
without knowing the module. Values of the types that are made here are plain, products tuples and
enumerations numbers, unless the caller has classes for them; sums are ``Variant``s.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

from protocol.errors import SchemaError
from protocol.schema import (
    FunctionSchema,
    IndexSchema,
    Lifecycle,
    ModuleSchema,
    ScheduleSchema,
    TableSchema,
    ViewSchema,
)
from protocol.types import (
    CONNECTION_ID,
    IDENTITY,
    SCHEDULE_AT,
    TIME_DURATION,
    TIMESTAMP,
    UNIT,
    UUID,
    AlgebraicType,
    ArrayType,
    EnumType,
    Field,
    OptionType,
    Primitive,
    ProductType,
    ResultType,
    SumType,
)

__all__ = ["ValueClasses", "read_product_json", "read_v10_json"]

_Json: TypeAlias = Any

_SPECIAL: Mapping[str, AlgebraicType] = {
    "__identity__": IDENTITY,
    "__connection_id__": CONNECTION_ID,
    "__timestamp_micros_since_unix_epoch__": TIMESTAMP,
    "__time_duration_micros__": TIME_DURATION,
    "__uuid__": UUID,
}


class ValueClasses(NamedTuple):
    """What values are made of: each takes a type's name, None for one without, and its members'.

    ``product`` answers what makes a value of its fields' values, ``enumeration`` a class of ints.
    """

    product: Callable[[str | None, Sequence[str]], Callable[[Sequence[Any]], Any]]
    enumeration: Callable[[str | None, Sequence[str]], type[int]]


def read_v10_json(definition: object, classes: ValueClasses | None = None) -> ModuleSchema:
    """Read a bare V10 definition; sections that are not known are left out.

    Raises:
        SchemaError: it is none, or a type holds itself.
    """
    try:
        return _Reader(definition, classes).schema()
    except (AttributeError, IndexError, KeyError, RecursionError, TypeError, ValueError) as fault:
        raise SchemaError(f"no module definition of version 10: {fault!r}") from None


def read_product_json(definition: object) -> ProductType:
    """Read a product's elements with nothing by reference, as ``product_json`` prints them.

    Raises:
        SchemaError: it is none.
    """
    try:
        empty: _Json = {"sections": [{"Typespace": {"types": []}}]}
        return _Reader(empty, None).elements(definition)
    except (AttributeError, IndexError, KeyError, RecursionError, TypeError, ValueError) as fault:
        raise SchemaError(f"no product: {fault!r}") from None


class _Reader:
    """Reads types by reference; each is made once."""

    def __init__(self, definition: _Json, classes: ValueClasses | None) -> None:
        self._classes = classes
        self._sections: dict[str, _Json] = {}
        for section in definition["sections"]:
            self._sections.update(section)
        self._space: Sequence[_Json] = self._sections["Typespace"]["types"]
        self._names: dict[int, str] = {
            entry["ty"]: entry["source_name"]["source_name"] for entry in self._section("Types")
        }
        self._made: dict[int, AlgebraicType] = {}

    def schema(self) -> ModuleSchema:
        lifecycle = {
            entry["function_name"]: Lifecycle(_tag(entry["lifecycle_spec"]))
            for entry in self._section("LifeCycleReducers")
        }
        return ModuleSchema(
            tables=tuple(self._table(entry) for entry in self._section("Tables")),
            reducers=tuple(
                self._function(entry, lifecycle.get(entry["source_name"]))
                for entry in self._section("Reducers")
            ),
            procedures=tuple(self._function(entry) for entry in self._section("Procedures")),
            views=tuple(self._view(entry) for entry in self._section("Views")),
            types=tuple(
                made
                for reference in self._names
                if isinstance(made := self._reference(reference), ProductType | EnumType | SumType)
            ),
        )

    def elements(self, spelled: _Json) -> ProductType:
        return ProductType(self._fields(spelled["elements"]))

    def _section(self, name: str) -> Sequence[_Json]:
        entries: Sequence[_Json] = self._sections.get(name, ())
        return entries

    def _table(self, entry: _Json) -> TableSchema:
        name = entry["source_name"]
        row_type = self._product(entry["product_type_ref"])
        columns = [field.name for field in row_type.elements]
        keys = entry["primary_key"]
        return TableSchema(
            name=name,
            row_type=row_type,
            primary_key=keys[0] if keys else None,
            unique=tuple(
                tuple(columns[position] for position in one["data"]["Unique"]["columns"])
                for one in entry["constraints"]
            ),
            indexes=tuple(_index(one, columns) for one in entry["indexes"]),
            sequences=tuple(columns[one["column"]] for one in entry["sequences"]),
            is_public="Public" in entry["table_access"],
            is_event=entry["is_event"],
            schedule=next(
                (
                    ScheduleSchema(one["function_name"], columns[one["schedule_at_col"]])
                    for one in self._section("Schedules")
                    if one["table_name"] == name
                ),
                None,
            ),
            defaults=tuple(
                (columns[one["col_id"]], bytes.fromhex(one["value"]))
                for one in entry["default_values"]
            ),
        )

    def _view(self, entry: _Json) -> ViewSchema:
        name = entry["source_name"]
        keys = {one["view_source_name"]: one["columns"] for one in self._section("ViewPrimaryKeys")}
        return ViewSchema(
            name=name,
            row_type=self._product(entry["return_type"]["Array"]["Ref"]),
            is_anonymous=entry["is_anonymous"],
            primary_key=keys[name][0] if keys.get(name) else None,
        )

    def _function(self, entry: _Json, lifecycle: Lifecycle | None = None) -> FunctionSchema:
        returns = entry.get("return_type")
        return FunctionSchema(
            name=entry["source_name"],
            params=self.elements(entry["params"]),
            returns=None if returns is None else self._type(returns, None),
            lifecycle=lifecycle,
            is_private=lifecycle is None and "Private" in entry["visibility"],
        )

    def _product(self, reference: int) -> ProductType:
        made = self._reference(reference)
        if not isinstance(made, ProductType):
            raise TypeError(f"type {reference} is no product")
        return made

    def _reference(self, reference: int) -> AlgebraicType:
        made = self._made.get(reference)
        if made is None:
            made = self._type(self._space[reference], self._names.get(reference))
            self._made[reference] = made
        return made

    def _type(self, spelled: _Json, name: str | None) -> AlgebraicType:
        tag = _tag(spelled)
        value = spelled[tag]
        if tag == "Ref":
            return self._reference(value)
        if tag == "Array":
            return ArrayType(self._type(value, None))
        if tag == "Product":
            return self._product_type(self._fields(value["elements"]), name)
        if tag == "Sum":
            return self._sum_type(self._fields(value["variants"]), name)
        return Primitive(tag)

    def _product_type(self, fields: tuple[Field, ...], name: str | None) -> AlgebraicType:
        if not fields and name is None:
            return UNIT
        if len(fields) == 1 and fields[0].name in _SPECIAL:
            return _SPECIAL[fields[0].name]
        if self._classes is None:
            return ProductType(fields, name)
        make = self._classes.product(name, [field.name for field in fields])
        return ProductType(fields, name, make)

    def _sum_type(self, variants: tuple[Field, ...], name: str | None) -> AlgebraicType:
        names = tuple(variant.name for variant in variants)
        if name is None and names == ("some", "none") and variants[1].type == UNIT:
            return OptionType(variants[0].type)
        if name is None and names == ("ok", "err"):
            return ResultType(variants[0].type, variants[1].type)
        if names == ("Interval", "Time") and variants[0].type == TIME_DURATION:
            return SCHEDULE_AT
        if any(variant.type != UNIT for variant in variants):
            return SumType(variants, name)
        if self._classes is None:
            return EnumType(names, name)
        return EnumType(names, name, self._classes.enumeration(name, names))

    def _fields(self, elements: Sequence[_Json]) -> tuple[Field, ...]:
        return tuple(
            Field(element["name"]["some"], self._type(element["algebraic_type"], None))
            for element in elements
        )


def _tag(spelled: Mapping[str, object]) -> str:
    (tag,) = spelled
    return tag


def _index(entry: _Json, columns: Sequence[str]) -> IndexSchema:
    """An index; one that only finds equal values is as good as an ordered one to a client."""
    positions = entry["algorithm"][_tag(entry["algorithm"])]
    positions = [positions] if isinstance(positions, int) else positions
    named = tuple(columns[position] for position in positions)
    accessor = entry["accessor_name"].get("some")
    accessor = None if accessor == "_".join(named) else accessor
    return IndexSchema(entry["source_name"].get("some", ""), named, accessor)
