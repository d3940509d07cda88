"""Append throughput and latency of every store, per size of batch, one batch per turn of the loop.

``python tests/bench/store_bench.py`` starts Redis servers of its own. Each batch has one record of
200 bytes for each of so many actors, and up to ``WINDOW`` batches wait for durability at once.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
import uvloop
from rich.console import Console
from rich.table import Table

from persistence import Append, RowChange, Store, encode_record, open_store

sys.path.insert(0, str(Path(__file__).parents[1]))
from redis_server import redis_server

SIZES = (1, 10, 100, 1_000)
WINDOW = 64
ROW_BYTES = 140


@contextmanager
def location(kind: str, folder: Path) -> Iterator[str]:
    """URL of a fresh store of a kind."""
    if not kind.startswith("redis"):
        yield {"memory": "memory:", "sqlite": "sqlite"}[kind]
        return
    with redis_server(folder / "redis", "--appendfsync", kind.partition(" ")[2]) as server:
        yield server.url


async def measure(store: Store, size: int, seconds: float) -> tuple[float, float, float]:
    """Records per second, and the median and the 99th percentile of a batch's milliseconds."""
    await store.open()
    names = [f"user/{number:06d}" for number in range(size)]
    row = RowChange(1, b"k", bytes(ROW_BYTES))
    latencies: list[float] = []
    slots = asyncio.Semaphore(WINDOW)
    began = time.perf_counter()
    seq = 0
    while time.perf_counter() - began < seconds:
        await slots.acquire()
        seq += 1
        record = encode_record(seq, seq, "call", b"", b"", [row])
        batch = [Append(name, seq, record, None) for name in names]

        def done(error: Exception | None, since: float = time.perf_counter()) -> None:
            assert error is None, error
            latencies.append(time.perf_counter() - since)
            slots.release()

        store.append(batch, done)
        await asyncio.sleep(0)
    await store.reset()
    took = time.perf_counter() - began
    await store.close()
    latencies.sort()
    middle, late = (latencies[int(len(latencies) * part)] * 1000 for part in (0.5, 0.99))
    return seq * size / took, middle, late


def main(
    seconds: Annotated[float, typer.Option(help="Seconds per measurement.")] = 3.0,
    kinds: Annotated[str, typer.Option(help="Stores, with commas between.")] = (
        "memory,sqlite,redis always,redis everysec"
    ),
) -> None:
    """Measure appends."""
    table = Table(title="Records/s, and ms until a batch is durable (median, 99th percentile)")
    table.add_column("store")
    for size in SIZES:
        table.add_column(f"batches of {size:,}", justify="right")
    for kind in kinds.split(","):
        cells = []
        for size in SIZES:
            with tempfile.TemporaryDirectory() as folder, location(kind, Path(folder)) as url:
                store = open_store(url, Path(folder))
                found = uvloop.run(measure(store, size, seconds))
                cells.append("{:,.0f}  {:.1f} / {:.1f}".format(*found))
        table.add_row(kind, *cells)
    Console(width=130).print(table)


if __name__ == "__main__":
    typer.run(main)
