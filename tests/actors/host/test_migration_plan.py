"""What a module may change over a store, what is refused, and what is said of either."""

from __future__ import annotations

import logging

import orjson
import pytest
from grown import ANNS, HEAD, ONE, V1, V2, fill, module_of, rows, served

from actors.errors import SchemaMismatchError
from actors.host.kind import layout_fingerprint
from actors.module.module import Module
from actors.module.system import SYSTEM_TABLES
from actors.module.tables import declaration_of
from persistence.memory import MemoryDisk

BASE = """
@struct
class Pay:
    coins: u32

@struct
class Spot:
    x: u32

@table(public=True, primary_key="id", auto_increment="id", unique=["code"])
class Item:
    id: u64
    code: str
    hue: Hue
    spot: Spot
    tags: list[Hue]

@table(public=True, event=True)
class Ping:
    text: str

@message(DATABASE)
def pay(ctx: ReducerContext, payload: Pay) -> None:
    pass

@reducer
def put(ctx: ReducerContext, code: str) -> None:
    pass

@procedure
def count_items(ctx: ViewContext) -> u64:
    return 0

@view()
def my_item(ctx: ViewContext) -> list[Item]:
    return []
"""

REFUSED = [
    ("    tags: list[Hue]\n", "", "table item: column tags is gone"),
    ("    spot: Spot\n", "    place: Spot\n", "table item: column spot is gone"),
    (
        "    code: str\n    hue: Hue\n",
        "    hue: Hue\n    code: str\n",
        "table item: its columns are in another order",
    ),
    ("    code: str\n", "    code: u32\n", "table item: column code is U32, and was String"),
    ("x: u32", "x: u32\n    y: u32 = 0", "column spot is {x: U32, y: U32}, and was {x: U32}"),
    ("    tags: list[Hue]\n", "    tags: list[str]\n", "is [String], and was [Red | Green]"),
    ("    tags: list[Hue]\n", "    tags: list[Hue]\n    a: u8\n", "has no default"),
    ("    hue: Hue\n", "    a: u8\n    hue: Hue\n", "column a is new, and not behind"),
    ('primary_key="id", ', 'primary_key="code", ', "its primary key is code, and was id"),
    ('unique=["code"]', 'unique=["code", "hue"]', "column hue is unique by now"),
    ("@table(public=True, p", "@table(event=True, public=True, p", "is one of events by now"),
    ("class Item", "class Thing", "table item: is gone"),
    ("coins: u32", "coins: u64", "message database.pay: is {coins: U64}, and was {coins: U32}"),
]


@pytest.mark.parametrize(("was", "now", "said"), REFUSED)
async def test_a_change_that_rows_or_messages_do_not_survive_is_refused(was, now, said):
    text = BASE.replace('unique=["code"])', 'unique=["code"])')
    assert was in text
    changed = text.replace(was, now).replace(
        "list[Item]", "list[Thing]" if "Thing" in now else "list[Item]"
    )
    if 'primary_key="code"' in changed:
        changed = changed.replace('unique=["code"]', "unique=[]").replace(
            ' auto_increment="id",', ""
        )
    disk = MemoryDisk()
    bench = await served(module_of(text), disk)
    await bench.stop()
    before = dict(disk.meta)
    with pytest.raises(SchemaMismatchError) as caught:
        await served(module_of(changed), disk)
    assert said in str(caught.value)
    assert str(caught.value).startswith("the store holds data of another schema")
    assert disk.meta == before
    await (await served(module_of(text), disk)).stop()


async def test_rows_may_not_be_left_in_actors_that_know_them_no_more():
    disk = MemoryDisk()
    await (await served(V1, disk)).stop()
    moved = module_of(ONE.replace("actor=PERSON", "actor=DATABASE"))
    with pytest.raises(SchemaMismatchError, match="its rows are in actors of kind person"):
        await served(moved, disk)
    both = module_of(
        ONE.replace("class Item", "class Item").replace(
            'unique=["code"], actor=PERSON', 'unique=["code"], actor=(PERSON, DATABASE)'
        )
    )
    await (await served(both, disk)).stop()


async def test_a_table_that_begins_to_count_is_refused():
    disk = MemoryDisk()
    await (await served(V1, disk)).stop()
    counting = module_of(ONE.replace('primary_key="id",', 'primary_key="id", auto_increment="id",'))
    with pytest.raises(SchemaMismatchError, match="column id counts by now"):
        await served(counting, disk)


ALLOWED = [
    ("    GREEN = 1\n", "    GREEN = 1\n    BLUE = 2\n", "column hue has new variants: Blue"),
    ("    text: str\n", "    text: u32\n", "table ping: has other columns"),
    ("public=True, event=True", "public=True", "table ping: keeps its rows by now"),
    ("class Ping", "class Pong", "table ping: is gone"),
    (', unique=["code"]', "", None),
    (', auto_increment="id"', "", None),
    ("@table(public=True, p", "@table(p", "clients may not subscribe to it any more"),
    (
        "def put(ctx: ReducerContext, code: str)",
        "def put(ctx: ReducerContext)",
        "function put: takes",
    ),
    ("def put", "def set", "function put: is gone"),
    ("-> u64", "-> u32", "function count_items: takes or answers something else"),
    ("class Pay", "class Wage", "message database.pay: is gone"),
]


@pytest.mark.parametrize(("was", "now", "said"), ALLOWED)
async def test_other_changes_are_told_and_go_on(was, now, said, caplog):
    caplog.set_level(logging.INFO, "actors.schema")
    assert was in HEAD + BASE
    disk = MemoryDisk()
    await (await served(module_of(BASE), disk)).stop()
    assert not caplog.records
    changed = BASE.replace("payload: Pay", "payload: Wage") if "Wage" in now else BASE
    bench = await served(module_of(changed.replace(was, now), HEAD.replace(was, now)), disk)
    assert said is None or said in caplog.text
    await bench.stop()
    caplog.clear()
    await (await served(bench.module, disk)).stop()
    assert not caplog.records


# Stores of servers that remembered less


def older_meta(module: Module) -> dict[str, bytes]:
    tables = [*module.tables.values(), *map(declaration_of, SYSTEM_TABLES)]
    known = {
        table.name: [number, layout_fingerprint(table)]
        for number, table in enumerate(tables, start=40)
    }
    return {"tables": orjson.dumps(known)}


async def test_a_store_with_fingerprints_alone_is_taken_over():
    disk = MemoryDisk()
    bench = await served(V1, disk)
    numbers = {
        entry.name: entry.id for entry in bench.host.catalogue.kinds["person"].layouts.values()
    }
    await bench.stop()
    disk.meta.clear()
    disk.meta.update(older_meta(V1))
    bench = await served(V1, disk)
    found = {
        entry.name: entry.id for entry in bench.host.catalogue.kinds["person"].layouts.values()
    }
    assert set(found) == set(numbers)
    assert min(found.values()) >= 40
    await fill(bench)
    await bench.stop()
    bench = await served(V2, disk)
    await bench.host.activate([ANNS])
    assert rows(bench, "mark") == [("x", 5), ("y", 5)]
    await bench.stop()


async def test_a_store_with_other_fingerprints_is_refused():
    disk = MemoryDisk()
    disk.meta.update(older_meta(V1))
    with pytest.raises(SchemaMismatchError, match="table item: has other columns"):
        await served(V2, disk)


async def test_a_server_of_before_does_not_take_what_it_would_misread():
    disk = MemoryDisk()
    await (await served(V1, disk)).stop()
    known = orjson.loads(disk.meta["tables"])
    for table in V1.tables.values():
        assert known[table.name][1] != layout_fingerprint(table)
