"""Domain 11.2, rows 8-14 over real HTTP: creation sessions without a model."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from http_client import Event, Game, User, Visitors, game_server, visiting

SESSIONS = "/api/runtime/custom-world/agent/sessions"
SEED = (
    "A drowned kingdom under two moons. The tone is grim but warm. I want to be a lighthouse "
    "keeper. The war against the tide threatens every harbor."
)


@pytest.fixture(scope="module")
def game(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Game]:
    with game_server(tmp_path_factory.mktemp("http")) as running:
        yield running


@pytest.fixture
async def visitors(game: Game) -> AsyncIterator[Visitors]:
    async with visiting(game.server) as found:
        yield found


class Creation:
    """A creation session of a user's."""

    def __init__(self, user: User, session: dict[str, Any]) -> None:
        self.user = user
        self.path = f"{SESSIONS}/{session['agentSessionId']}"

    async def state(self) -> Any:
        return await self.user.get(self.path)

    async def say(self, text: str, key: str = "m1") -> list[Event]:
        """Say something, and follow the reply to its end."""
        body = {"text": text, "clientMessageId": key}
        async with self.user.stream("POST", f"{self.path}/messages/stream", json=body) as events:
            return [event async for event in events]

    async def act(self, action: str, **payload: Any) -> Any:
        """Ask for an action, and wait for its end; answers the operation."""
        body = {"action": action, "payload": payload}
        answer = await self.user.send("POST", f"{self.path}/actions", json=body)
        assert answer.status_code in {200, 202}, answer.text
        operation = answer.json()["operation"]
        path = f"{self.path}/operations/{operation['operationId']}"
        shown = await self.user.get_until(path, is_over)
        return shown["operation"]


def is_over(answer: Any) -> bool:
    return answer["operation"]["status"] in {"succeeded", "failed", "cancelled"}


async def begin(user: User, **body: Any) -> Creation:
    return Creation(user, (await user.post(SESSIONS, body, status=201))["session"])


async def drafted(user: User) -> Creation:
    """A session with a foundation."""
    creation = await begin(user, locale="en")
    await creation.say(SEED)
    operation = await creation.act("draft_foundation", replace=False)
    assert operation["status"] == "succeeded", operation
    return creation


async def test_a_session_is_begun_read_and_listed(visitors: Visitors) -> None:
    user = await visitors.newcomer()
    made = await user.post(SESSIONS, {"locale": "en"}, status=201)
    assert set(made) == {"session", "messages", "operations"}
    assert (made["session"]["stage"], len(made["messages"])) == ("collecting", 1)
    state = await user.get(f"{SESSIONS}/{made['session']['agentSessionId']}")
    assert set(state) == {
        *("session", "messages", "operations", "cards", "findings", "resultPreview"),
        *("supportedActions", "checkpoints"),
    }
    assert state["session"]["anchors"]
    second = await user.post(SESSIONS, {}, status=201)
    page = await user.get(SESSIONS, limit=1)
    rest = await user.get(SESSIONS, limit=1, cursor=page["nextCursor"])
    ids = [row["agentSessionId"] for row in page["items"] + rest["items"]]
    assert sorted(ids) == sorted(one["session"]["agentSessionId"] for one in (made, second))
    assert rest["nextCursor"] is None


async def test_sessions_of_others_are_secret(visitors: Visitors) -> None:
    user, stranger = await visitors.newcomer(), await visitors.newcomer()
    path = (await begin(user)).path
    message = {"text": "hello", "clientMessageId": "m1"}
    requests = [
        ("GET", path, None),
        ("POST", f"{path}/messages", message),
        ("POST", f"{path}/messages/stream", message),
        ("GET", f"{path}/messages/stream", None),
        ("POST", f"{path}/actions", {"action": "create_checkpoint", "payload": {}}),
        ("GET", f"{path}/operations/op_1", None),
        ("POST", f"{path}/operations/op_1/cancel", {}),
        ("GET", f"{path}/cards/card_1", None),
    ]
    for method, address, body in requests:
        refusal = await stranger.refused(method, address, json=body)
        assert (refusal.status, refusal.code) == (404, "agent.session_not_found"), address


async def test_a_message_is_answered(visitors: Visitors) -> None:
    user = await visitors.newcomer()
    creation = await begin(user, locale="en")
    body = {"text": SEED, "clientMessageId": "m1"}
    turn = await user.post(f"{creation.path}/messages", body, status=202)
    assert set(turn) == {"userMessage", "assistantMessage", "operation"}
    assert turn["operation"]["action"] == "agent_reply"
    path = f"{creation.path}/operations/{turn['operation']['operationId']}"
    operation = (await user.get_until(path, is_over))["operation"]
    assert (operation["status"], operation["resultSource"]) == ("succeeded", "fallback")
    again = await user.post(f"{creation.path}/messages", body, status=202)
    assert again["userMessage"]["messageId"] == turn["userMessage"]["messageId"]
    state = await creation.state()
    assert [row["seq"] for row in state["messages"]] == [1, 2, 3]
    older = await user.get(creation.path, messagesBefore=3, messageLimit=1)
    assert [row["seq"] for row in older["messages"]] == [2]


@pytest.mark.parametrize(
    ("text", "code"), [("", "input.text_empty"), ("x" * 4001, "input.text_too_long")]
)
async def test_messages_have_bounds(visitors: Visitors, text: str, code: str) -> None:
    user = await visitors.newcomer()
    creation = await begin(user)
    body = {"text": text, "clientMessageId": "m1"}
    for path in (f"{creation.path}/messages", f"{creation.path}/messages/stream"):
        refusal = await user.refused("POST", path, json=body)
        assert (refusal.status, refusal.code) == (400, code)


async def test_a_foundation_is_drafted_and_worked_at(visitors: Visitors) -> None:
    user = await visitors.newcomer()
    creation = await drafted(user)
    state = await creation.state()
    assert len(state["cards"]) == 39
    assert (state["session"]["stage"], state["session"]["qualityScore"]) == ("publish_ready", 600)
    npc = next(card for card in state["cards"] if card["kind"] == "npc")
    assert npc["payload"]["key"] == npc["entityKey"]
    path = f"{creation.path}/cards/{npc['cardId']}"
    shown = await user.get(path)
    assert set(shown) == {"card", "findings", "referencedBy", "assetLinks"}
    assert shown["card"] == npc
    patch = {"cardId": npc["cardId"], "patch": {"name": "Harbor Master Ione"}}
    answer = await user.post(
        f"{creation.path}/actions", {"action": "update_draft_card", "payload": patch}
    )
    assert set(answer) == {"operation", "session"}
    assert answer["operation"]["status"] == "succeeded"
    assert answer["session"]["revision"] == state["session"]["revision"] + 1
    assert (await user.get(path))["card"]["title"] == "Harbor Master Ione"
    stale = {"action": "update_draft_card", "payload": patch, "expectedRevision": 1}
    refusal = await user.refused("POST", f"{creation.path}/actions", json=stale)
    assert (refusal.status, refusal.code) == (409, "agent.stale_version")
    assert (await user.send("PATCH", path, json={})).status_code == 405
    missing = await user.refused("GET", f"{creation.path}/cards/card_none")
    assert (missing.status, missing.code) == (404, "agent.card_not_found")


async def test_actions_are_refused_with_reasons(visitors: Visitors) -> None:
    user = await visitors.newcomer()
    path = f"{(await begin(user)).path}/actions"
    unknown = await user.refused("POST", path, json={"action": "launch_rocket", "payload": {}})
    assert (unknown.status, unknown.code) == (400, "agent.action_unknown")
    early = await user.refused("POST", path, json={"action": "publish_world", "payload": {}})
    assert (early.status, early.code) == (409, "agent.action_disabled_state")
    assert early.details["reasonCode"]


async def test_an_ended_operation_is_not_called_off(visitors: Visitors) -> None:
    user = await visitors.newcomer()
    creation = await begin(user)
    operation = await creation.act("create_checkpoint", label="first")
    path = f"{creation.path}/operations/{operation['operationId']}"
    final = await user.refused("POST", f"{path}/cancel", json={})
    assert (final.status, final.code) == (409, "agent.operation_final_state")
    assert (await user.get(path))["operation"] == operation
    missing = await user.refused("GET", f"{creation.path}/operations/op_none")
    assert (missing.status, missing.code) == (404, "agent.operation_not_found")


async def test_a_session_becomes_a_world_that_is_played(visitors: Visitors) -> None:
    user = await visitors.newcomer()
    creation = await drafted(user)
    operation = await creation.act("publish_world")
    assert operation["status"] == "succeeded", operation
    session = (await creation.state())["session"]
    assert session["stage"] == "published"
    profile_id = session["resultProfileId"]
    shown = await user.get(f"/api/runtime/custom-world-library/{profile_id}")
    assert shown["profile"]["publicationStatus"] == "published"
    owner = shown["profile"]["ownerUserId"]
    entry = await visitors.guest.get(f"/api/runtime/custom-world-gallery/{owner}/{profile_id}")
    assert all(check["passed"] for check in entry["enterGate"])
    player = await visitors.newcomer()
    role = entry["world"]["roles"][0]["key"]
    body = {"profileId": profile_id, "roleKey": role}
    story = await player.post("/api/runtime/story/sessions", body, status=201)
    assert story["session"]["status"] == "active"
    (work,) = (await user.get("/api/runtime/custom-world/works"))["items"]
    assert (work["workKind"], work["agentSessionId"]) == ("published", session["agentSessionId"])


async def test_a_reply_is_streamed_in_order(visitors: Visitors) -> None:
    user = await visitors.newcomer()
    creation = await begin(user, locale="en")
    events = await creation.say(SEED)
    names = [event.event for event in events]
    middle = [name for name in names if name not in {"delta", "session", "cards"}]
    assert middle == [
        *("user_message", "operation", "operation", "message_start"),
        *("message_end", "operation", "done"),
    ]
    statuses = [event.data["operation"]["status"] for event in events if event.event == "operation"]
    assert statuses == ["queued", "running", "succeeded"]
    deltas = [event for event in events if event.event == "delta"]
    end = next(event.data for event in events if event.event == "message_end")
    assert "".join(event.data["text"] for event in deltas) == end["text"]
    assert (end["status"], end["textSource"]) == ("complete", "fallback")
    assert all(len(event.data["text"]) <= 120 for event in deltas)
    message_id = end["messageId"]
    assert [event.id for event in deltas] == [
        f"{message_id}:1:{sequence}" for sequence in range(len(deltas))
    ]
    assert names.index("session") < names.index("message_end")
    assert events[-1].data["operationStatus"] == "succeeded"

    for which in ({}, {"messageId": message_id}):
        path = f"{creation.path}/messages/stream"
        async with user.stream("GET", path, params=which) as again:
            assert [event async for event in again] == events
    place = deltas[0].id
    async with user.stream("GET", f"{creation.path}/messages/stream", place) as again:
        resumed = [event async for event in again]
    assert resumed == [event for event in events if event not in events[: events.index(deltas[1])]]
    for wrong in ("x", f"{message_id}:1", f"{message_id}:a:1"):
        refusal = await user.refused(
            "GET", f"{creation.path}/messages/stream", headers={"last-event-id": wrong}
        )
        assert (refusal.status, refusal.code) in {
            (400, "input.invalid_id"),
            (404, "agent.message_not_found"),
        }
    missing = await user.refused(
        "GET", f"{creation.path}/messages/stream", params={"messageId": "msg_none"}
    )
    assert (missing.status, missing.code) == (404, "agent.message_not_found")
