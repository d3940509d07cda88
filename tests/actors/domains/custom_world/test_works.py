from __future__ import annotations

from typing import Any

from authored_worlds import for_teens, publish, published, unpublish, without_premise, world, write
from user_bench import UserBench, claims, only
from vale_bench import refusal, running_vale

from actors.domains.custom_world.headers import CustomWorldSession
from actors.domains.custom_world.profile_drafts import authored_draft
from actors.domains.custom_world.works import WorkCount
from actors.domains.domain_types import AgentStage, WorkKind
from actors.domains.kinds import AGENT, CATALOG
from actors.domains.limits import HEADERS_ARCHIVED_MAX
from actors.domains.runtime.profile import ProfileDashboardState
from actors.domains.runtime.settings import ContentFilter
from actors.domains.world_messages import HeaderUpdate, SyncProfile, WorkCounters

SESSION, PROFILE = "cws_one", "cwp_one"
AGENT_ACTOR = AGENT.key(SESSION)
SHARD = CATALOG.shard_key(PROFILE)


def _header(version: int = 1, session: str = SESSION, **changes: Any) -> HeaderUpdate:
    fields = {
        "agent_session_id": session,
        "version": version,
        "stage": AgentStage.REFINING,
        "title": "A drowned kingdom",
        "summary_text": "",
        "cover_image_src": None,
        "progress_permille": 516,
        "card_count": 39,
        "blocker_count": 0,
        "warning_count": 10,
        "result_profile_id": None,
        "last_error_code": None,
    }
    return HeaderUpdate(**{**fields, **changes})


def _sync(text: str) -> SyncProfile:
    draft = authored_draft(text, PROFILE)
    document = draft.document_json, draft.document_hash
    return SyncProfile(SESSION, "op", PROFILE, *document, draft.card)


async def test_a_work_goes_from_draft_to_published_and_back() -> None:
    async with running_vale() as vale:
        author = await vale.enter(claims(1))
        await author.subscribe("my_custom_world_works")
        profile_id = (await write(author, without_premise)).profile_id

        def work() -> Any:
            return only(author.rows("my_custom_world_works"))

        assert (work().work_id, work().work_kind) == (profile_id, WorkKind.PROFILE_DRAFT)
        assert (work().can_publish, work().can_enter, work().blocker_count) == (False, False, 1)
        await write(author, profile_id=profile_id)
        assert (work().can_publish, work().can_enter) == (True, True)
        await publish(author, profile_id)
        assert (work().work_kind, work().published_version) == (WorkKind.PUBLISHED, 1)
        await write(author, without_premise, profile_id=profile_id)
        assert (work().can_publish, work().can_enter) == (False, True), "what is live is sound"
        player = await vale.enter(claims(2))
        await player.call("like_custom_world", profile_id)
        assert work().like_count == 1
        moderator = await vale.enter(claims(9, "moderator"))
        await moderator.ask("moderate_gallery_entry_and_return", profile_id, 1, "rude")
        assert not work().can_enter
        await unpublish(author, profile_id)
        assert work().work_kind is WorkKind.UNPUBLISHED
        await author.ask("delete_custom_world_profile_and_return", profile_id)
        assert author.rows("my_custom_world_works") == []


async def test_a_strict_filter_hides_what_is_for_teens() -> None:
    async with running_vale() as vale:
        author = await vale.enter(claims(1))
        await author.subscribe("my_custom_world_works")
        await published(author, for_teens)
        assert not only(author.rows("my_custom_world_works")).can_enter
        patch = [None] * 8
        await author.call("upsert_runtime_setting", *patch, ContentFilter.STANDARD)
        assert only(author.rows("my_custom_world_works")).can_enter


async def test_works_are_listed_page_by_page() -> None:
    async with running_vale() as vale:
        author = await vale.enter(claims(1))
        ids = [(await write(author, name=f"World {number}")).profile_id for number in range(5)]

        async def listed(limit: int, cursor: str | None = None) -> Any:
            return await author.ask("list_custom_world_works", limit, cursor)

        first = await listed(3)
        second = await listed(3, first.next_cursor)
        assert [work.work_id for work in (*first.items, *second.items)] == ids[::-1]
        assert second.next_cursor is None
        for limit in (0, 101):
            assert await refusal(listed(limit)) == "input.out_of_range"
        assert await refusal(listed(1, "nonsense")) == "input.invalid_cursor"


def test_a_session_and_its_profile_are_one_work(bench: UserBench) -> None:
    bench.tell(_header(), AGENT_ACTOR)
    work = only(bench.view("my_custom_world_works"))
    assert (work.work_id, work.work_kind) == (SESSION, WorkKind.AGENT_DRAFT)
    bench.tell(_sync(world()), AGENT_ACTOR)
    bench.tell(_header(2, result_profile_id=PROFILE), AGENT_ACTOR)
    work = only(bench.view("my_custom_world_works"))
    assert (work.work_id, work.work_kind) == (PROFILE, WorkKind.PROFILE_DRAFT)
    assert (work.agent_session_id, work.progress_permille) == (SESSION, 516)
    assert (work.title, work.stage) == ("Amber Vale", AgentStage.REFINING)
    bench.call("delete_custom_world_profile", PROFILE)
    assert bench.view("my_custom_world_works") == []


def test_headers_follow_their_sessions(bench: UserBench) -> None:
    bench.tell(_header(1), AGENT_ACTOR)
    before = only(bench.rows(CustomWorldSession))
    bench.tell(_header(2, stage=AgentStage.PUBLISHED, progress_permille=1000), AGENT_ACTOR)
    row = only(bench.rows(CustomWorldSession))
    assert (row.stage, row.progress_permille, row.archived) == (AgentStage.PUBLISHED, 1000, False)
    assert before.created_at == row.created_at < row.updated_at
    bench.tell(_header(3, stage=AgentStage.ARCHIVED), AGENT_ACTOR)
    assert only(bench.rows(CustomWorldSession)).archived
    assert bench.view("my_custom_world_works") == []


def test_the_headers_of_old_archived_sessions_are_forgotten(bench: UserBench) -> None:
    for number in range(HEADERS_ARCHIVED_MAX + 2):
        session = f"cws_{number:03}"
        bench.tell(_header(1, session, stage=AgentStage.ARCHIVED), AGENT.key(session))
    rows = bench.rows(CustomWorldSession)
    assert len(rows) == HEADERS_ARCHIVED_MAX
    assert rows[0].agent_session_id == "cws_002"
    bench.tell(_header(2, "cws_000"), AGENT.key("cws_000"))
    assert only(bench.view("my_custom_world_works")).work_id == "cws_000"


def test_the_last_count_of_a_work_is_the_truth(bench: UserBench) -> None:
    def totals() -> tuple[int, int]:
        row = only(bench.rows(ProfileDashboardState))
        return row.total_likes_received, row.total_plays_received

    bench.tell(WorkCounters(PROFILE, 3, 10, 5), SHARD)
    bench.tell(WorkCounters("cwp_two", 1, 1, 1), SHARD)
    assert totals() == (4, 11)
    bench.tell(WorkCounters(PROFILE, 1, 12, 7), SHARD)
    bench.tell(WorkCounters(PROFILE, 2, 11, 6), SHARD)
    assert totals() == (2, 13)
    assert {row.counter_version for row in bench.rows(WorkCount)} == {1, 7}
