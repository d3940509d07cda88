"""Flows of creation sessions: begun, answered, drafted, paid for, published, put aside."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from crash_course import Course, Step
from scripted_model import ScriptedModel
from user_bench import SERVICE
from vale_bench import Player, Vale, claims

from actors.domains.ai.limits import CHUNKS_KEPT_MICROS
from actors.domains.ai.tasks import AiScope, AiTask
from actors.domains.custom_world.agent.cards import CustomWorldDraftCard
from actors.domains.custom_world.agent.operations import EFFECT, CustomWorldAgentOperation
from actors.domains.custom_world.agent.session import CustomWorldAgentSession
from actors.domains.custom_world.gallery import Moderation
from actors.domains.custom_world.limits import LEASE_MICROS
from actors.domains.data.agent_books import agent_book
from actors.domains.domain_types import (
    AccessPolicy,
    AssetEntityKind,
    AssetSlot,
    AssetSource,
    EntityKind,
    TextSource,
)
from actors.domains.kinds import AGENT
from actors.domains.rules.agent import Wish, anchor_values, generate_foundation
from actors.domains.runtime.wallet import LedgerReason
from actors.errors import TextModelError
from actors.keys import ActorKey
from actors.module.system import OutboxMessage

__all__ = ["AGENT_COURSES"]

_SECOND = 1_000_000
_SEED = "A drowned kingdom under a curse. The tone is grim mystery. I want to be a ferryman hero."
_COVER = "/objects/genarrative-public/cover.svg"


class _Author:
    """A user at a session. What comes before a flow, is worked at by the flow's author."""

    def __init__(self, vale: Vale, player: Player, service: Player) -> None:
        self.vale, self.player, self.service = vale, player, service
        self.session_id = ""

    def rows(self, table: type) -> list[Any]:
        return self.vale.rows(AGENT.key(self.session_id), table)

    async def create(self, seed: str | None = None) -> None:
        begun = await self.player.ask("create_custom_world_agent_session_and_return", seed, None)
        self.session_id = begun.session.agent_session_id

    async def act(self, action: str, **payload: Any) -> None:
        await self.player.call(*self.action(action, **payload))

    def action(self, action: str, **payload: Any) -> tuple[Any, ...]:
        name = "execute_custom_world_agent_action"
        return (name, self.session_id, action, json.dumps(payload), None)

    async def stream(self, text: str) -> None:
        """A piece of the running reply."""
        (task,) = self.rows(AiTask)
        ask, task_id = self.service.ask, task.ai_task_id
        await ask("start_ai_task_and_return", AiScope.AGENT, self.session_id, task_id)
        await ask("start_ai_task_stage_and_return", task_id, 0)
        await ask("complete_ai_stage_and_return", task_id, 0, None, None, None, [])
        await ask("start_ai_task_stage_and_return", task_id, 1)
        await ask("append_ai_text_chunk_and_return", task_id, 1, 1, 0, text)

    async def finish(self, result: object, source: TextSource = TextSource.LLM) -> None:
        (row,) = (
            row for row in self.rows(CustomWorldAgentOperation) if row.lease_expires_at is not None
        )
        await self.service.ask(
            "finish_agent_operation_and_return",
            row.operation_id,
            row.lease_epoch,
            json.dumps(result),
            source,
        )

    async def draft(self) -> None:
        """A foundation with a cover: what can be published."""
        await self.finish({"reply": "Noted."}, TextSource.FALLBACK)
        await self.act("draft_foundation")
        (session,) = self.rows(CustomWorldAgentSession)
        wish = Wish(self.session_id, anchor_values(session.anchors), "")
        made = generate_foundation(wish, agent_book(session.locale))
        cards = [{"kind": one.kind.name.lower(), "payload": one.payload} for one in made]
        await self.finish({"cards": cards})
        await self.act("generate_cover")
        image = {"cardId": self.card(EntityKind.WORLD).card_id, "imageSrc": _COVER}
        await self.finish({"images": [image]})

    def card(self, kind: EntityKind) -> CustomWorldDraftCard:
        return min(
            (row for row in self.rows(CustomWorldDraftCard) if row.kind is kind),
            key=lambda row: row.order_index,
        )


async def _no_work(source: ActorKey, message: OutboxMessage) -> None:
    """Takes a request, and does nothing."""


async def _author(vale: Vale, seed: str | None = _SEED) -> _Author:
    vale.host.effects.register(EFFECT, _no_work)
    author = _Author(vale, await vale.enter(claims(1)), await vale.enter(SERVICE))
    await author.create(seed)
    return author


async def _drafted(vale: Vale) -> _Author:
    author = await _author(vale)
    await author.draft()
    return author


async def _published(vale: Vale) -> _Author:
    author = await _drafted(vale)
    await author.act("publish_world")
    await vale.settle()
    return author


async def _creating(vale: Vale) -> None:
    player = await vale.enter(claims(1))
    vale.mark()
    await player.call("create_custom_world_agent_session", None, None)


async def _answering(vale: Vale) -> None:
    """The worker of each process answers."""
    author = await _author(vale, None)
    vale.mark()
    await author.player.call("submit_custom_world_agent_message", author.session_id, _SEED, "m-1")


async def _chunks_go(vale: Vale) -> None:
    author = await _author(vale)
    await author.stream("Noted.")
    await author.finish({"reply": "Noted."}, TextSource.FALLBACK)
    vale.mark()


async def _drafting(vale: Vale) -> None:
    author = await _author(vale)
    await author.finish({"reply": "Noted."}, TextSource.FALLBACK)
    vale.mark()
    await author.act("draft_foundation")


async def _lost_worker(vale: Vale) -> None:
    author = await _author(vale)
    await author.finish({"reply": "Noted."}, TextSource.FALLBACK)
    await author.act("draft_foundation")
    vale.mark()


async def _paying(vale: Vale) -> None:
    await _drafting(vale)


async def _not_paying(vale: Vale) -> None:
    author = await _author(vale)
    await author.finish({"reply": "Noted."}, TextSource.FALLBACK)
    await author.service.ask(
        "append_wallet_ledger_entry_and_return",
        author.player.user_id,
        -195,
        LedgerReason.ADMIN_ADJUSTMENT,
        "test",
        "",
    )
    vale.mark()
    await author.act("draft_foundation")


async def _syncing(vale: Vale) -> None:
    author = await _drafted(vale)
    vale.mark()
    await author.act("sync_result_profile")


async def _publishing_a_session(vale: Vale) -> None:
    author = await _drafted(vale)
    vale.mark()
    await author.act("publish_world")


async def _refused_publication(vale: Vale) -> None:
    author = await _published(vale)
    moderator = await vale.enter(claims(9, "moderator"))
    (session,) = author.rows(CustomWorldAgentSession)
    await moderator.call(
        "moderate_gallery_entry", session.result_profile_id, Moderation.HIDDEN, "test"
    )
    role = author.card(EntityKind.ROLE).card_id
    await author.act("update_draft_card", cardId=role, patch={"name": "Mara"})
    vale.mark()
    await author.act("publish_world")


async def _withdrawing_a_session(vale: Vale) -> None:
    author = await _published(vale)
    vale.mark()
    await author.act("unpublish_world")


async def _putting_aside(vale: Vale) -> None:
    author = await _author(vale, None)
    vale.mark()
    await author.act("archive_session")


async def _taking_up(vale: Vale) -> None:
    author = await _author(vale, None)
    await author.act("archive_session")
    vale.mark()
    await author.act("restore_session")


async def _no_slot(vale: Vale) -> None:
    author = await _author(vale, None)
    await author.act("archive_session")
    first = author.session_id
    for _ in range(10):
        await author.create()
    author.session_id = first
    vale.mark()
    await author.act("restore_session")


async def _binding_an_image(vale: Vale) -> None:
    author = await _drafted(vale)
    scene = author.card(EntityKind.LANDMARK)
    owner = author.player.user_id
    stored = await author.service.ask(
        "confirm_asset_object_and_return",
        "genarrative-private",
        f"{owner}/scene/one.png",
        AccessPolicy.OWNER_READ,
        "image/png",
        1_000,
        "ab" * 32,
        owner,
        None,
        "scene",
        AssetSource.UPLOAD,
        None,
        512,
        512,
    )
    vale.mark()
    await author.service.call(
        "bind_asset_object_to_entity",
        stored.asset_object_id,
        AssetEntityKind.LANDMARK,
        f"{author.session_id}:landmark:{scene.entity_key}",
        AssetSlot.SCENE,
        None,
    )


def _broken_model() -> ScriptedModel:
    """What it would do is paid for, and given back."""
    down = TextModelError("dependency.unavailable", "no answer")
    return ScriptedModel(*[(down,)] * 9, repairs=[down] * 9)


_BY_SESSION = frozenset({"document_hash"})
"""A world's document names its session."""

_TOLD = frozenset({"attempt", "chunk_id", "lease_epoch", "begun_lease", "version"})
"""Stages and operations say how often they were begun, and a session how often it changed."""

AGENT_COURSES: Mapping[Step, Course] = {
    _creating: Course(by_chance=_BY_SESSION),
    _answering: Course(_TOLD),
    _chunks_go: Course(waits=(CHUNKS_KEPT_MICROS // _SECOND + 1,)),
    _drafting: Course(_TOLD),
    _lost_worker: Course(_TOLD, waits=(LEASE_MICROS // _SECOND + 1,)),
    _paying: Course(_TOLD, model=_broken_model),
    _not_paying: Course(model=_broken_model),
    _syncing: Course(),
    _publishing_a_session: Course(),
    _refused_publication: Course(),
    _withdrawing_a_session: Course(),
    _putting_aside: Course(),
    _taking_up: Course(),
    _no_slot: Course(),
    _binding_an_image: Course(),
}
