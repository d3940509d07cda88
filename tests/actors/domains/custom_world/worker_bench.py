"""A creation session whose operations the game's own worker works at, with scripted models."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from agent_bench import AGENT_TABLES, Studio
from scripted_model import ScriptedModel
from user_bench import SERVICE, claims
from vale_bench import running_vale

from actors.domains.custom_world.agent.messages import CustomWorldAgentMessage
from actors.domains.custom_world.agent.operations import CustomWorldAgentOperation, is_final
from actors.module.text_model import TextModel


class Workshop(Studio):
    """A studio where the test only watches the worker."""

    async def until(self, happened: Callable[[], Any]) -> None:
        """Wait for the session's actor to come so far."""
        while not happened():
            commit = await self.vale.host.next_commit(self.actor)
            if not happened():
                await commit
        await self.vale.settle()

    async def ended(self) -> CustomWorldAgentOperation:
        """The newest operation, once it has ended."""
        await self.until(lambda: is_final(self.newest))
        return self.newest

    @property
    def newest(self) -> CustomWorldAgentOperation:
        rows: list[CustomWorldAgentOperation] = self.rows(CustomWorldAgentOperation)
        return max(rows, key=lambda row: (row.created_at, row.operation_id))

    @property
    def last(self) -> CustomWorldAgentMessage:
        return self.messages()[-1]

    async def done(self, action: str, **payload: Any) -> CustomWorldAgentOperation:
        """Ask for something, and wait until the worker has done it."""
        await self.act(action, **payload)
        return await self.ended()


def turn(reply: str, **more: object) -> str:
    """A whole turn of the assistant."""
    whole = {"reply": reply, "anchors": [], "suggestedReplies": [], **more}
    return json.dumps(whole, ensure_ascii=False)


@asynccontextmanager
async def workshop(
    model: ScriptedModel | None = None,
    *,
    seed: str | None = None,
    locale: str | None = None,
    providers: dict[type, object] | None = None,
) -> AsyncIterator[Workshop]:
    """A user with a session; what the seed begins has ended."""
    ports: dict[type, object] = dict(providers or {})
    if model is not None:
        ports[TextModel] = model
    async with running_vale(providers=ports) as vale:
        player = await vale.enter(claims(1))
        bench = Workshop(vale, player, await vale.enter(SERVICE))
        await bench.create(seed, locale)
        await player.subscribe(*AGENT_TABLES, "ai_text_chunk")
        if seed is not None:
            await bench.ended()
        yield bench
