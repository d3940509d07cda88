"""Scheduled tables and defaults: what is declared, what is refused, what clients are told."""

from __future__ import annotations

import itertools
import json
import sys
import textwrap
import types

import orjson
import pytest

from actors.errors import DeclarationError
from actors.module.module import Module
from protocol.schema_json import to_v9_json, to_v10_json
from protocol.typescript import generate

_numbers = itertools.count()

GOOD = """
@table(primary_key="id", auto_increment="id", scheduled="fire")
class Fuse:
    id: u64
    at: ScheduleAt
    text: str

@reducer
def fire(ctx: ReducerContext, fuse: Fuse) -> None: ...
"""


def module_of(text: str) -> Module:
    name = f"scheduling_{next(_numbers)}"
    written = types.ModuleType(name)
    sys.modules[name] = written
    preamble = "from __future__ import annotations\nfrom actors import *\n"
    exec(compile(preamble + textwrap.dedent(text), name, "exec"), written.__dict__)
    return Module(name, [written])


def test_a_scheduled_table_is_told_with_its_private_reducer():
    schema = module_of(GOOD).schema
    (table,) = schema.tables
    assert table.schedule == ("fire", "at")
    (fire,) = schema.reducers
    assert fire.is_private
    (v9,) = to_v9_json(schema)["tables"]
    assert v9["schedule"]["some"]["reducer_name"] == "fire"
    sections = {}
    for section in to_v10_json(schema)["sections"]:
        sections.update(section)
    assert sections["Schedules"][0]["function_name"] == "fire"
    assert sections["Reducers"][0]["visibility"] == {"Private": []}


def test_bindings_have_neither_private_tables_nor_scheduled_reducers():
    public = GOOD.replace("(primary", "(public=True, primary")
    for text, is_there in ((public, True), (GOOD, False)):
        files = generate(module_of(text).schema)
        assert ("fuse_table.ts" in files) is is_there
        assert "fire_reducer.ts" not in files
        assert '"fire"' not in files["index.ts"]


def test_the_reducer_may_be_named_by_itself_and_come_first():
    table, reducer = GOOD.split("@reducer")
    text = "@reducer" + reducer + table.replace('"fire"', "fire")
    module = module_of(text)
    assert list(module.schedules) == ["fuse"]
    assert module.reducers == {}


CONTRADICTIONS = {
    "no such reducer": ("def fire", "def burn", "schedules fire, which is no reducer"),
    "no key": ('primary_key="id", auto_increment="id", ', "", "needs a primary key of type u64"),
    "a key of another type": ("id: u64", "id: u32", "needs a primary key of type u64"),
    "no time": ("at: ScheduleAt", "at: Timestamp", "needs one column of type ScheduleAt"),
    "two times": ("text: str", "to: ScheduleAt", "needs one column of type ScheduleAt"),
    "events": ("(primary", "(event=True, primary", "gone before they are due"),
    "no slot at all": ("(primary", "(catch_up=0, primary", "fires once at least"),
    "no row": ("fuse: Fuse", "fuse: u32", "it takes its row"),
    "more than the row": ("fuse: Fuse", "fuse: Fuse, more: u32", "it takes its row"),
    "an answer": ("-> None", "-> u32", "alone: it answers nothing"),
    "roles": ("@reducer", "@reducer(roles=['admin'])", "alone: it answers nothing"),
    "a rate": ("@reducer", "@reducer(rate=Rate('r', 1, 1))", "alone: it answers nothing"),
    "another home": ("@reducer", "@reducer(actor=ActorKind('shed'))", "rows of fuse are in actors"),
}


@pytest.mark.parametrize("case", CONTRADICTIONS)
def test_what_cannot_be_scheduled_is_refused(case):
    was, now, said = CONTRADICTIONS[case]
    assert was in GOOD
    with pytest.raises(DeclarationError, match=said):
        module_of(GOOD.replace(was, now, 1))


# Defaults

DEFAULTS = """
@table(public=True, primary_key="id", auto_increment="id", unique=["code"])
class Item:
    id: u64
    name: str
    code: u32 = 0
    note: str | None = None
    size: u32 = 258
"""


def test_defaults_are_told_in_bsatn_but_not_those_of_keys():
    schema = module_of(DEFAULTS).schema
    assert schema.tables[0].defaults == (("note", b"\1"), ("size", b"\2\1\0\0"))
    v9 = json.loads(orjson.dumps(to_v9_json(schema)))
    assert v9["misc_exports"] == [
        {"ColumnDefaultValue": {"table": "item", "col_id": 3, "value": "01"}},
        {"ColumnDefaultValue": {"table": "item", "col_id": 4, "value": "02010000"}},
    ]
    v10 = json.loads(orjson.dumps(to_v10_json(schema)))
    tables = next(section["Tables"] for section in v10["sections"] if "Tables" in section)
    assert tables[0]["default_values"] == [
        {"col_id": 3, "value": "01"},
        {"col_id": 4, "value": "02010000"},
    ]


def test_a_default_that_is_no_value_of_its_column_is_refused():
    with pytest.raises(DeclarationError, match=r"default of item\.size"):
        _ = module_of(DEFAULTS.replace("258", "-1")).schema
