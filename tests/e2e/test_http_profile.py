"""Domain 11.3 over real HTTP: progression, settings, snapshots, history, wallet and AI tasks."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from http_client import PROFILE, Game, User, Visitors, game_server, visiting

PROGRESSION = "/api/runtime/progression"
SETTINGS = "/api/runtime/settings"
SNAPSHOTS = "/api/runtime/snapshots"
HISTORY = "/api/runtime/browse-history"
TASKS = "/api/ai/tasks"


@pytest.fixture(scope="module")
def game(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Game]:
    with game_server(tmp_path_factory.mktemp("http")) as running:
        yield running


@pytest.fixture
async def visitors(game: Game) -> AsyncIterator[Visitors]:
    async with visiting(game.server) as found:
        yield found


async def user_id_of(user: User) -> str:
    return (await user.get("/api/runtime/profile/dashboard"))["dashboard"]["userId"]


async def begin(user: User) -> dict[str, Any]:
    body = {"profileId": PROFILE, "roleKey": "wanderer"}
    return (await user.post("/api/runtime/story/sessions", body, status=201))["session"]


async def test_levels_are_granted_and_seen(visitors: Visitors, game: Game) -> None:
    user, service = await visitors.newcomer(), visitors.holder(game.service)
    fresh = (await user.get(PROGRESSION))["progression"]
    assert (fresh["level"], fresh["totalXp"], fresh["lastGrantedSource"]) == (1, 0, None)
    assert fresh["createdAt"] == "1970-01-01T00:00:00.000000Z"
    grant = {
        "userId": await user_id_of(user),
        "amount": 424,
        "source": "admin",
        "sourceRef": "g1",
    }
    for _ in range(2):
        granted = (await service.post(f"{PROGRESSION}/grants", grant))["progression"]
        assert (granted["level"], granted["totalXp"], granted["pendingLevelUps"]) == (3, 424, 2)
    assert (await user.get(PROGRESSION))["progression"] == granted
    seen = (await user.post(f"{PROGRESSION}/ack", {"count": 2}))["progression"]
    assert seen["pendingLevelUps"] == 0
    more = await user.refused("POST", f"{PROGRESSION}/ack", json={"count": 1})
    assert (more.status, more.code) == (400, "progression.count_out_of_range")


async def test_chapters_are_planned_and_measured(visitors: Visitors) -> None:
    user = await visitors.newcomer()
    assert await user.get(f"{PROGRESSION}/chapters", profileId=PROFILE) == {
        "items": [],
        "nextCursor": None,
    }
    await begin(user)
    (chapter,) = (await user.get(f"{PROGRESSION}/chapters", profileId=PROFILE))["items"]
    assert (chapter["chapterId"], chapter["paceBand"]) == (f"{PROFILE}:c1", "opening")
    path = f"{PROGRESSION}/chapters/{chapter['chapterId']}"
    assert (await user.get(path))["chapter"] == chapter
    report = (await user.get(f"{path}/deviation"))["report"]
    assert (report["plannedTotalXp"], report["xpRating"]) == (938, "starved")
    missing = await user.refused("GET", f"{PROGRESSION}/chapters/none:c1")
    assert (missing.status, missing.code) == (404, "progression.chapter_not_found")


async def test_anybody_may_ask_for_benchmarks_and_plans(visitors: Visitors) -> None:
    guest = visitors.guest
    five = (await guest.get(f"{PROGRESSION}/benchmarks/5"))["benchmark"]
    assert (five["xpFloor"], five["xpToNext"], five["baseHostileXp"]) == (848, 452, 54)
    beyond = await guest.refused("GET", f"{PROGRESSION}/benchmarks/51")
    assert (beyond.status, beyond.code) == (400, "progression.level_out_of_range")
    body = {"totalChapters": 5, "startLevel": 1}
    plan = await guest.post(f"{PROGRESSION}/plan", body)
    assert [row["plannedTotalXp"] for row in plan["items"]] == [938, 2373, 3657, 4336, 4196]
    wrong = await guest.refused("POST", f"{PROGRESSION}/plan", json=body | {"totalChapters": 25})
    assert (wrong.status, wrong.code) == (400, "progression.invalid_plan")


async def test_settings_are_patched(visitors: Visitors) -> None:
    user = await visitors.newcomer()
    before = (await user.get(SETTINGS))["settings"]
    assert (before["musicVolume"], before["locale"], before["autoSave"]) == (70, "zh-CN", True)
    after = (await user.put(SETTINGS, {"musicVolume": 5, "textSpeed": "instant"}))["settings"]
    changed = {"musicVolume": 5, "textSpeed": "instant"}
    stamps = {name: after[name] for name in ("createdAt", "updatedAt")}
    assert after == before | changed | stamps
    assert (await user.get(SETTINGS))["settings"] == after
    loud = await user.refused("PUT", SETTINGS, json={"musicVolume": 101})
    assert (loud.status, loud.code) == (400, "runtime.volume_out_of_range")


async def test_a_snapshot_is_kept_replaced_and_deleted(visitors: Visitors) -> None:
    user = await visitors.newcomer()
    path = f"{SNAPSHOTS}/1"
    assert await user.get(path) == {"snapshot": None}
    state = {"panel": {"open": True}, "scroll": 12}
    body = {"bottomTab": "map", "clientState": state}
    made = (await user.put(path, body))["snapshot"]
    assert (made["version"], made["slot"], made["clientState"]) == (1, 1, state)
    stale = await user.refused("PUT", path, json=body | {"expectedVersion": 4})
    assert stale == (409, "snapshot.stale_version", {"current": 1})
    await user.delete(path)
    assert await user.get(path) == {"snapshot": None}
    beyond = await user.refused("GET", f"{SNAPSHOTS}/3")
    assert (beyond.status, beyond.code) == (400, "snapshot.slot_out_of_range")


async def test_looked_at_worlds_are_remembered(visitors: Visitors) -> None:
    user = await visitors.newcomer()
    entry = {"worldKind": "custom_world", "profileId": PROFILE}
    entered = await user.post(HISTORY, {"entries": [entry]})
    (row,) = entered["items"]
    assert (row["worldName"], row["visitCount"]) == ("Test Vale", 1)
    assert await user.get(HISTORY) == entered
    await user.delete(f"{HISTORY}/{row['worldKey']}")
    assert (await user.get(HISTORY))["items"] == []
    await user.post(HISTORY, {"entries": [entry]})
    await user.delete(HISTORY)
    assert (await user.get(HISTORY))["items"] == []
    unknown = entry | {"profileId": "cwp_none"}
    refusal = await user.refused("POST", HISTORY, json={"entries": [unknown]})
    assert (refusal.status, refusal.code) == (404, "browse.world_not_found")


async def test_the_wallet_is_shown_newest_first(visitors: Visitors) -> None:
    user = await visitors.newcomer()
    dashboard = (await user.get("/api/runtime/profile/dashboard"))["dashboard"]
    assert dashboard["walletBalance"] == 200
    ledger = await user.get("/api/runtime/profile/wallet-ledger", limit=1)
    assert [row["reason"] for row in ledger["items"]] == ["signup_bonus"]
    assert ledger["nextCursor"] is None


async def test_a_worker_reports_and_the_owner_reads(visitors: Visitors, game: Game) -> None:
    user, service = await visitors.newcomer(), visitors.holder(game.service)
    scope = {"scopeKind": "user", "scopeId": await user_id_of(user)}
    new = scope | {
        "taskKind": "entity_generation",
        "label": "entity",
        "payload": {"kind": "npc"},
        "stages": ["prepare_prompt", "request_model"],
    }
    made = await service.post(TASKS, new, status=201)
    assert set(made) == {"task", "stages", "references"}
    assert made["task"]["requestPayload"] == {"kind": "npc"}
    path = f"{TASKS}/{made['task']['aiTaskId']}"
    assert await user.get(path) == made
    assert (await service.post(f"{path}/start"))["task"]["status"] == "running"
    early = await service.refused("POST", f"{path}/complete", json={"source": "llm"})
    assert (early.status, early.code) == (409, "ai.stages_incomplete_state")
    await service.post(f"{path}/stages/0/start")
    await service.post(f"{path}/stages/0/complete", {"warnings": []})
    stage = (await service.post(f"{path}/stages/1/start"))["stage"]
    chunk = {"attempt": stage["attempt"], "sequence": 0, "deltaText": "A quiet "}
    assert (await service.post(f"{path}/stages/1/chunks", chunk))["stage"]["chunkCount"] == 1
    gap = await service.refused("POST", f"{path}/stages/1/chunks", json=chunk | {"sequence": 5})
    assert (gap.status, gap.code) == (400, "ai.chunk_out_of_range")
    done = {"warnings": ["short"], "structured": {"name": "Orla"}}
    stage = (await service.post(f"{path}/stages/1/complete", done))["stage"]
    assert (stage["textOutput"], stage["structuredPayload"]) == ("A quiet", {"name": "Orla"})
    target = {"kind": "none", "targetId": "card_1", "label": "card"}
    made_of = await service.post(f"{path}/references", target, status=201)
    assert made_of["reference"]["targetId"] == "card_1"
    task = (await service.post(f"{path}/complete", {"source": "llm"}))["task"]
    assert (task["status"], task["resultSource"]) == ("completed", "llm")
    final = await user.refused("POST", f"{path}/cancel", json={})
    assert (final.status, final.code) == (409, "ai.task_final_state")


async def test_a_task_fails_or_is_called_off(visitors: Visitors, game: Game) -> None:
    user, service = await visitors.newcomer(), visitors.holder(game.service)
    scope = {"scopeKind": "user", "scopeId": await user_id_of(user)}
    new = scope | {
        "taskKind": "cover_image",
        "label": "cover",
        "payload": {},
        "stages": ["request_model"],
    }
    paths = [
        f"{TASKS}/{(await service.post(TASKS, new, status=201))['task']['aiTaskId']}"
        for _ in range(2)
    ]
    why = {"code": "dependency.timeout", "message": "no answer"}
    failed = (await service.post(f"{paths[0]}/fail", why))["task"]
    assert (failed["status"], failed["failureCode"]) == ("failed", "dependency.timeout")
    stranger = await visitors.newcomer()
    hidden = await stranger.refused("POST", f"{paths[1]}/cancel", json={})
    assert hidden.status in {403, 404}
    assert (await user.post(f"{paths[1]}/cancel"))["task"]["status"] == "cancelled"
    lost = await service.refused("POST", f"{TASKS}/x_1.ait_1/start", json={})
    assert (lost.status, lost.code) == (404, "ai.task_not_found")
