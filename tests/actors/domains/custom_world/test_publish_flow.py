from __future__ import annotations

from typing import Any

import pytest
from authored_worlds import (
    publish,
    published,
    unpublish,
    with_tip,
    without_premise,
    world,
    write,
)
from user_bench import UserBench, claims, only
from vale_bench import RefusedError, refusal, running_vale

from actors import replace
from actors.domains.custom_world.gallery_counters import GalleryTally
from actors.domains.custom_world.profile import CustomWorldProfile
from actors.domains.custom_world.profile_drafts import authored_draft
from actors.domains.custom_world.profile_gates import CustomWorldPublication
from actors.domains.custom_world.publishing import CustomWorldPublishedProfile, PublishedStatus
from actors.domains.domain_types import ProfileSource, PublicationStatus
from actors.domains.kinds import AGENT, CATALOG
from actors.domains.rules.limits import PUBLISHED_WORKS_MAX
from actors.domains.runtime.profile import ProfileDashboardState
from actors.domains.world_messages import (
    AgentPublishAck,
    AgentUnpublished,
    CatalogUnpublish,
    ProfileSynced,
    PublishFromAgent,
    PublishProfile,
    PublishRejected,
    SyncProfile,
    SyncRejected,
    UnpublishAck,
    UnpublishFromAgent,
    UserPublishAck,
    WorkModerated,
)

SESSION = "cws_one"
AGENT_ACTOR = AGENT.key(SESSION)
PROFILE = "cwp_one"
SHARD = CATALOG.shard_key(PROFILE)


# Between a library and the catalog


async def test_a_world_becomes_a_version_that_everybody_sees() -> None:
    async with running_vale() as vale:
        author, anybody = (
            await vale.enter(claims(1, display_name="Ann")),
            await vale.enter(claims(2)),
        )
        await anybody.subscribe("custom_world_gallery_entry")
        await author.subscribe("custom_world_profile", "profile_dashboard_state")
        draft = await write(author)
        answer = await publish(author, draft.profile_id)
        profile, entry = answer.profile, answer.gallery_entry
        assert only(author.rows("custom_world_profile")) == profile
        assert profile.publication_status is PublicationStatus.PUBLISHED
        assert (profile.published_version, profile.revision) == (1, 1)
        assert profile.published_at is not None
        assert entry in anybody.rows("custom_world_gallery_entry")
        assert (entry.version, entry.world_name) == (1, "Amber Vale")
        assert (entry.owner_user_id, entry.author_display_name) == (author.user_id, "Ann")
        assert entry.public_work_code == profile.public_work_code
        assert only(author.rows("profile_dashboard_state")).published_work_count == 1
        player = await vale.enter(claims(3))
        session = await player.begin(profile=draft.profile_id)
        assert (session.published_version, session.document_hash) == (1, draft.draft_hash)


async def test_only_another_document_is_another_version() -> None:
    async with running_vale() as vale:
        author, player = await vale.enter(claims(1)), await vale.enter(claims(2))
        profile = await published(author)
        profile_id = profile.profile_id
        session = await player.begin(profile=profile_id)
        assert (await publish(author, profile_id)).profile.published_version == 1
        await write(author, with_tip("Second"), profile_id=profile_id)
        assert (await publish(author, profile_id)).profile.published_version == 2
        rows = {
            row.version: row
            for row in vale.rows(CATALOG.shard_key(profile_id), CustomWorldPublishedProfile)
            if row.profile_id == profile_id
        }
        assert rows[1].status is PublishedStatus.RETIRED
        assert rows[2].status is PublishedStatus.LIVE
        assert rows[2].published_profile_id == f"{profile_id}:v2"
        assert (await player.say("look around")).published_version == 1
        assert session.document_hash == rows[1].document_hash
        for _ in range(2):
            await unpublish(author, profile_id)
            assert (await publish(author, profile_id)).profile.published_version == 2


async def test_taking_a_world_back_keeps_what_it_came_to() -> None:
    async with running_vale() as vale:
        author, player = await vale.enter(claims(1)), await vale.enter(claims(2))
        await player.subscribe("custom_world_gallery_entry")
        profile_id = (await published(author)).profile_id
        await player.begin(profile=profile_id)
        await player.call("like_custom_world", profile_id)
        before = await publish(author, profile_id)
        row = await unpublish(author, profile_id)
        assert row.publication_status is PublicationStatus.UNPUBLISHED
        assert only(author.own_rows(ProfileDashboardState)).published_work_count == 0
        assert profile_id not in [
            entry.profile_id for entry in player.rows("custom_world_gallery_entry")
        ]
        assert await refusal(unpublish(author, profile_id)) == "world.not_published_state"
        await player.say("look around")
        entry = (await publish(author, profile_id)).gallery_entry
        assert (entry.like_count, entry.play_count, entry.unique_player_count) == (1, 1, 1)
        assert entry.public_work_code == before.gallery_entry.public_work_code


async def test_what_does_not_pass_the_gate_is_not_published() -> None:
    async with running_vale() as vale:
        author = await vale.enter(claims(1))
        profile = await write(author, without_premise)
        call = author.ask("publish_custom_world_profile_and_return", profile.profile_id)
        with pytest.raises(RefusedError) as refused:
            await call
        assert refused.value.code == "world.gate_blocked"
        assert refused.value.details == {
            "failed": [
                {
                    "checkCode": code,
                    "message": message,
                }
                for code, message in (
                    ("PG02", "no finding blocks the world"),
                    ("PG10", "the quality score is at least 400"),
                )
            ]
        }
        assert only(author.own_rows(CustomWorldProfile)) == profile
        assert await refusal(unpublish(author, profile.profile_id)) == "world.not_published_state"


async def test_the_catalog_lengthens_a_code_that_is_taken() -> None:
    async with running_vale() as vale:
        author = await vale.enter(claims(1))
        draft = await write(author)
        tallies = vale.host.core(CATALOG.shard_key(draft.profile_id)).database[GalleryTally]
        # Nobody finds a collision of 40 bits, so the code is given to another world.
        other = next(iter(tallies))
        tallies.update(replace(other, public_work_code=draft.public_work_code))
        vale.host.core(CATALOG.shard_key(draft.profile_id)).database.commit()
        answer = await publish(author, draft.profile_id)
        longer = draft.public_work_code + "a"
        assert answer.profile.public_work_code == longer
        assert answer.gallery_entry.public_work_code == longer


# Between a session and the library


def _from_agent(text: str, revision: int = 1, profile_id: str = PROFILE) -> PublishFromAgent:
    draft = authored_draft(text, profile_id)
    return PublishFromAgent(
        publish_key=f"{SESSION}:{revision}",
        agent_session_id=SESSION,
        profile_id=profile_id,
        document_json=draft.document_json,
        document_hash=draft.document_hash,
        card=draft.card,
    )


def _synced(text: str, profile_id: str = PROFILE) -> SyncProfile:
    payload = _from_agent(text, profile_id=profile_id)
    return SyncProfile(
        agent_session_id=SESSION,
        operation_id=f"{SESSION}.op_1",
        profile_id=payload.profile_id,
        document_json=payload.document_json,
        document_hash=payload.document_hash,
        card=payload.card,
    )


def _bench() -> UserBench:
    bench = UserBench(claims(1, display_name="Ann"))
    bench.connect()
    return bench


def _publish(bench: UserBench, text: str, revision: int = 1, version: int = 1) -> Any:
    """Publish from the session, and let the catalog agree; answers what the session got."""
    payload = _from_agent(text, revision)
    (sent,) = bench.tell(payload, AGENT_ACTOR)
    assert isinstance(sent, PublishProfile)
    code = sent.public_work_code
    return bench.tell(UserPublishAck(payload.publish_key, PROFILE, version, code), SHARD)


def test_a_session_has_one_profile_and_publishes_it() -> None:
    bench = _bench()
    payload = _from_agent(world())
    (sent,) = bench.tell(payload, AGENT_ACTOR)
    assert sent.publish_key == payload.publish_key
    assert (sent.version, sent.document_hash) == (1, payload.document_hash)
    assert sent.document_json == payload.document_json
    assert (sent.owner_user_id, sent.author_display_name) == (bench.user_id, "Ann")
    row = only(bench.rows(CustomWorldProfile))
    assert (row.source_kind, row.source_agent_session_id) == (ProfileSource.AGENT, SESSION)
    assert row.publication_status is PublicationStatus.DRAFT
    assert bench.tell(payload, AGENT_ACTOR) == [], "the answer is on its way"
    ack = UserPublishAck(payload.publish_key, PROFILE, 3, "othercode")
    expected = [AgentPublishAck(payload.publish_key, PROFILE, 3, payload.document_hash)]
    assert bench.tell(ack, SHARD) == expected
    assert bench.tell(ack, SHARD) == [], "a second answer to one question"
    assert bench.tell(payload, AGENT_ACTOR) == expected, "the answer that there was"
    row = only(bench.rows(CustomWorldProfile))
    assert (row.published_version, row.public_work_code, row.revision) == (3, "othercode", 1)
    assert only(bench.rows(ProfileDashboardState)).published_work_count == 1


def test_an_unchanged_world_is_published_already_and_a_changed_one_again() -> None:
    bench = _bench()
    _publish(bench, world())
    payload = _from_agent(world(), 2)
    ack = AgentPublishAck(f"{SESSION}:2", PROFILE, 1, payload.document_hash)
    assert bench.tell(payload, AGENT_ACTOR) == [ack]
    (sent,) = bench.tell(_from_agent(world(with_tip("Other")), 3), AGENT_ACTOR)
    assert (sent.publish_key, sent.version) == (f"{SESSION}:3", 2)


def test_a_session_syncs_its_draft_without_publishing() -> None:
    bench = _bench()
    payload = _synced(world())
    expected = [ProfileSynced(payload.operation_id, PROFILE, 1)]
    assert bench.tell(payload, AGENT_ACTOR) == expected
    assert bench.tell(payload, AGENT_ACTOR) == expected, "an equal draft is no change"
    changed = _synced(world(without_premise))
    assert bench.tell(changed, AGENT_ACTOR) == [ProfileSynced(payload.operation_id, PROFILE, 2)]
    row = only(bench.rows(CustomWorldProfile))
    assert (row.blocker_count, row.publication_status) == (1, PublicationStatus.DRAFT)


def test_a_deleted_profile_comes_back_with_its_session() -> None:
    bench = _bench()
    bench.tell(_synced(world()), AGENT_ACTOR)
    bench.call("delete_custom_world_profile", PROFILE)
    bench.tell(_synced(world()), AGENT_ACTOR)
    row = only(bench.rows(CustomWorldProfile))
    assert (row.deleted_at, row.revision) == (None, 2)
    assert bench.read("get_custom_world_library_detail", PROFILE).profile == row


def test_a_full_library_takes_no_draft() -> None:
    bench = _bench()
    profile = bench.call("upsert_custom_world_profile", None, world(), None)
    for number in range(1, 200):
        fields = dict(zip(profile._fields, profile, strict=True))
        fields |= {"profile_id": f"cwp_{number}", "public_work_code": f"code{number}"}
        bench.core.database[CustomWorldProfile].insert(CustomWorldProfile(**fields))
    bench.core.database.commit()
    (rejected,) = bench.tell(_synced(world()), AGENT_ACTOR)
    assert isinstance(rejected, SyncRejected)
    assert rejected.code == "limit.quota_exceeded"
    (rejected,) = bench.tell(_from_agent(world()), AGENT_ACTOR)
    assert isinstance(rejected, PublishRejected)
    assert rejected.code == "limit.quota_exceeded"


@pytest.mark.parametrize("code", ["PG08", "PG09"])
def test_the_library_knows_what_its_author_may_publish(code: str) -> None:
    bench = _bench()
    profile = bench.call("upsert_custom_world_profile", None, world(), None)
    if code == "PG08":
        for number in range(PUBLISHED_WORKS_MAX):
            fields = dict(zip(profile._fields, profile, strict=True))
            fields |= {
                "profile_id": f"cwp_{number}",
                "public_work_code": f"code{number}",
                "publication_status": PublicationStatus.PUBLISHED,
            }
            bench.core.database[CustomWorldProfile].insert(CustomWorldProfile(**fields))
        bench.core.database.commit()
    else:
        bench.tell(WorkModerated(PROFILE, is_hidden=True), SHARD)
    (rejected,) = bench.tell(_from_agent(world()), AGENT_ACTOR)
    assert isinstance(rejected, PublishRejected)
    assert (rejected.code, rejected.message[:4]) == ("world.gate_blocked", code)
    row = bench.core.database[CustomWorldProfile].get(PROFILE)
    assert row.publication_status is PublicationStatus.DRAFT
    if code == "PG09":
        bench.tell(WorkModerated(PROFILE, is_hidden=False), SHARD)
        assert isinstance(bench.tell(_from_agent(world()), AGENT_ACTOR)[0], PublishProfile)


def test_a_refusal_of_the_catalog_goes_back_to_the_session() -> None:
    bench = _bench()
    payload = _from_agent(world())
    bench.tell(payload, AGENT_ACTOR)
    refused = PublishRejected(payload.publish_key, PROFILE, "world.gate_blocked", "PG09: hidden")
    assert bench.tell(refused, SHARD) == [refused]
    assert bench.tell(refused, SHARD) == []
    assert only(bench.rows(CustomWorldProfile)).publication_status is PublicationStatus.DRAFT
    assert isinstance(bench.tell(payload, AGENT_ACTOR)[0], PublishProfile), "it may try again"


def test_one_step_of_a_profile_is_under_way_at_a_time() -> None:
    bench = _bench()
    bench.tell(_from_agent(world()), AGENT_ACTOR)
    (rejected,) = bench.tell(_from_agent(world(with_tip("Other")), 2), AGENT_ACTOR)
    assert rejected.code == "world.publishing_state"
    for name in ("publish_custom_world_profile", "delete_custom_world_profile"):
        with pytest.raises(Exception, match=r"^world\.publishing_state"):
            bench.call(name, PROFILE)
    (publication,) = bench.rows(CustomWorldPublication)
    assert publication.publish_key == f"{SESSION}:1"


@pytest.mark.parametrize("is_agents", [True, False])
def test_the_session_learns_that_its_world_is_withdrawn(*, is_agents: bool) -> None:
    bench = _bench()
    _publish(bench, world())
    key = f"{SESSION}:9" if is_agents else f"{PROFILE}:1"
    if is_agents:
        sent = bench.tell(UnpublishFromAgent(key, SESSION, PROFILE), AGENT_ACTOR)
    else:
        before = len(bench.sent())
        bench.call("unpublish_custom_world_profile", PROFILE)
        sent = bench.sent(before)
    assert sent == [CatalogUnpublish(key, PROFILE, bench.user_id)]
    assert bench.tell(UnpublishAck(key, PROFILE), SHARD) == [AgentUnpublished(key, PROFILE)]
    assert bench.tell(UnpublishAck(key, PROFILE), SHARD) == []
    row = only(bench.rows(CustomWorldProfile))
    assert (row.publication_status, row.published_version) == (PublicationStatus.UNPUBLISHED, 1)


@pytest.mark.parametrize(
    ("profile_id", "code"),
    [(PROFILE, "world.not_published_state"), ("cwp_other", "world.not_found")],
)
def test_what_is_not_published_cannot_be_withdrawn(profile_id: str, code: str) -> None:
    bench = _bench()
    bench.tell(_synced(world()), AGENT_ACTOR)
    (rejected,) = bench.tell(UnpublishFromAgent("key", SESSION, profile_id), AGENT_ACTOR)
    assert isinstance(rejected, PublishRejected)
    assert (rejected.publish_key, rejected.code) == ("key", code)
