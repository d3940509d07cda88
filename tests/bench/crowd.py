"""A host in this process with many users: what the benchmarks of the host stand on."""

from __future__ import annotations

import gc
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from actors.claims import Claims
from actors.host import Budget, Host
from actors.module import Module
from actors.module.types import Identity
from persistence.locator import open_store


class Deaf:
    """A sink that hears nothing."""

    def deliver(self, messages: list[bytes]) -> None: ...

    def abort(self, close_code: int, reason: str) -> None:
        raise AssertionError(f"closed with {close_code}: {reason}")


def resident_bytes() -> int:
    """Memory that this process holds now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def claims_of(number: int) -> Claims:
    """Claims of one of many users."""
    return Claims(
        issuer="localhost",
        subject=f"bench-{number}",
        audience=("spacetimedb",),
        identity=Identity((0xC200 << 240) + ((number + 1) << 80)),
        roles=frozenset(("player", "creator")),
        display_name=None,
        locale=None,
        issued_at=0,
        expires_at=None,
        raw_claims_json="{}",
    )


@asynccontextmanager
async def running_host(
    module: str, store_url: str, folder: Path, budget: Budget | None = None
) -> AsyncIterator[Host]:
    """A host as the server sets it up, garbage collector included."""
    store = open_store(store_url, folder)
    await store.open()
    host = Host(
        Module.load(module, fixtures=True),
        store,
        secret=bytes(32),
        clock=lambda: time.time_ns() // 1_000,
        budget=budget,
    )
    gc.set_threshold(50_000, 50, 100)
    await host.start()
    gc.collect()
    gc.freeze()
    try:
        yield host
    finally:
        await host.stop()
        await store.close()
