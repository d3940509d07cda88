"""Domain 5.5: whatever changes an affinity, it keeps its bounds, its stage and fair prices."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.domains.domain_types import EntityLevelKind, HostileRank
from actors.domains.gameplay.npc import NpcState, RelationStage, relation_stage, with_affinity
from actors.domains.rules.items import CORE_ITEMS
from actors.domains.rules.progression import profile_at_level
from actors.domains.rules.trade import buy_price, sell_price
from actors.module.types import Timestamp

ANYONE = NpcState(
    npc_state_id="ss_1.n.scout",
    story_session_id="ss_1",
    npc_key="scout",
    npc_name="Scout Wren",
    scene_key="mill",
    affinity=0,
    relation_stage=RelationStage.NEUTRAL,
    talk_count=0,
    talk_count_this_visit=0,
    gifts_given=0,
    help_used_chapter=0,
    recruitable=True,
    recruited=False,
    spar_wins=0,
    revealed_facts=[],
    trade_stock=[],
    stock_turn=0,
    level_profile=profile_at_level("scout", HostileRank.STANDARD, 1, EntityLevelKind.NPC),
    version=1,
    created_at=Timestamp(0),
    updated_at=Timestamp(0),
)


@pytest.mark.parametrize(
    ("affinity", "stage"),
    [
        (-100, RelationStage.HOSTILE),
        (-40, RelationStage.HOSTILE),
        (-39, RelationStage.WARY),
        (-10, RelationStage.WARY),
        (-9, RelationStage.NEUTRAL),
        (19, RelationStage.NEUTRAL),
        (20, RelationStage.FRIENDLY),
        (49, RelationStage.FRIENDLY),
        (50, RelationStage.TRUSTED),
        (79, RelationStage.TRUSTED),
        (80, RelationStage.BONDED),
        (100, RelationStage.BONDED),
    ],
)
def test_stages(affinity: int, stage: RelationStage) -> None:
    assert relation_stage(affinity) is stage


@given(st.lists(st.integers(-250, 250), max_size=20), st.sampled_from(sorted(CORE_ITEMS)))
def test_an_affinity_keeps_its_bounds(deltas: list[int], item_id: str) -> None:
    npc, value = ANYONE, CORE_ITEMS[item_id].value_coins
    for delta in deltas:
        after = with_affinity(npc, delta)
        assert -100 <= after.affinity <= 100
        assert (after.affinity - npc.affinity) * delta >= 0
        assert abs(after.affinity - npc.affinity) <= abs(delta)
        assert after.relation_stage is relation_stage(after.affinity)
        assert buy_price(value, after.affinity) >= value >= sell_price(value, after.affinity)
        npc = after
