"""Domain 1.3: a playthrough is the same in every process, whatever its hash seed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

_HERE = Path(__file__).resolve().parent

_PLAYTHROUGH = """
import asyncio, hashlib, sys
sys.path[:0] = sys.argv[1:]
from actors.domains.gameplay.combat import BattleState
from actors.domains.gameplay.npc import NpcState
from actors.domains.gameplay.story import StoryFunction
from vale_bench import playing

async def play():
    async with playing() as player:
        await player.call("accept_quest", player.story_id, f"{player.story_id}.q.meet_scout")
        (smith,) = (row for row in player.story_rows(NpcState) if row.npc_key == "smith")
        entry = min(smith.trade_stock, key=lambda each: (each.unit_price, each.item_id))
        price = entry.unit_price
        await player.call("trade_with_npc", player.story_id, "smith", 0, entry.item_id, 1, price)
        await player.choose(StoryFunction.TRAVEL, "mill")
        await player.call("talk_to_npc", player.story_id, "scout")
        await player.call("resolve_treasure_interaction", player.story_id, "mill_chest", 1)
        await player.choose(StoryFunction.FIGHT, "slime_pack")
        (row,) = player.story_rows(BattleState)
        await player.fight_out(await player.battle(row.battle_state_id))
        await player.choose(StoryFunction.TRAVEL, "square")
        await player.choose(StoryFunction.TURN_IN_QUEST, "clear_mill")
        await player.choose(StoryFunction.ADVANCE_CHAPTER)
        return repr(sorted(player.vale.all_rows().items()))

print(hashlib.sha256(asyncio.run(play()).encode()).hexdigest())
"""


def _digest(hash_seed: str) -> str:
    paths = [str(_HERE), str(_HERE.parents[2])]
    done = subprocess.run(
        [sys.executable, "-c", _PLAYTHROUGH, *paths],
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        cwd=_HERE.parents[2],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_hash_seeds_change_no_row() -> None:
    digests = {_digest(seed) for seed in ("0", "4242")}
    assert len(digests) == 1
    assert len(digests.pop()) == 64
