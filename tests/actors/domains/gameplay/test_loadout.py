from __future__ import annotations

from lineage import HERB, LINEAGE, backpack, container, grant
from user_bench import STORY_ACTOR, UserBench, only

from actors.domains.domain_types import GrantSource, ItemGrant, ItemMods
from actors.domains.gameplay.inventory import ContainerKind, InventorySlot
from actors.domains.messages import EnterChapter, Loadout, ReleaseLoadout, RequestLoadout
from actors.domains.rules.progression import plan_chapter

BATTLE = "ss_1.bt_1"


def request(bench: UserBench, battle: str = BATTLE, chapter: str | None = None) -> Loadout:
    return only(bench.tell(RequestLoadout(battle, LINEAGE, chapter)))


def locks(bench: UserBench) -> list[str | None]:
    return [row.locked_by for row in container(bench, ContainerKind.BACKPACK)]


def test_an_empty_backpack_brings_a_level_only(bench: UserBench) -> None:
    answer = request(bench)
    assert bench.outlet.posted[-1].dst_actor == STORY_ACTOR
    assert answer == Loadout(BATTLE, bench.user_id, 1, 1, [], [])
    assert bench.tell(ReleaseLoadout(BATTLE, LINEAGE, [])) == []


def test_the_belt_is_locked_and_listed_by_item(bench: UserBench) -> None:
    grant(bench, HERB, 25)
    grant(bench, "core_blade_t1", 1)
    grant(bench, "core_smoke_bomb", 2)
    answer = request(bench)
    assert answer.belt == [ItemGrant(HERB, 25), ItemGrant("core_smoke_bomb", 2)]
    assert locks(bench) == [BATTLE, BATTLE, None, BATTLE]
    assert request(bench) == answer


def test_six_stacks_are_the_most(bench: UserBench) -> None:
    grant(bench, HERB, 130)
    assert request(bench).belt == [ItemGrant(HERB, 120)]
    assert locks(bench) == [BATTLE] * 6 + [None]


def test_another_battle_gets_what_is_not_locked(bench: UserBench) -> None:
    grant(bench, HERB, 5)
    request(bench)
    assert request(bench, "ss_2.bt_1").belt == []


def test_worn_gear_and_the_bounded_level_come_along(bench: UserBench) -> None:
    grant(bench, "core_blade_t1", 1)
    bench.call("equip_item", LINEAGE, 0)
    bench.tell(EnterChapter("ss_1", LINEAGE, "cwp_1", "cwp_1:c1", plan_chapter(5, 1)))
    bench.serve("grant_player_progression_experience", 28_348, GrantSource.ADMIN, "g", None)
    answer = request(bench, chapter="cwp_1:c1")
    assert (answer.level, answer.effective_level) == (20, 7)
    assert answer.equipment == [ItemMods(3, 0, 0, 0, 0)]
    assert request(bench).effective_level == 20


def test_release_takes_what_was_used_and_unlocks_the_rest(bench: UserBench) -> None:
    grant(bench, HERB, 25)
    request(bench)
    release = ReleaseLoadout(BATTLE, LINEAGE, [ItemGrant(HERB, 7)])
    bench.tell(release)
    assert backpack(bench) == [(0, HERB, 18)]
    assert locks(bench) == [None]
    bench.tell(release)
    assert backpack(bench) == [(0, HERB, 18)]


def test_everything_may_be_used_up(bench: UserBench) -> None:
    grant(bench, HERB, 2)
    request(bench)
    bench.tell(ReleaseLoadout(BATTLE, LINEAGE, [ItemGrant(HERB, 2)]))
    assert bench.rows(InventorySlot) == []
