"""Domain 11.4 over real HTTP: a reply that a model writes, followed by several readers."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

from http_client import MODULE, Event, visiting
from model_server import ModelServer, model_server
from served import serving

SESSIONS = "/api/runtime/custom-world/agent/sessions"
TEXT = "A drowned kingdom, then. Who keeps the last light burning?"


def halves(text: str) -> tuple[str, str]:
    """A model's answer in two pieces."""
    turn = {"reply": text, "anchors": [], "suggestedReplies": [], "proposedCards": []}
    whole = json.dumps(turn)
    return whole[:30], whole[30:]


def settings(folder: Path, model: ModelServer) -> str:
    path = folder / "genarrative.toml"
    path.write_text(f'text_models = ["{model.url}#tale-1"]\ntext_model_keys = ["sk-1"]\n')
    return str(path)


async def take_until(events: Any, name: str) -> list[Event]:
    """The next events up to one of a name."""
    found = [await anext(events)]
    while found[-1].event != name:
        found.append(await anext(events))
    return found


def text_of(events: list[Event]) -> str:
    return "".join(event.data["text"] for event in events if event.event == "delta")


async def test_a_reply_is_followed_while_it_is_written(tmp_path: Path) -> None:
    async with model_server() as model:
        flags = ("--config", settings(tmp_path, model))
        with serving(MODULE, tmp_path / "data", *flags) as server:
            async with visiting(server) as visitors:
                user = await visitors.newcomer()
                made = await user.post(SESSIONS, {"locale": "en"}, status=201)
                path = f"{SESSIONS}/{made['session']['agentSessionId']}/messages/stream"
                gate = asyncio.Event()
                first, second = halves(TEXT)
                model.say(first, gate, second)
                body = {"text": "A drowned kingdom.", "clientMessageId": "m1"}
                async with user.stream("POST", path, json=body) as events:
                    seen = await take_until(events, "delta")
                    busy = await user.send("POST", path, json=body | {"clientMessageId": "m2"})
                    assert busy.status_code == 409
                    assert busy.headers["content-type"] == "application/json"
                    error = busy.json()["error"]
                    assert error["code"] == "agent.reply_in_progress_state"
                # The reader has gone; the reply goes on.
                async with user.stream("GET", path) as events:
                    again = await take_until(events, "delta")
                    assert again == seen
                    gate.set()
                    rest = [event async for event in events]
                assert rest[-1].event == "done"
                assert text_of(again + rest) == TEXT
                async with user.stream("GET", path, seen[-1].id) as events:
                    assert [event async for event in events] == rest

                model.say(first, "[cut]")
                body = {"text": "And more.", "clientMessageId": "m3"}
                async with user.stream("POST", path, json=body) as events:
                    broken = [event async for event in events]
                names = [event.event for event in broken]
                assert names[-4:] == ["error", "message_end", "operation", "done"]
                end = broken[-3].data
                assert (end["status"], end["text"]) == ("partial", text_of(broken))
                assert broken[-4].data["partial"] is True
                assert broken[-1].data["operationStatus"] == "failed"
