"""The official tools' rules for a module definition, held against its JSON alone (spec 13.3)."""

from __future__ import annotations

import re
import unicodedata
from typing import Any

_SPECIAL = {
    frozenset({"__identity__"}),
    frozenset({"__connection_id__"}),
    frozenset({"__timestamp_micros_since_unix_epoch__"}),
    frozenset({"__time_duration_micros__"}),
    frozenset({"__uuid__"}),
}
_SUMS = {("some", "none"), ("ok", "err"), ("Interval", "Time")}
_SCALARS = {
    *("Bool", "String", "F32", "F64"),
    *(f"{sign}{bits}" for sign in "UI" for bits in (8, 16, 32, 64, 128, 256)),
}
_SCHEDULE_AT = ("Interval", "Time")
_SECTIONS = {
    *("Typespace", "Types", "Tables", "Reducers", "Procedures", "Views", "Schedules"),
    *("LifeCycleReducers", "RowLevelSecurity", "CaseConversionPolicy", "ExplicitNames"),
    *("ViewPrimaryKeys", "HttpHandlers", "HttpRoutes", "Submodules"),
}


def check_definition(wrapped: dict[str, Any]) -> None:
    """Fail on the first rule that is broken."""
    ((version, definition),) = wrapped.items()
    if version == "V10":
        definition = _as_v9(definition)
    checker = _Checker(definition)
    checker.check_types()
    checker.check_tables()
    checker.check_functions()


def _as_v9(definition: dict[str, Any]) -> dict[str, Any]:
    """The sections of version 10 under the names of version 9."""
    assert definition.keys() == {"sections"}
    sections: dict[str, Any] = {}
    for section in definition["sections"]:
        ((name, content),) = section.items()
        assert name in _SECTIONS
        assert name not in sections, f"{name} is there twice"
        sections[name] = content
    assert sections["CaseConversionPolicy"] == {"None": []}, "else names change on the wire"
    schedules = {
        one["table_name"]: {
            "name": one["source_name"],
            "reducer_name": one["function_name"],
            "scheduled_at_column": one["schedule_at_col"],
        }
        for one in sections.get("Schedules", ())
    }
    hooks = {one["function_name"]: one["lifecycle_spec"] for one in sections["LifeCycleReducers"]}
    for reducer in sections["Reducers"]:
        assert reducer["ok_return_type"] == {"Product": {"elements": []}}
        assert reducer["err_return_type"] == {"String": []}
        assert reducer["visibility"] in ({"Private": []}, {"ClientCallable": []})
    views = {one["source_name"]: one for one in sections["Views"]}
    for key in sections["ViewPrimaryKeys"]:
        assert key["view_source_name"] in views
        assert len(key["columns"]) == 1
    return {
        "typespace": sections["Typespace"],
        "types": [
            {**one, "name": {"scope": [], "name": one["source_name"]["source_name"]}}
            for one in sections["Types"]
        ],
        "tables": [
            {
                **{key: table[key] for key in table.keys() - _V10_TABLE},
                "name": table["source_name"],
                "indexes": [_named(one) for one in table["indexes"]],
                "constraints": [_named(one) for one in table["constraints"]],
                "sequences": [_named(one) for one in table["sequences"]],
                "schedule": {"some": schedules[table["source_name"]]}
                if table["source_name"] in schedules
                else {"none": []},
            }
            for table in sections["Tables"]
        ],
        "reducers": [
            {
                "name": one["source_name"],
                "params": one["params"],
                "lifecycle": {"some": hooks[one["source_name"]]}
                if one["source_name"] in hooks
                else {"none": []},
            }
            for one in sections["Reducers"]
        ],
        "misc_exports": [
            *({"Procedure": {**one, "name": one["source_name"]}} for one in sections["Procedures"]),
            *({"View": {**one, "name": one["source_name"]}} for one in sections["Views"]),
        ],
        "row_level_security": [],
    }


_V10_TABLE = {"source_name", "default_values", "is_event", "indexes", "constraints", "sequences"}


def _named(part: dict[str, Any]) -> dict[str, Any]:
    return {"name": part["source_name"], **{k: v for k, v in part.items() if k != "source_name"}}


class _Checker:
    def __init__(self, definition: dict[str, Any]) -> None:
        assert definition.keys() == {
            *("typespace", "tables", "reducers", "types", "misc_exports", "row_level_security"),
        }
        self.definition = definition
        self.space = definition["typespace"]["types"]

    def check_types(self) -> None:
        entries = self.definition["types"]
        named = {entry["ty"] for entry in entries}
        names = [entry["name"]["name"] for entry in entries]
        assert len(set(names)) == len(names)
        for entry in entries:
            assert entry["custom_ordering"] is True
            check_identifier(entry["name"]["name"])
        for position, type_ in enumerate(self.space):
            ((sort, content),) = type_.items()
            assert position in named, f"type {position} has no name"
            for part in content["elements" if sort == "Product" else "variants"]:
                check_identifier(part["name"]["some"])
                self.check_use(part["algebraic_type"])

    def check_use(self, type_: dict[str, Any]) -> None:
        """A type where it is used: a reference, or one of those that may stand inline."""
        ((sort, content),) = type_.items()
        if sort == "Ref":
            assert 0 <= content < len(self.space)
        elif sort == "Array":
            self.check_use(content)
        elif sort == "Product":
            names = frozenset(one["name"]["some"] for one in content["elements"])
            assert not names or names in _SPECIAL, f"{set(names)} stands inline"
        elif sort == "Sum":
            names = tuple(one["name"]["some"] for one in content["variants"])
            assert names in _SUMS, f"{names} stands inline"
            for variant in content["variants"]:
                self.check_use(variant["algebraic_type"])
        else:
            assert sort in _SCALARS
            assert content == []

    def columns(self, reference: int) -> list[dict[str, Any]]:
        return self.space[reference]["Product"]["elements"]

    def check_tables(self) -> None:
        names = []
        for table in self.definition["tables"]:
            check_identifier(table["name"])
            columns = self.columns(table["product_type_ref"])
            indexed = self.check_indexes(table, columns)
            unique = self.check_constraints(table, columns, indexed)
            assert len(table["primary_key"]) <= 1
            for position in table["primary_key"]:
                assert frozenset({position}) in unique, "a primary key is unique"
            self.check_sequences(table, columns)
            self.check_schedule(table, columns)
            assert table["table_type"] == {"User": []}
            assert table["table_access"] in ({"Public": []}, {"Private": []})
            names += [table["name"], *(one["name"]["some"] for one in table["indexes"])]
        names += [
            export["View"]["name"] for export in self.definition["misc_exports"] if "View" in export
        ]
        assert len(set(names)) == len(names), "tables, views and indexes share their names"

    def check_indexes(self, table: dict[str, Any], columns: list[Any]) -> set[frozenset[int]]:
        found = set()
        for index in table["indexes"]:
            positions = index["algorithm"]["BTree"]
            assert positions
            assert len(set(positions)) == len(positions)
            joined = "_".join(columns[position]["name"]["some"] for position in positions)
            assert index["name"] == {"some": f"{table['name']}_{joined}_idx_btree"}
            check_identifier(index["accessor_name"]["some"])
            found.add(frozenset(positions))
        return found

    def check_constraints(
        self, table: dict[str, Any], columns: list[Any], indexed: set[frozenset[int]]
    ) -> set[frozenset[int]]:
        found = set()
        for constraint in table["constraints"]:
            positions = constraint["data"]["Unique"]["columns"]
            joined = "_".join(columns[position]["name"]["some"] for position in positions)
            assert constraint["name"] == {"some": f"{table['name']}_{joined}_key"}
            assert frozenset(positions) in indexed, "what is unique has an index"
            found.add(frozenset(positions))
        return found

    def check_sequences(self, table: dict[str, Any], columns: list[Any]) -> None:
        for sequence in table["sequences"]:
            column = columns[sequence["column"]]
            name = f"{table['name']}_{column['name']['some']}_seq"
            assert sequence["name"] == {"some": name}
            (sort,) = column["algebraic_type"]
            assert re.fullmatch(r"[UI]\d+", sort)
            assert sequence["increment"] == 1

    def check_schedule(self, table: dict[str, Any], columns: list[Any]) -> None:
        schedule = table["schedule"].get("some")
        if schedule is None:
            return
        (key,) = table["primary_key"]
        assert columns[key]["algebraic_type"] == {"U64": []}
        moment = columns[schedule["scheduled_at_column"]]["algebraic_type"]["Sum"]["variants"]
        assert tuple(one["name"]["some"] for one in moment) == _SCHEDULE_AT
        functions = {one["name"]: one for one in self.functions()}
        (argument,) = functions[schedule["reducer_name"]]["params"]["elements"]
        assert argument["algebraic_type"] == {"Ref": table["product_type_ref"]}

    def functions(self) -> list[dict[str, Any]]:
        exports = self.definition["misc_exports"]
        procedures = [one["Procedure"] for one in exports if "Procedure" in one]
        return [*self.definition["reducers"], *procedures]

    def check_functions(self) -> None:
        views = [one["View"] for one in self.definition["misc_exports"] if "View" in one]
        names = [one["name"] for one in (*self.functions(), *views)]
        assert len(set(names)) == len(names), "functions share one name space"
        for function in (*self.functions(), *views):
            check_identifier(function["name"])
            for argument in function["params"]["elements"]:
                check_identifier(argument["name"]["some"])
                self.check_use(argument["algebraic_type"])
            if "return_type" in function:
                self.check_use(function["return_type"])
        for anonymous in (True, False):
            numbers = [view["index"] for view in views if view["is_anonymous"] is anonymous]
            assert numbers == list(range(len(numbers)))
        hooks = [
            one["lifecycle"]["some"]
            for one in self.definition["reducers"]
            if "some" in one["lifecycle"]
        ]
        assert len({next(iter(hook)) for hook in hooks}) == len(hooks)


def check_identifier(name: str) -> None:
    assert name.isidentifier(), name
    assert unicodedata.normalize("NFC", name) == name
