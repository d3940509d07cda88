"""Domain 13.1, all of it, with the official SDK against a server that is killed at the end."""

from __future__ import annotations

import asyncio
import struct

import pytest
from node_programs import private_tables, run, running
from served import serving
from stored import read_actors

from actors.domains.gameplay.combat import BattleSecret
from actors.domains.gameplay.story import StorySecret
from actors.module.module import Module

pytestmark = [pytest.mark.node, pytest.mark.usefixtures("node")]

GAME = "actors.domains.entry"


def seeds_ever(module: Module, data_dir) -> set[int]:
    """Every state that a stream of chance was ever in, from the whole journal."""
    seeds = set()
    for actor in asyncio.run(read_actors(module, data_dir)).values():
        assert actor.base_seq == 0, "the journal is still whole"
        for record in actor.tail:
            for change in record.changes:
                layout = actor.layouts[change.table_id]
                if layout.row not in (BattleSecret, StorySecret) or change.row is None:
                    continue
                row = layout.decode(change.row, 0)[0]
                if layout.row is BattleSecret:
                    seeds.add(row.rng_state)
                else:
                    seeds.update((row.loot_seed, row.stock_seed))
    return seeds


def test_story_one(tmp_path, protocol):
    module = Module.load(GAME, fixtures=True)
    heard = tmp_path / "heard"
    with serving(GAME, tmp_path / "data", "--dev-fixtures") as server:
        with running(
            "story_one",
            server,
            protocol,
            SERVICE_TOKEN=server.token("service"),
            PRIVATE_TABLES=private_tables(module),
            HEARD=str(heard),
        ) as program:
            before = program.next()
            server.kill()
            program.finish()
        received = heard.read_bytes()
        seeds = seeds_ever(module, server.data_dir)
        assert len(seeds) > 5
        assert before["rows"]["battleState"][0]["battleStateId"].encode() in received
        for seed in seeds:
            assert struct.pack("<Q", seed) not in received
        server.start()
        after = run(
            "story_one", server, protocol, TOKEN=before["token"], STRANGER=before["stranger"]
        )
        assert after["rows"].pop("userAccount")[0].pop("lastSeenAt")
        assert before["rows"].pop("userAccount")[0].pop("lastSeenAt")
        assert after["rows"] == before["rows"]
        assert len(after["rows"]["battleCombatant"]) == 4
        server.stop()
        assert "Traceback" not in server.log()
