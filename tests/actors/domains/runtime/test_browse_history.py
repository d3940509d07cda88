from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from user_bench import UserBench, claims, only
from vale_bench import PROFILE, Player, RefusedError, Vale, running_vale

from actors.domains.custom_world.gallery import CustomWorldGalleryEntry, Moderation
from actors.domains.domain_types import ThemeMode, WorkCard, WorkRef, WorldKind
from actors.domains.kinds import CATALOG
from actors.domains.messages import DescribeWorks, WorksDescribed
from actors.domains.runtime.browse_history import BrowseVisit, UserBrowseHistory
from actors.domains.runtime.refusals import Refusal
from actors.errors import ReducerError
from actors.module.types import replace

SHARD = CATALOG.key("0")
KIND = WorldKind.CUSTOM_WORLD


def key(world: object) -> str:
    return f"custom_world:{world}"


def card(world: object, name: str = "What the client says") -> WorkCard:
    return WorkCard(
        key(world), KIND, "u_owner", str(world), name, "", "", None, ThemeMode.LIGHT, ""
    )


def start(bench: UserBench, *worlds: object) -> DescribeWorks:
    """Begin a visit; answers what the catalog is asked."""
    before = len(bench.sent())
    bench.call("upsert_browse_history", None, [card(world) for world in worlds])
    return only(bench.sent(before))


def answer(bench: UserBench, asked: DescribeWorks, *missing: object) -> None:
    """Answer as a catalog that has every work but these."""
    known = [card(work.work_id, "What the catalog says") for work in asked.works]
    lost = {key(world) for world in missing}
    left = [work for work in known if work.world_key not in lost]
    bench.tell(WorksDescribed(asked.visit_id, left), SHARD)


def visit(bench: UserBench, *worlds: object) -> None:
    answer(bench, start(bench, *worlds))


def listed(bench: UserBench, limit: int | None = 100, before: int | None = None) -> list[str]:
    rows = bench.read("list_browse_history", None, limit, before)
    return [row.profile_id for row in rows]


def refusal(bench: UserBench, entries: Sequence[WorkCard]) -> ReducerError:
    with pytest.raises(ReducerError) as refused:
        bench.call("upsert_browse_history", None, list(entries))
    assert bench.rows(BrowseVisit) == []
    return refused.value


def test_the_catalog_is_asked_and_its_words_are_entered(bench: UserBench) -> None:
    asked = start(bench, "w1", "w2")
    assert asked.works == [WorkRef(KIND, "w1"), WorkRef(KIND, "w2")]
    assert bench.rows(UserBrowseHistory) == []
    answer(bench, asked)
    rows = bench.rows(UserBrowseHistory)
    assert [row.browse_history_id for row in rows] == [
        f"{bench.user_id}:custom_world:w1",
        f"{bench.user_id}:custom_world:w2",
    ]
    row = rows[0]
    assert (row.user_id, row.world_name, row.visit_count) == (
        bench.user_id,
        "What the catalog says",
        1,
    )
    assert row.visited_at == row.created_at == row.updated_at > 0
    assert bench.rows(BrowseVisit) == []


def test_visiting_again_moves_to_the_front(bench: UserBench) -> None:
    for world in ("w1", "w2", "w3", "w1"):
        visit(bench, world)
    assert listed(bench) == ["w1", "w3", "w2"]
    first = bench.rows(UserBrowseHistory)[0]
    assert (first.profile_id, first.visit_count) == ("w1", 2)
    assert first.created_at < first.visited_at == first.updated_at


def test_world_101_takes_the_place_of_the_oldest(bench: UserBench) -> None:
    for number in range(101):
        visit(bench, f"w{number}")
    rows = listed(bench)
    assert len(rows) == 100
    assert (rows[0], rows[-1]) == ("w100", "w1")
    visit(bench, "w1")
    assert listed(bench)[:2] == ["w1", "w100"]
    assert len(listed(bench)) == 100


def test_of_equally_old_worlds_the_lowest_id_goes_first(bench: UserBench) -> None:
    visit(bench, *(f"old{number:02}" for number in range(20)))
    for batch in range(4):
        visit(bench, *(f"new{batch}{number:02}" for number in range(20)))
    visit(bench, "one", "two")
    old = [world for world in listed(bench) if world.startswith("old")]
    assert old == [f"old{number:02}" for number in range(19, 1, -1)]


def test_a_world_of_the_batch_is_not_evicted_for_the_batch(bench: UserBench) -> None:
    for number in range(100):
        visit(bench, f"w{number}")
    visit(bench, "new", "w0")
    rows = {row.profile_id: row for row in bench.rows(UserBrowseHistory)}
    assert len(rows) == 100
    assert rows["w0"].visit_count == 2
    assert "w1" not in rows


@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("visit"), st.lists(st.integers(0, 120), min_size=1, max_size=20)),
            st.tuples(st.just("refuse"), st.lists(st.integers(0, 120), min_size=1, max_size=3)),
            st.tuples(st.just("delete"), st.lists(st.integers(0, 120), min_size=1, max_size=1)),
            st.tuples(st.just("clear"), st.just([])),
        ),
        max_size=25,
    )
)
def test_the_history_is_a_dictionary_with_a_limit(steps: list[tuple[str, list[int]]]) -> None:
    bench = UserBench()
    model: dict[str, tuple[int, int]] = {}  # world: (step of the last visit, visits)
    for now, (step, worlds) in enumerate(steps):
        if step == "visit":
            visit(bench, *worlds)
            for world in map(str, worlds):
                model[world] = (now, model.get(world, (0, 0))[1] + 1)
            oldest_first = sorted(model, key=lambda world: (model[world][0], key(world)))
            for world in oldest_first[: max(0, len(model) - 100)]:
                del model[world]
        elif step == "refuse":
            answer(bench, start(bench, *worlds), worlds[-1])
        elif step == "delete":
            bench.call("delete_browse_history_entry", None, key(worlds[0]))
            model.pop(str(worlds[0]), None)
        else:
            bench.call("clear_browse_history", None)
            model.clear()
    newest_first = sorted(model, key=lambda world: (model[world][0], key(world)), reverse=True)
    assert listed(bench) == newest_first
    counts = {row.profile_id: row.visit_count for row in bench.rows(UserBrowseHistory)}
    assert counts == {world: visits for world, (_, visits) in model.items()}
    assert bench.rows(BrowseVisit) == []


def test_a_batch_with_a_missing_world_enters_none(bench: UserBench) -> None:
    visit(bench, "w1")
    before = bench.rows(UserBrowseHistory)
    asked = start(bench, "w1", "w2", "lost")
    answer(bench, asked, "lost")
    assert bench.rows(UserBrowseHistory) == before
    assert bench.rows(BrowseVisit) == []
    noted = only(bench.rows(Refusal))
    assert (noted.refused_id, noted.error_code) == (asked.visit_id, "browse.world_not_found")


def test_a_visit_waits_for_the_last_shard(
    bench: UserBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    shards = {"w1": CATALOG.key("0"), "w2": CATALOG.key("1"), "w3": CATALOG.key("0")}
    monkeypatch.setattr(type(CATALOG), "shard_key", lambda kind, world: shards[world])
    bench.call("upsert_browse_history", None, [card(world) for world in shards])
    first, second = bench.sent()
    assert [work.work_id for work in first.works] == ["w1", "w3"]
    answer(bench, second)
    assert listed(bench) == []
    bench.tell(WorksDescribed(first.visit_id, [card("w1"), card("w3")]), CATALOG.key("1"))
    assert listed(bench) == ["w3", "w2", "w1"]


def test_what_is_deleted_meanwhile_does_not_come_back(bench: UserBench) -> None:
    asked = start(bench, "w1", "w2")
    bench.call("delete_browse_history_entry", None, key("w1"))
    answer(bench, asked, "w1")
    assert listed(bench) == ["w2"]
    asked = start(bench, "w3")
    bench.call("clear_browse_history", None)
    answer(bench, asked)
    assert listed(bench) == []
    assert bench.rows(Refusal) == []


def test_deleting_and_clearing_may_be_repeated(bench: UserBench) -> None:
    visit(bench, "w1", "w2")
    for _ in range(2):
        bench.call("delete_browse_history_entry", None, key("w1"))
        assert listed(bench) == ["w2"]
    for _ in range(2):
        bench.call("clear_browse_history", None)
        assert listed(bench) == []
    with pytest.raises(ReducerError, match=r"^input\.invalid_id"):
        bench.call("delete_browse_history_entry", None, "a/b")


def test_pages_go_back_from_a_time(bench: UserBench) -> None:
    for number in range(60):
        visit(bench, f"w{number}")
    assert len(listed(bench, None)) == 50
    assert listed(bench, 2) == ["w59", "w58"]
    third = bench.read("list_browse_history", None, 3, None)[-1].visited_at
    assert listed(bench, 2, third) == ["w56", "w55"]
    assert listed(bench, 100, 0) == []
    for limit in (0, 101):
        with pytest.raises(ReducerError, match=r"^input\.out_of_range"):
            listed(bench, limit)


def test_a_batch_has_1_to_20_worlds(bench: UserBench) -> None:
    assert refusal(bench, []).code == "input.out_of_range"
    assert refusal(bench, [card(number) for number in range(21)]).code == "input.out_of_range"
    visit(bench, *range(20))
    assert len(listed(bench)) == 20


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"profile_id": "a/b"}, "input.invalid_id"),
        ({"owner_user_id": ""}, "input.invalid_id"),
        ({"world_key": "custom_world:other"}, "input.invalid_id"),
        ({"world_kind": WorldKind.PUZZLE}, "input.invalid_id"),
        ({"world_key": key("w" * 120), "profile_id": "w" * 120}, "input.invalid_id"),
        ({"world_name": "x" * 61}, "input.text_too_long"),
        ({"subtitle": "x" * 121}, "input.text_too_long"),
        ({"summary_text": "x" * 401}, "input.text_too_long"),
        ({"cover_image_src": "x" * 513}, "input.text_too_long"),
        ({"author_display_name": "x" * 41}, "input.text_too_long"),
    ],
)
def test_a_card_of_another_form_is_refused(
    bench: UserBench, changes: dict[str, Any], code: str
) -> None:
    assert refusal(bench, [card("w0"), replace(card("w1"), **changes)]).code == code
    assert bench.sent() == []


def test_at_most_a_hundred_visits_wait(bench: UserBench) -> None:
    first = start(bench, 0)
    for number in range(1, 100):
        start(bench, number)
    with pytest.raises(ReducerError, match=r"^limit\.quota_exceeded"):
        start(bench, 100)
    answer(bench, first)
    start(bench, 100)
    assert listed(bench) == ["0"]


# With the real catalog


def vale_card(name: str = "Mine") -> WorkCard:
    return replace(card(PROFILE, name), owner_user_id="u_somebody")


async def visit_refused(player: Player, *cards: WorkCard) -> str:
    with pytest.raises(RefusedError) as refused:
        await player.ask("upsert_browse_history_and_return", None, list(cards))
    return refused.value.code


def hide(vale: Vale, owner: str) -> None:
    """What a moderator will do: set the moderation of the one entry there is."""
    core = vale.host.core(CATALOG.shard_key(PROFILE))
    entry = only(core.database[CustomWorldGalleryEntry])
    core.context(vale.clock())
    core.database[CustomWorldGalleryEntry].update(
        replace(entry, moderation=Moderation.HIDDEN, owner_user_id=owner)
    )
    core.commit("hide", b"", b"")


async def test_the_words_of_the_gallery_replace_those_of_the_client() -> None:
    async with running_vale() as vale:
        player = await vale.enter(claims(1))
        await player.subscribe("user_browse_history")
        entry = only(vale.rows(CATALOG.shard_key(PROFILE), CustomWorldGalleryEntry))
        row = only(await player.ask("upsert_browse_history_and_return", None, [vale_card()]))
        assert row == only(player.rows("user_browse_history"))
        for column in (
            "owner_user_id",
            "profile_id",
            "world_name",
            "subtitle",
            "summary_text",
            "cover_image_src",
            "theme_mode",
            "author_display_name",
        ):
            assert getattr(row, column) == getattr(entry, column), column
        assert (row.world_key, row.world_kind, row.visit_count) == (key(PROFILE), KIND, 1)
        await player.call("upsert_browse_history", None, [vale_card()])
        assert only(player.rows("user_browse_history")).visit_count == 2


async def test_a_world_that_is_not_in_the_gallery_is_not_found() -> None:
    async with running_vale() as vale:
        player = await vale.enter(claims(1))
        await player.subscribe("user_browse_history")
        assert await visit_refused(player, card("cwp_nowhere")) == "browse.world_not_found"
        assert await visit_refused(player, vale_card(), card("x")) == "browse.world_not_found"
        fish = replace(vale_card(), world_kind=WorldKind.BIG_FISH, world_key=f"big_fish:{PROFILE}")
        assert await visit_refused(player, fish) == "browse.world_not_found"
        # The reducer alone cannot say so; it enters nothing.
        await player.call("upsert_browse_history", None, [card("cwp_nowhere")])
        assert player.deltas == []
        assert await player.ask("list_browse_history", None, None, None) == []


async def test_a_repeated_visit_answers_as_the_first_one_did() -> None:
    async with running_vale() as vale:
        player = await vale.enter(claims(1))
        visit = ("upsert_browse_history_and_return", None)
        first = await player.ask(*visit, [vale_card()], request="r1")
        assert await player.ask(*visit, [vale_card()], request="r1") == first
        for _ in range(2):
            with pytest.raises(RefusedError, match=r"^browse\.world_not_found"):
                await player.ask(*visit, [card("x")], request="r2")


async def test_a_hidden_world_is_found_by_its_owner_alone() -> None:
    async with running_vale() as vale:
        owner, other = await vale.enter(claims(1)), await vale.enter(claims(2))
        hide(vale, owner.user_id)
        assert await visit_refused(other, vale_card()) == "browse.world_not_found"
        rows = await owner.ask("upsert_browse_history_and_return", None, [vale_card()])
        assert only(rows).owner_user_id == owner.user_id
