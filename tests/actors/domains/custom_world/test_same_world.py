"""Story 4 of domain 13, step 2: the same inputs make the same world, whatever stores it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

from agent_bench import SEED
from redis_server import redis_server
from user_bench import SERVICE, START_MICROS, claims
from vale_bench import MODULE, Vale
from worker_bench import Workshop

from actors.host import Host
from persistence import Store, open_store
from persistence.memory import MemoryDisk


class StillClock:
    """Time stands until a test lets it pass, so that a session's ids follow from its inputs."""

    def __init__(self) -> None:
        self.micros = START_MICROS

    def __call__(self) -> int:
        return self.micros


class World(NamedTuple):
    """What was made of the seed."""

    session_id: str
    profile_id: str
    document_hash: str
    document: str


async def made_on(store: Store) -> World:
    """Draft a foundation on a fresh store."""
    vale: Any = Vale(MemoryDisk())
    clock = StillClock()
    await store.open()
    vale.host = Host(MODULE, store, secret=bytes(32), clock=clock)
    await vale.host.start()
    try:
        player = await vale.enter(claims(1))
        bench = Workshop(vale, player, await vale.enter(SERVICE))
        await bench.create(SEED, "en")
        await bench.ended()
        clock.micros += 1_000_000
        await bench.done("draft_foundation", replace=False)
        compiled = await player.ask("compile_published_profile_and_return", bench.session_id, None)
        (preview,) = bench.rows_of("custom_world_result_preview")
        assert preview.document_hash == compiled.document_hash
        clock.micros += 1_000_000
        await bench.done("sync_result_profile")
        profile_id = bench.session.result_profile_id
        assert profile_id is not None
        return World(bench.session_id, profile_id, compiled.document_hash, compiled.document)
    finally:
        await vale.host.stop()
        await store.close()


async def test_equal_inputs_make_equal_worlds_on_every_store(tmp_path: Path) -> None:
    worlds = [await made_on(open_store("sqlite", tmp_path))]
    with redis_server(tmp_path / "redis", "--appendfsync", "always") as redis:
        worlds.append(await made_on(open_store(redis.url, tmp_path)))
    worlds.append(await made_on(open_store("memory:", tmp_path)))
    assert len(set(worlds)) == 1
    assert len(worlds[0].document_hash) == 64
