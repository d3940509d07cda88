"""What a stopped server left in its store: every actor's rows and every record of its journal."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from served import DATABASE

from actors.host.catalogue import Catalogue
from actors.host.core import ActorCore, Shared
from actors.keys import ActorKey
from actors.module.module import Module
from persistence import open_store
from persistence.record import Record, decode_record

_ACTORS_MAX = 10_000


class StoredActor(NamedTuple):
    """One actor as it would be activated: its rows, and the records since its checkpoint."""

    seq: int
    base_seq: int
    rows: Callable[[type], list[Any]]
    tail: list[Record]
    layouts: Any


async def read_actors(
    module: Module, data_dir: Path, url: str = "sqlite"
) -> dict[str, StoredActor]:
    """Read all actors of a stopped server; fails when a journal is damaged or has a gap."""
    store = open_store(url, data_dir, name=DATABASE)
    await store.open()
    try:
        catalogue = await Catalogue.compile(module, store)
        names = await store.actors("", "", _ACTORS_MAX)
        assert len(names) < _ACTORS_MAX
        snapshots = await store.load(names)
    finally:
        await store.close()
    found = {}
    for name, snapshot in zip(names, snapshots, strict=True):
        if isinstance(snapshot, Exception):
            raise snapshot
        kind = name.partition("/")[0]
        if kind not in catalogue.kinds:
            continue  # what the server keeps for itself beside the module
        runtime = catalogue.kinds[kind]
        core = ActorCore(ActorKey(name), runtime, Shared(bytes(32), catalogue.messages, None))
        core.recover(snapshot)
        tail = [decode_record(record) for record in snapshot.tail]
        expected = list(range(snapshot.base_seq + 1, snapshot.base_seq + 1 + len(tail)))
        assert [record.seq for record in tail] == expected, f"{name} has a gap"
        rows = core.database

        def rows_of(table: type, rows: Any = rows) -> list[Any]:
            return list(rows[table])

        found[name] = StoredActor(core.seq, snapshot.base_seq, rows_of, tail, runtime.layouts_by_id)
    return found
