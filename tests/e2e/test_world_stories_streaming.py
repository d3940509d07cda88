"""Story 5 of domain 13: a reply that a model writes, with the official SDK and HTTP."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from model_server import ModelServer, Step, model_server
from node_programs import Program, run, running
from served import serving

pytestmark = [pytest.mark.node, pytest.mark.usefixtures("node")]

GAME = "actors.domains.entry"
PROSE = "The tail is broken, and stays so."


class Conductor:
    """A model that waits before the pieces of its answers until the program lets it go on."""

    def __init__(self, model: ModelServer) -> None:
        self._model = model
        self._gates: deque[asyncio.Event] = deque()

    def say(self, *pieces: str, end: Sequence[Step] = (), waits_first: bool = False) -> None:
        """Plan an answer: a gate before every piece but the first, and before its end."""
        steps: list[Step] = [self._gate()] if waits_first else []
        for number, piece in enumerate(pieces):
            steps += [self._gate(), piece] if number else [piece]
        if end:
            steps += [self._gate(), *end]
        self._model.say(*steps)

    async def follow(self, program: Program) -> Any:
        """Open gates as the program says; answers what it reports in the end."""
        while True:
            word = await asyncio.to_thread(program.next)
            if word != "go":
                assert not self._gates
                return word
            self._gates.popleft().set()

    def _gate(self) -> asyncio.Event:
        gate = asyncio.Event()
        self._gates.append(gate)
        return gate


def turn(reply: str, **anchors: str) -> str:
    """A whole answer."""
    found = [{"key": key, "value": text, "confidence": 900} for key, text in anchors.items()]
    answer = {"reply": reply, "anchors": found, "suggestedReplies": [], "proposedCards": []}
    return json.dumps(answer)


def pieces(letter: str, count: int = 7) -> list[str]:
    """An answer in pieces, each with some of its text."""
    head, _, tail = turn("#").partition("#")
    texts = [f"{letter}{number}" for number in range(count)]
    texts[0] = head + texts[0]
    texts[-1] += tail
    return texts


def broken(reply: str) -> str:
    """An answer whose text is well, and the rest is not."""
    return turn(reply).replace("[]", "nonsense")


def plan(conductor: Conductor, model: ModelServer) -> None:
    """What the model will be asked in story 5, in order."""
    conductor.say(*pieces("c")[:4], end=["[cut]"])
    conductor.say(*pieces("n"), waits_first=True)
    model.say(401)
    model.say(broken("Say more."))
    model.say(PROSE)
    model.say(turn("Say more.", opening_scene="A flooded stair."))
    model.say(broken("Tell me."))
    model.say(PROSE)
    model.say(PROSE)
    conductor.say(*pieces("k")[:2])
    model.scripts[-1].append(asyncio.Event())  # and no further


def settings(folder: Path, model: ModelServer) -> str:
    path = folder / "genarrative.toml"
    path.write_text(f'text_models = ["{model.url}#tale-1"]\ntext_model_keys = ["sk-1"]\n')
    return str(path)


async def test_story_five(store: str, tmp_path: Path) -> None:
    async with model_server() as model:
        conductor = Conductor(model)
        plan(conductor, model)
        flags = ("--store", store, "--config", settings(tmp_path, model))
        with serving(GAME, tmp_path / "data", *flags) as server:
            service = server.token("service")
            with running("story_five", server, "v3", SERVICE_TOKEN=service) as program:
                before = await conductor.follow(program)
                await model.gone.wait()
                server.kill()
                await asyncio.to_thread(program.finish)
            assert model.scripts == []
            server.start()
            tokens = {"TOKEN": before["token"], "STRANGER": before["stranger"]}
            after = await asyncio.to_thread(run, "story_five", server, "v3", **tokens)
            assert after["rows"] == before["rows"]
            server.stop()
            assert "Traceback" not in server.log()
