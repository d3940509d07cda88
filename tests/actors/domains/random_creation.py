"""Random creation: authors, readers, moderators and workers do whatever comes to mind, and after
every call the laws of creation, library and gallery hold.

``python tests/actors/domains/random_creation.py FIRST LAST STEPS`` plays the seeds of a range.
"""

from __future__ import annotations

import asyncio
import sys
from collections import Counter
from collections.abc import AsyncGenerator, Mapping
from random import Random
from typing import Any

from random_bench import StillVale, complaints
from random_calls import Call
from random_creation_laws import check_session, check_session_step
from random_gallery_laws import (
    check_catalog,
    check_library,
    check_published,
    check_sessions,
    check_works,
)
from random_laws import Rows
from random_play import RandomPlay
from random_worker import WorkerCaller
from shelf_in_memory import ShelfInMemory
from user_bench import SERVICE, START_MICROS, claims
from vale_bench import MODULE

from actors.claims import Claims
from actors.domains.custom_world.agent.compile import compile_session
from actors.domains.custom_world.agent.operations import EFFECT, CustomWorldAgentOperation
from actors.domains.custom_world.agent.preview import CustomWorldResultPreview
from actors.domains.custom_world.agent.session import CustomWorldAgentSession
from actors.domains.custom_world.gallery import CustomWorldGalleryEntry, Moderation
from actors.domains.kinds import AGENT
from actors.domains.rules.ids import owner_of
from actors.errors import TextModelError
from actors.host import Host
from actors.keys import ActorKey, user_id_of
from actors.module.image_model import ImageModel
from actors.module.object_store import ObjectStore
from actors.module.system import OutboxMessage
from actors.module.text_model import Prompt, TextModel
from persistence.memory import MemoryDisk, MemoryStore

__all__ = ["RandomCreation", "create"]

_SECOND = 1_000_000
_SEED = "A drowned kingdom under a curse. The tone is grim mystery. I want to be a ferryman hero."
_CATALOG = ActorKey("catalog/0")
_ANSWERS = (
    '{"reply": "Noted.", "anchors": [], "suggestedReplies": [], "proposedCards": []}',
    '{"reply": "xx-blocked-xx", "anchors": []}',
    '{"reply": "Go',
    "prose",
    '{"prompt": "A harbor", "palette": [], "mood": "calm"}',
    "{}",
    "",
)


class _Model:
    """A model of texts and images that answers, breaks off or talks nonsense."""

    def __init__(self, seed: int) -> None:
        self._rng = Random(seed)

    async def stream_text(
        self, prompt: Prompt, *, user_id: str, tokens_max: int
    ) -> AsyncGenerator[str, None]:
        text = self._rng.choice(_ANSWERS)
        for start in range(0, len(text), 20):
            yield text[start : start + 20]
            if self._rng.random() < 0.05:
                raise TextModelError("dependency.timeout", "it is late")

    async def complete_structured(
        self, prompt: Prompt, *, user_id: str, tokens_max: int, json_schema: str
    ) -> str:
        if self._rng.random() < 0.2:
            raise TextModelError("dependency.unavailable", "nobody is there")
        return self._rng.choice(_ANSWERS)

    async def generate_image(
        self, prompt: str, *, width: int, height: int, seed: int | None, user_id: str
    ) -> bytes:
        if self._rng.random() < 0.5:
            raise TextModelError("dependency.unavailable", "nobody is there")
        return self._rng.choice([b"", b"not an image"])


class _Studio(StillVale):
    """A host whose sessions are worked at by the game's workers, or by the test."""

    is_idle = False

    async def start(self) -> None:
        store = MemoryStore(self.disk)
        await store.open()
        self.host = Host(
            MODULE, store, secret=bytes(32), clock=self.clock, providers=self.providers
        )
        await self.host.start()
        if self.is_idle:
            self.host.effects.register(EFFECT, _idle)


async def _idle(source: ActorKey, message: OutboxMessage) -> None:
    """A worker that takes every request and does nothing."""


class RandomCreation(RandomPlay):
    """Authors at their sessions, libraries and the gallery, on one host after another."""

    late = (
        *RandomPlay.late,
        "create_custom_world_agent_session",
        "publish_custom_world",
        "generate_custom_world",
        "publish_world",
    )

    def __init__(self, seed: int) -> None:
        chance = Random(seed)
        self.is_idle = chance.random() < 0.6
        self.ports = chance.choice([(), (), (TextModel,), (TextModel, ImageModel)])
        self.has_shelf = chance.random() < 0.7
        self.shelf = ShelfInMemory()
        self.seed = seed
        super().__init__(seed)
        user_ids = [user_id_of(who.identity) for who in (*self.people, SERVICE)]
        self.author = self.caller = WorkerCaller(self.rng, self.vale, user_ids)

    def _open(self, disk: MemoryDisk, micros: int = START_MICROS) -> StillVale:
        model = _Model(self.seed)
        providers: dict[type, object] = dict.fromkeys(self.ports, model)
        if self.has_shelf:
            providers[ObjectStore] = self.shelf
        vale = _Studio(disk, providers)
        vale.is_idle = self.is_idle
        vale.clock.micros = micros
        return vale

    def _people(self) -> list[Claims]:
        authors = [claims(number) for number in range(1, 3 + self.rng.randrange(2))]
        return [*authors, claims(50, "player", "creator", "moderator")]

    async def _gather(self) -> None:
        """Everybody begins a session; some have a foundation soon."""
        for who in self.people:
            player = self.players[who.subject]
            await player.ask("create_custom_world_agent_session_and_return", _SEED, None)
            await self.vale.settle()
            for action in ("draft_foundation", "generate_cover"):
                await self._work()
                self.author.look_as(player)
                fields = (self.author.session_id, action, "{}", None)
                await self._make(Call(player, "execute_custom_world_agent_action", fields))

    async def _work(self) -> None:
        """Let what runs come to its end."""
        service = self.players[SERVICE.subject]
        call = self.author.finish(service) if self.is_idle else None
        if call is not None:
            await self._make(call)

    def _next(self) -> Call:
        users = [each for each in self.players.values() if each.claims != SERVICE]
        service = self.players[SERVICE.subject]
        self.author.service = service if self.is_idle else None
        is_service = self.rng.random() < 0.1 or not users
        return self.caller.next([service] if is_service else users)

    async def _pass_time(self, step: int) -> None:
        draw = self.rng.random()
        micros = self.rng.randint(300, 4_000) * 1_000
        if draw < 0.05:
            micros = self.rng.choice([20, 61, 61, 130, 700]) * _SECOND
        elif draw < 0.053:
            micros = 25 * 3600 * _SECOND
        self.history.append(f"step {step}: {micros / _SECOND} s later")
        await self.vale.let_time_pass(micros)
        await self._look()

    def _note(self, name: str, call: Call) -> None:
        """Domain 7.6: only who holds the last lease of an operation may end it."""
        super()._note(name, call)
        if name == "finish_agent_operation":
            operation_id, epoch, *_ = call.fields
            rows = self.vale.rows(AGENT.key(owner_of(operation_id)), CustomWorldAgentOperation)
            ended = [row for row in rows if row.operation_id == operation_id]
            assert all(row.lease_epoch == epoch for row in ended), (ended, epoch)

    # Laws

    def _check(self, before: dict[str, Rows], changed: dict[str, Rows]) -> None:
        super()._check(before, changed)
        _check_each(changed)
        for key, rows in changed.items():
            if key.startswith("agent/") and key in before:
                check_session_step(before[key], rows)
        if not changed:
            return
        check_sessions(self.rows)
        check_published(self.rows[_CATALOG], self.rows)
        for key in changed:
            if key.startswith("agent/"):
                self._check_compile(ActorKey(key))
        self._check_lists()

    def _check_compile(self, key: ActorKey) -> None:
        """Domain 6.3, 6.4: the preview is what the cards compile to, whenever they do."""
        for preview in self.rows[key][CustomWorldResultPreview]:
            compiled = compile_session(self.vale.host.core(key).database)
            assert preview.document_hash == compiled.document_hash, key

    def _check_lists(self) -> None:
        """Domain 6.8, 6.9: what clients are shown follows from the rows."""
        sessions = {
            row.agent_session_id: row
            for key, rows in self.rows.items()
            if key.startswith("agent/")
            for row in rows[CustomWorldAgentSession]
        }
        entries = self.rows[_CATALOG][CustomWorldGalleryEntry]
        shown = [row for row in entries if row.moderation is Moderation.VISIBLE]
        for player in self.players.values():
            if player.claims == SERVICE:
                continue
            works = player.rows("my_custom_world_works")
            check_works(works, self.rows[player.home], sessions)
            top = player.rows("gallery_top_liked")
            assert sorted(top, key=repr) == sorted(shown, key=repr)

    def _check_image(self, rows: Mapping[str, Rows]) -> None:
        super()._check_image(rows)
        _check_each(rows)


def _check_each(changed: Mapping[str, Rows]) -> None:
    for key, rows in changed.items():
        if key.startswith("agent/"):
            check_session(rows)
        elif key.startswith("user/"):
            check_library(rows)
        elif key.startswith("catalog/"):
            check_catalog(rows)


def create(seed: int, steps: int) -> RandomCreation:
    """Play a seed; the error of a broken law names the last calls."""
    with complaints(f"seed {seed}, {steps} steps"):
        one = RandomCreation(seed)
        asyncio.run(one.run(steps))
    return one


def _main(first: int, last: int, steps: int) -> None:
    accepted: Counter[Any] = Counter()
    refused: Counter[Any] = Counter()
    for seed in range(first, last + 1):
        one = create(seed, steps)
        accepted += one.accepted
        refused += one.refused
        print(seed, sum(one.accepted.values()), sum(one.refused.values()), flush=True)
    print(accepted)
    print(refused)


if __name__ == "__main__":
    _main(*map(int, sys.argv[1:]))
