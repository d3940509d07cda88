"""Publishing: a session's world goes to the library and the gallery, and comes back (12.5)."""

from __future__ import annotations

import json

from agent_bench import SEED, Studio, studio
from authored_worlds import write
from user_bench import claims
from vale_bench import refusal

from actors.domains.custom_world.agent.checkpoints import CustomWorldAgentCheckpoint
from actors.domains.custom_world.agent.operations import CustomWorldAgentOperation
from actors.domains.custom_world.gallery import CustomWorldGalleryEntry, Moderation
from actors.domains.custom_world.headers import CustomWorldSession
from actors.domains.custom_world.profile import CustomWorldProfile
from actors.domains.domain_types import (
    AgentStage,
    CheckpointTrigger,
    EntityKind,
    OperationStatus,
    PublicationStatus,
)
from actors.domains.kinds import CATALOG
from actors.domains.limits import PROFILES_MAX

COVER = "/objects/genarrative-public/cover.svg"


async def drafted(bench: Studio) -> None:
    await bench.fail()
    await bench.draft()


async def publish(bench: Studio) -> CustomWorldAgentOperation:
    """Publish the world; the test makes the cover where there is none."""
    started = await bench.act("publish_world")
    if bench.card(EntityKind.WORLD).image_src is None:
        card_id = bench.card(EntityKind.WORLD).card_id
        await bench.finish({"images": [{"cardId": card_id, "imageSrc": COVER}]})
    await bench.vale.settle()
    return bench.operation(started.operation_id)


def profile_of(bench: Studio) -> CustomWorldProfile:
    (profile,) = bench.player.own_rows(CustomWorldProfile)
    return profile


def entries(bench: Studio) -> list[CustomWorldGalleryEntry]:
    rows = bench.vale.rows(CATALOG.key("0"), CustomWorldGalleryEntry)
    return [row for row in rows if row.owner_user_id == bench.player.user_id]


async def test_a_world_is_published_with_a_cover_of_its_own() -> None:
    async with studio(seed=SEED) as bench:
        await drafted(bench)
        assert bench.session.result_profile_id is None
        started = await bench.act("publish_world")
        assert (started.status, started.phase_label) == (OperationStatus.RUNNING, "cover")
        assert bench.session.stage is AgentStage.PUBLISHING
        assert bench.reason("update_draft_card") == "publishing"
        made = bench.rows(CustomWorldAgentCheckpoint)
        assert CheckpointTrigger.BEFORE_PUBLISH in {row.trigger for row in made}
        card_id = bench.card(EntityKind.WORLD).card_id
        await bench.finish({"images": [{"cardId": card_id, "imageSrc": COVER}]})
        await bench.vale.settle()
        ended, session = bench.operation(started.operation_id), bench.session
        assert ended.status is OperationStatus.SUCCEEDED
        profile_id = f"cwp_{bench.session_id.removeprefix('cws_')}"
        assert json.loads(ended.result_json or "") == {"profileId": profile_id, "version": 1}
        assert (session.stage, session.result_profile_id) == (AgentStage.PUBLISHED, profile_id)
        assert (session.warning_count, session.quality_score) == (9, 640)
        assert session.progress_permille == 691
        profile, (entry,) = profile_of(bench), entries(bench)
        assert (profile.profile_id, profile.published_version) == (profile_id, 1)
        assert profile.source_agent_session_id == bench.session_id
        assert (entry.profile_id, entry.cover_image_src) == (profile_id, COVER)
        (header,) = bench.player.own_rows(CustomWorldSession)
        assert (header.stage, header.result_profile_id) == (AgentStage.PUBLISHED, profile_id)


async def test_a_changed_world_is_published_again() -> None:
    async with studio(seed=SEED) as bench:
        await drafted(bench)
        await publish(bench)
        role = bench.card(EntityKind.ROLE)
        await bench.act("update_draft_card", cardId=role.card_id, patch={"name": "Mara"})
        assert bench.session.stage is AgentStage.PUBLISH_READY
        assert len(entries(bench)) == 1
        again = await publish(bench)
        assert json.loads(again.result_json or "")["version"] == 2
        unchanged = await publish(bench)
        assert json.loads(unchanged.result_json or "")["version"] == 2
        assert bench.session.stage is AgentStage.PUBLISHED


async def test_a_world_is_taken_back_and_published_again() -> None:
    async with studio(seed=SEED) as bench:
        await drafted(bench)
        await publish(bench)
        ended = await bench.act("unpublish_world")
        await bench.vale.settle()
        assert bench.operation(ended.operation_id).status is OperationStatus.SUCCEEDED
        assert entries(bench) == []
        assert profile_of(bench).publication_status is PublicationStatus.UNPUBLISHED
        assert bench.session.stage is AgentStage.PUBLISH_READY
        assert bench.reason("unpublish_world") == "not_published"
        revived = await publish(bench)
        assert json.loads(revived.result_json or "")["version"] == 1
        assert len(entries(bench)) == 1


async def test_the_library_may_take_a_world_back() -> None:
    async with studio(seed=SEED) as bench:
        await drafted(bench)
        await publish(bench)
        profile_id = profile_of(bench).profile_id
        await bench.player.call("unpublish_custom_world_profile", profile_id)
        await bench.vale.settle()
        assert bench.session.stage is AgentStage.PUBLISH_READY
        assert bench.session.progress_permille == 641


async def test_the_library_may_publish_a_sessions_world() -> None:
    async with studio(seed=SEED) as bench:
        await drafted(bench)
        await bench.act("sync_result_profile")
        profile_id = profile_of(bench).profile_id
        await bench.player.ask("publish_custom_world_profile_and_return", profile_id)
        await bench.vale.settle()
        assert bench.session.stage is AgentStage.PUBLISHED
        assert bench.reason("unpublish_world") is None
        world = bench.card(EntityKind.WORLD)
        await bench.act("update_draft_card", cardId=world.card_id, patch={"subtitle": "Another"})
        await bench.player.ask("unpublish_custom_world_profile_and_return", profile_id)
        await bench.player.ask("publish_custom_world_profile_and_return", profile_id)
        await bench.vale.settle()
        assert bench.session.stage is AgentStage.PUBLISH_READY, "the gallery has the draft before"
        assert bench.reason("unpublish_world") is None


async def test_a_draft_goes_to_the_library() -> None:
    async with studio(seed=SEED) as bench:
        await drafted(bench)
        synced = await bench.act("sync_result_profile")
        assert synced.status is OperationStatus.SUCCEEDED
        profile = profile_of(bench)
        assert json.loads(synced.result_json or "") == {
            "profileId": profile.profile_id,
            "revision": 1,
        }
        assert profile.publication_status is PublicationStatus.DRAFT
        assert bench.session.result_profile_id == profile.profile_id
        assert bench.session.stage is AgentStage.PUBLISH_READY
        role = bench.card(EntityKind.ROLE)
        await bench.act("update_draft_card", cardId=role.card_id, patch={"name": "Mara"})
        await bench.act("sync_result_profile")
        assert profile_of(bench).revision == 2


async def test_publishing_waits_for_the_gallery() -> None:
    async with studio(seed=SEED) as bench:
        await drafted(bench)
        await bench.act("generate_cover")
        card_id = bench.card(EntityKind.WORLD).card_id
        await bench.finish({"images": [{"cardId": card_id, "imageSrc": COVER}]})
        done = await bench.player.ask("publish_world_and_return", bench.session_id)
        assert done.status is OperationStatus.SUCCEEDED
        again = await refusal(bench.cancel(done.operation_id))
        assert again == "agent.operation_final_state"


async def test_a_cover_that_is_not_wanted_leaves_the_world_where_it_was() -> None:
    async with studio(seed=SEED) as bench:
        await drafted(bench)
        started = await bench.act("publish_world")
        await bench.cancel(started.operation_id)
        assert bench.session.stage is AgentStage.PUBLISH_READY
        assert entries(bench) == []


async def test_the_library_refuses_what_the_session_cannot_know() -> None:
    async with studio(seed=SEED) as bench:
        await drafted(bench)
        await publish(bench)
        profile_id = profile_of(bench).profile_id
        moderator = await bench.vale.enter(claims(9, "moderator"))
        await moderator.call("moderate_gallery_entry", profile_id, Moderation.HIDDEN, "test")
        role = bench.card(EntityKind.ROLE)
        await bench.act("update_draft_card", cardId=role.card_id, patch={"name": "Mara"})
        refused = await publish(bench)
        assert (refused.status, refused.error_code) == (
            OperationStatus.FAILED,
            "world.gate_blocked",
        )
        session = bench.session
        assert (session.stage, session.last_error_code) == (
            AgentStage.PUBLISH_READY,
            "world.gate_blocked",
        )


async def test_a_full_library_takes_no_draft() -> None:
    async with studio(seed=SEED) as bench:
        await drafted(bench)
        for number in range(PROFILES_MAX):
            await write(bench.player, name=f"World {number}")
        refused = await bench.act("sync_result_profile")
        assert (refused.status, refused.error_code) == (
            OperationStatus.FAILED,
            "limit.quota_exceeded",
        )
        assert bench.session.result_profile_id is None
