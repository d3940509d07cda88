"""Versions of one module, and hosts that serve them one after the other over one disk."""

from __future__ import annotations

import sys
import textwrap
import types
from itertools import count

from host_bench import Bench, claims

from actors.keys import ActorKey, user_id_of
from actors.module.module import Module
from persistence.memory import MemoryDisk
from protocol.messages import ReducerOk

ANN, BOB = claims(1), claims(2)
ANNS, BOBS = (ActorKey(f"person/{user_id_of(who.identity)}") for who in (ANN, BOB))

_numbers = count()

HEAD = """
PERSON = ActorKind("person", Audience.CALLER)

class Hue(IntEnum):
    RED = 0
    GREEN = 1
"""
ONE = """
@table(public=True, primary_key="id", unique=["code"], actor=PERSON)
class Item:
    id: u64
    code: str
    hue: Hue

@table(public=True, index=["text"], actor=PERSON)
class Mark:
    text: str

@reducer(actor=PERSON)
def put(ctx: ReducerContext, id: u64, code: str) -> None:
    ctx.db[Item].upsert(Item(id, code, Hue.GREEN))

@reducer(actor=PERSON)
def drop(ctx: ReducerContext, id: u64) -> None:
    ctx.db[Item].delete(id)

@reducer(actor=PERSON)
def inscribe(ctx: ReducerContext, text: str) -> None:
    ctx.db[Mark].insert(Mark(text))

@reducer(actor=PERSON)
def wipe(ctx: ReducerContext, text: str) -> None:
    for row in ctx.db[Mark].filter(text=text):
        ctx.db[Mark].delete_row(row)
"""
TWO = ONE.replace(
    "    hue: Hue\n", "    hue: Hue\n    note: str = 'old'\n    size: u32 | None = 7\n"
).replace("    text: str\n\n@reducer", "    text: str\n    weight: u32 = 5\n\n@reducer")
THREE = (
    TWO.replace("'old'", "'of version three'")
    .replace(
        "    size: u32 | None = 7\n",
        "    size: u32 | None = 8\n    grades: list[u8 | None] = [1]\n",
    )
    .replace("list[u8 | None] = [1]", "str = 'third'")
)


def module_of(text: str, head: str = HEAD) -> Module:
    """A module of a text that may use the public API."""
    name = f"grown_{next(_numbers)}"
    written = types.ModuleType(name)
    sys.modules[name] = written
    preamble = (
        "from __future__ import annotations\nfrom enum import IntEnum\nfrom actors import *\n"
    )
    source = preamble + head + textwrap.dedent(text)
    exec(compile(source, name, "exec"), written.__dict__)
    return Module(name, [written])


V1, V2, V3 = (module_of(text) for text in (ONE, TWO, THREE))


def rows(bench: Bench, table: str, actor: ActorKey = ANNS) -> list[tuple]:
    return [tuple(row) for row in bench.rows(actor, bench.module.tables[table].row)]


async def served(module: Module, disk: MemoryDisk, **options) -> Bench:
    return await Bench(module, disk, **options).start()


async def fill(bench: Bench, who=ANN) -> None:
    peer = await bench.enter(who)
    for call in (("put", 1, "a"), ("put", 2, "b"), ("inscribe", "x"), ("inscribe", "y")):
        assert isinstance(await peer.result(*call), ReducerOk)
    await peer.session.disconnect()
    await bench.settle()
