"""A text model that says what a test has written down for it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Iterable

from actors.module.text_model import Prompt

Step = str | Exception | asyncio.Event


def said(narration: str, **more: object) -> str:
    """A whole answer."""
    return json.dumps({"narration": narration, **more}, ensure_ascii=False)


class ScriptedModel:
    """Each stream plays the next script: texts are said, errors raised, events waited for. Each
    repair is the next of ``repairs``.

    Attributes:
        prompts: what it was asked, in order, streams and repairs alike.
        users: for whom.
        closed: how many streams have ended, in whatever way.
    """

    def __init__(self, *scripts: Iterable[Step], repairs: Iterable[Step] = ()) -> None:
        self._scripts = [list(script) for script in scripts]
        self._repairs = list(repairs)
        self.prompts: list[Prompt] = []
        self.users: list[str] = []
        self.closed = 0

    def add(self, *script: Step) -> None:
        self._scripts.append(list(script))

    def repair(self, *answers: Step) -> None:
        self._repairs += answers

    async def stream_text(
        self, prompt: Prompt, *, user_id: str, tokens_max: int
    ) -> AsyncGenerator[str, None]:
        assert tokens_max > 0
        self.prompts.append(prompt)
        self.users.append(user_id)
        try:
            for step in self._scripts.pop(0):
                if isinstance(step, asyncio.Event):
                    await step.wait()
                elif isinstance(step, Exception):
                    raise step
                else:
                    yield step
        finally:
            self.closed += 1

    async def complete_structured(
        self, prompt: Prompt, *, user_id: str, tokens_max: int, json_schema: str
    ) -> str:
        assert tokens_max > 0
        assert json.loads(json_schema)["type"] == "object"
        self.prompts.append(prompt)
        self.users.append(user_id)
        answer = self._repairs.pop(0)
        if isinstance(answer, asyncio.Event):
            await answer.wait()
            return ""
        if isinstance(answer, Exception):
            raise answer
        return answer
