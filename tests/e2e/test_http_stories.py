"""Domain 11.3 over real HTTP: stories, battles, npcs, quests, treasures and inventory."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from http_client import PROFILE, Event, Game, User, Visitors, game_server, visiting

SESSIONS = "/api/runtime/story/sessions"
BATTLES = "/api/runtime/battles"
INVENTORY = "/api/runtime/inventory"


@pytest.fixture(scope="module")
def game(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Game]:
    with game_server(tmp_path_factory.mktemp("http")) as running:
        yield running


@pytest.fixture
async def visitors(game: Game) -> AsyncIterator[Visitors]:
    async with visiting(game.server) as found:
        yield found


class Story:
    """A user's playthrough of Test Vale."""

    def __init__(self, user: User, session: dict[str, Any]) -> None:
        self.user = user
        self.session = session
        self.path = f"{SESSIONS}/{session['storySessionId']}"

    async def state(self) -> Any:
        return await self.user.get(self.path)

    async def choose(self, function: str, target: str | None = None) -> Any:
        state = await self.state()
        choice = next(
            row
            for row in state["choices"]
            if row["function"] == function and target in {None, row["targetKey"]}
        )
        turn = {"choiceId": choice["choiceId"], "expectedTurn": state["session"]["turn"]}
        answer = await self.user.post(f"{self.path}/continue", turn)
        self.session = answer["session"]
        return self.session

    async def fight_out(self, battle: Any) -> Any:
        while battle["battle"]["status"] == "active":
            foes = [
                row for row in battle["combatants"] if row["side"] == "hostile" and row["alive"]
            ]
            act = {
                "action": "basic_attack",
                "targetSeq": min(foes, key=lambda row: row["hp"])["seq"],
                "expectedVersion": battle["battle"]["version"],
            }
            path = f"{BATTLES}/{battle['battle']['battleStateId']}/actions"
            resolution = await self.user.post(path, act)
            assert set(resolution) == {"snapshot", "events", "outcome"}
            battle = resolution["snapshot"]
        return resolution


async def begin(user: User) -> Story:
    body = {"profileId": PROFILE, "roleKey": "wanderer"}
    answer = await user.post(SESSIONS, body, status=201)
    assert set(answer) == {"session"}
    assert answer["session"]["status"] == "active"
    return Story(user, answer["session"])


async def take(events: AsyncIterator[Event], *names: str) -> list[Event]:
    """The next events, which must have these names; rewards may come among them."""
    found: list[Event] = []
    while len(found) < len(names):
        event = await anext(events)
        if event.event != "settlement":
            found.append(event)
    assert [event.event for event in found] == list(names)
    return found


async def test_a_story_is_begun_read_and_given_up(visitors: Visitors) -> None:
    user = await visitors.newcomer()
    story = await begin(user)
    state = await story.state()
    assert set(state) == {
        *("session", "participants", "events", "choices", "npcs", "quests", "battle"),
    }
    assert state["session"]["storySessionId"] == story.session["storySessionId"]
    assert state["session"]["createdAt"].endswith("Z")
    assert state["battle"] is None
    before = story.session["turn"]
    assert (await story.choose("travel", "mill"))["turn"] == before + 1
    gone = await user.post(f"{story.path}/abandon")
    assert gone["session"]["status"] == "abandoned"
    assert (await user.refused("POST", f"{story.path}/abandon", json={})).status == 409


async def test_events_come_in_pages(visitors: Visitors) -> None:
    user = await visitors.newcomer()
    story = await begin(user)
    for place in ("mill", "square"):
        await story.choose("travel", place)
    everything = await user.get(f"{story.path}/events")
    assert everything["nextCursor"] is None
    seqs = [row["seq"] for row in everything["items"]]
    assert seqs == list(range(len(seqs), 0, -1))
    found, cursor = [], {}
    while True:
        page = await user.get(f"{story.path}/events", limit=2, **cursor)
        assert 1 <= len(page["items"]) <= 2
        found += page["items"]
        if page["nextCursor"] is None:
            break
        cursor = {"cursor": page["nextCursor"]}
    assert found == everything["items"]


async def test_a_turn_has_a_choice_or_words(visitors: Visitors) -> None:
    user = await visitors.newcomer()
    story = await begin(user)
    turn = story.session["turn"]
    spoken = {"freeText": "Look around", "expectedTurn": turn}
    answer = await user.post(f"{story.path}/continue", spoken)
    assert answer["session"]["turn"] == turn + 1
    stale = await user.refused("POST", f"{story.path}/continue", json=spoken)
    assert (stale.status, stale.code) == (409, "story.stale_version")
    both = spoken | {"choiceId": "x", "expectedTurn": turn + 1}
    neither = await user.refused("POST", f"{story.path}/continue", json=both)
    assert (neither.status, neither.code) == (400, "story.invalid_input")


async def test_a_repeated_call_is_answered_again(visitors: Visitors) -> None:
    user = await visitors.newcomer()
    story = await begin(user)
    spoken = {"freeText": "Wait", "expectedTurn": story.session["turn"]}
    key = {"idempotency-key": "turn-1"}
    sent = [
        await user.send("POST", f"{story.path}/continue", json=spoken, headers=key)
        for _ in range(2)
    ]
    assert sent[0].status_code == 200
    assert sent[0].content == sent[1].content
    other = {"freeText": "Run", "expectedTurn": story.session["turn"]}
    refusal = await user.refused("POST", f"{story.path}/continue", json=other, headers=key)
    assert (refusal.status, refusal.code) == (409, "idempotency.conflict")


async def test_others_join_by_invitation(visitors: Visitors) -> None:
    host, guest = await visitors.newcomer(), await visitors.newcomer()
    story = await begin(host)
    assert (await guest.refused("GET", story.path)).code == "story.not_found"
    invited = await host.post(f"{story.path}/invite")
    body = {
        "storySessionId": story.session["storySessionId"],
        "inviteCode": invited["inviteCode"],
        "role": "spectator",
    }
    joined = await guest.post("/api/runtime/story/join", body)
    assert joined["session"]["storySessionId"] == story.session["storySessionId"]
    assert len((await guest.get(story.path))["participants"]) == 2
    wrong = await guest.refused("POST", "/api/runtime/story/join", json=body | {"inviteCode": "x"})
    assert (wrong.status, wrong.code) == (404, "story.invite_not_found")


async def test_a_story_is_followed(visitors: Visitors) -> None:
    user = await visitors.newcomer()
    story = await begin(user)
    async with user.stream("GET", f"{story.path}/stream") as events:
        (newest, choices) = await take(events, "story_event", "choices")
        assert choices.data["choices"] == (await story.state())["choices"]
        await story.choose("travel", "mill")
        (moved, _) = await take(events, "story_event", "choices")
        assert moved.data["event"]["kind"] == "scene_entered"
    async with user.stream("GET", f"{story.path}/stream", newest.id) as events:
        (again, _) = await take(events, "story_event", "choices")
        assert again == moved
    stranger = await visitors.newcomer()
    refusal = await stranger.refused("GET", f"{story.path}/stream")
    assert (refusal.status, refusal.code) == (404, "story.not_found")


async def test_a_battle_is_fought_and_pays(visitors: Visitors) -> None:
    user = await visitors.newcomer()
    story = await begin(user)
    await story.choose("travel", "mill")
    choice = next(row for row in (await story.state())["choices"] if row["function"] == "fight")
    body = {
        "storySessionId": story.session["storySessionId"],
        "battleMode": "fight",
        "encounterKey": choice["targetKey"],
    }
    async with user.stream("GET", f"{story.path}/stream") as events:
        made = await user.post(BATTLES, body, status=201)
        assert set(made) == {"battle", "combatants"}
        while (event := await anext(events)).event != "battle":
            pass
        path = f"{BATTLES}/{made['battle']['battleStateId']}"
        battle = await user.get(path)
        while battle["battle"]["status"] == "preparing":
            while (event := await anext(events)).event != "battle":
                pass
            battle = event.data
        resolution = await story.fight_out(battle)
        assert resolution["outcome"] == "victory"
        paid = None
        while paid is None or (paid["source"], paid["status"]) != ("hostile_defeat", "settled"):
            event = await anext(events)
            paid = event.data["settlement"] if event.event == "settlement" else None
    assert paid["result"]["xpGranted"] > 0
    progression = (await user.get("/api/runtime/progression"))["progression"]
    assert progression["totalXp"] == paid["result"]["xpGranted"]
    await story.choose("travel", "square")
    quest = (await user.post(f"{story.path}/quests/clear_mill/turn-in"))["quest"]
    assert quest["status"] == "turn_in_pending"
    foes = body | {"hostiles": [{"hostileKey": "x", "rank": "boss", "count": 1}]}
    assert (await user.refused("POST", BATTLES, json=foes)).code == "auth.forbidden"
    missing = await user.refused("GET", f"{path}x")
    assert (missing.status, missing.code) == (404, "combat.not_found")


async def test_npcs_talk_help_trade_and_come_along(visitors: Visitors) -> None:
    user = await visitors.newcomer()
    story = await begin(user)
    mayor = (await user.post(f"{story.path}/npcs/mayor/talk"))["npc"]
    assert (mayor["npcKey"], mayor["affinity"], mayor["relationStage"]) == ("mayor", 3, "neutral")
    smith = next(row for row in (await story.state())["npcs"] if row["npcKey"] == "smith")
    offer = smith["tradeStock"][0]
    deal = {
        "kind": "buy",
        "itemId": offer["itemId"],
        "quantity": 1,
        "expectedUnitPrice": offer["unitPrice"],
    }
    dear = await user.refused(
        "POST", f"{story.path}/npcs/smith/trade", json=deal | {"expectedUnitPrice": 1}
    )
    assert (dear.status, dear.code) == (409, "npc.price_changed_conflict")
    bought = (await user.post(f"{story.path}/npcs/smith/trade", deal))["exchange"]
    assert (bought["kind"], bought["itemId"]) == ("buy", offer["itemId"])

    await story.choose("travel", "mill")
    scout = f"{story.path}/npcs/scout"
    helped = (await user.post(f"{scout}/help"))["npc"]
    assert helped["helpUsedChapter"] == 1
    given = (await user.post(f"{scout}/gift", {"itemId": "core_healing_herb"}))["exchange"]
    assert (given["kind"], given["status"]) == ("gift", "pending")
    early = await user.refused("POST", f"{scout}/recruit", json={})
    assert (early.status, early.code) == (422, "npc.requirements_not_met")
    while (await user.post(f"{scout}/talk"))["npc"]["affinity"] < 59:
        await user.post(f"{scout}/gift", {"itemId": "core_healing_herb"})
    await user.post(f"{scout}/talk")
    assert (await user.post(f"{scout}/recruit"))["npc"]["recruited"] is True
    assert (await user.post(f"{scout}/dismiss"))["npc"]["recruited"] is False
    nobody = await user.refused("POST", f"{story.path}/npcs/ghost/talk", json={})
    assert (nobody.status, nobody.code) == (404, "npc.not_found")


async def test_quests_are_taken_given_up_and_turned_in(visitors: Visitors) -> None:
    user = await visitors.newcomer()
    story = await begin(user)
    quests = {row["questKey"]: row for row in (await story.state())["quests"]}
    side = next(key for key, row in quests.items() if row["status"] == "offered")
    main = next(key for key, row in quests.items() if row["kind"] == "main")
    path = f"{story.path}/quests/{side}"
    assert (await user.post(f"{path}/accept"))["quest"]["status"] == "active"
    assert (await user.post(f"{path}/abandon"))["quest"]["status"] == "abandoned"
    open_one = await user.refused("POST", f"{story.path}/quests/{main}/turn-in", json={})
    assert (open_one.status, open_one.code) == (409, "quest.not_completed_state")
    unknown = await user.refused("POST", f"{story.path}/quests/none/accept", json={})
    assert (unknown.status, unknown.code) == (404, "quest.not_found")


async def test_a_treasure_is_looked_at_and_opened(visitors: Visitors) -> None:
    user = await visitors.newcomer()
    story = await begin(user)
    path = f"{story.path}/treasures/mill_chest"
    far = await user.refused("POST", path, json={"action": "open"})
    assert (far.status, far.code) == (409, "treasure.not_in_scene_state")
    await story.choose("travel", "mill")
    assert (await user.post(path, {"action": "inspect"}))["treasure"]["status"] == "found"
    opened = (await user.post(path, {"action": "open"}))["treasure"]
    assert (opened["status"], opened["treasureKey"]) == ("opened", "mill_chest")
    again = await user.refused("POST", path, json={"action": "open"})
    assert (again.status, again.code) == (409, "treasure.already_opened")
    unknown = await user.refused("POST", path, json={"action": "eat"})
    assert (unknown.status, unknown.code) == (400, "input.unknown_variant")


async def test_an_inventory_is_rearranged(visitors: Visitors, game: Game) -> None:
    user = await visitors.newcomer()
    story = await begin(user)
    lineage = {"runtimeSessionId": story.session["runtimeSessionId"]}

    async def items() -> dict[tuple[str, int], tuple[str, int]]:
        found = (await user.get(INVENTORY, **lineage))["inventory"]
        assert found["runtimeSessionId"] == lineage["runtimeSessionId"]
        return stacks(found)

    before = await items()
    herbs = next(slot for (_, slot), (item, _) in before.items() if item == "core_healing_herb")
    after = await user.post(f"{INVENTORY}/split", lineage | {"fromSlot": herbs, "quantity": 1})
    parts = stacks(after["inventory"])
    assert sorted(parts.values()) == sorted(
        [("core_coin", 20), ("core_healing_herb", 1), ("core_healing_herb", 2)]
    )
    assert parts == await items()
    moved = await user.post(f"{INVENTORY}/move", lineage | {"fromSlot": herbs, "toSlot": 30})
    assert stacks(moved["inventory"])["backpack", 30] == ("core_healing_herb", 2)
    left = await user.post(f"{INVENTORY}/discard", lineage | {"slotIndex": 30, "quantity": 2})
    assert ("backpack", 30) not in stacks(left["inventory"])
    one = next(slot for (_, slot), (item, _) in (await items()).items() if "herb" in item)
    used = await user.post(f"{INVENTORY}/use", lineage | {"slotIndex": one})
    assert set(used) == {"inventory"}
    refusals = {
        "equip": ({"slotIndex": 39}, "inventory.slot_empty"),
        "unequip": ({"equipSlot": "weapon"}, "inventory.slot_empty"),
        "claim-overflow": ({"slotIndex": 0}, "inventory.slot_empty"),
        "discard": ({"slotIndex": 99, "quantity": 1}, "inventory.slot_out_of_range"),
    }
    for name, (fields, code) in refusals.items():
        refusal = await user.refused("POST", f"{INVENTORY}/{name}", json=lineage | fields)
        assert refusal.code == code, name
    assert (await user.get(INVENTORY, runtimeSessionId="rs_none"))["inventory"]["slots"] == []


def stacks(inventory: Any) -> dict[tuple[str, int], tuple[str, int]]:
    return {
        (row["container"], row["slotIndex"]): (row["itemId"], row["quantity"])
        for row in inventory["slots"]
    }


async def test_a_game_is_saved_and_restored(visitors: Visitors) -> None:
    user = await visitors.newcomer()
    story = await begin(user)
    archives = "/api/runtime/profile/save-archives"
    body = {"storySessionId": story.session["storySessionId"], "label": "before the mill"}
    saved = (await user.post(archives, body, status=201))["archive"]
    assert saved["label"] == "before the mill"
    later = (await user.post(archives, body, status=201))["archive"]
    assert (await user.get(archives))["items"] == [later, saved]
    page = await user.get(archives, limit=1)
    assert page["items"] == [later]
    rest = await user.get(archives, limit=1, cursor=page["nextCursor"])
    assert rest == {"items": [saved], "nextCursor": None}
    begun = await user.post(f"{archives}/{saved['archiveId']}/restore")
    assert begun["runtimeSessionId"] == saved["runtimeSessionId"]
    assert begun["storySessionId"] != saved["storySessionId"]
    await user.delete(f"{archives}/{saved['archiveId']}")
    await user.delete(f"{archives}/{saved['archiveId']}")
    assert (await user.get(archives))["items"] == [later]
    gone = await user.refused("POST", f"{archives}/{saved['archiveId']}/restore", json={})
    assert (gone.status, gone.code) == (404, "archive.not_found")
    worlds = await user.get("/api/runtime/profile/played-worlds")
    assert [row["profileId"] for row in worlds["items"]] == [PROFILE]
    assert worlds["nextCursor"] is None
