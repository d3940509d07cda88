"""What an operator has reducers do, and what becomes of messages that broke."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from desk import WHY, Desk, RefusedError, open_desk
from street import last_audit, open_street, refusal, resident

from actors.keys import user_id_of
from protocol.values import Identity
from server.admin.roles import Role

STRANGER = f"u_{7:032x}"


@pytest.fixture
async def street(tmp_path) -> AsyncIterator[Desk]:
    async with open_street(tmp_path / "data") as desk:
        yield desk


def gift(**changes: object) -> dict[str, object]:
    return {"owner": STRANGER, "coins": 3, "mood": "calm"} | changes


async def test_reducers_are_listed_with_their_arguments(street):
    async with street.line(street.token(Role.READ)) as line:
        found = {entry["name"]: entry for entry in (await line.ask("calls.list"))["reducers"]}
        assert not [name for name in found if name.startswith("operations")]
        assert found["gift"] == {
            "name": "gift",
            "kinds": ["house"],
            "roles": ["service"],
            "arguments": '{owner: string, coins: u32, mood: "calm" | "very_angry", '
            "note?: string, request_id: string}",
            "answer": '{owner: string, coins: u64, mood: "calm" | "very_angry"}',
            "summary": "Give coins. Nobody else may.",
        }
        assert found["write"]["arguments"] == "{text: string}"
        named = await line.ask("calls.list", name="bell")
        assert [entry["name"] for entry in named["reducers"]] == ["set_bell"]
        grants = await line.ask("grants.list")
        assert [entry["name"] for entry in grants["reducers"]] == ["gift"]


async def test_a_call_is_made_once_answered_and_audited(street):
    async with street.line(street.token(Role.DANGER, "Ada")) as line:
        arguments = gift(note="take this", request_id="r1")
        for _ in range(2):
            done = await line.ask("calls.call", reducer="gift", arguments=arguments, reason=WHY)
            assert done["actor"] == f"house/{STRANGER}"
            assert done["answer"] == {"owner": STRANGER, "coins": 3, "mood": "calm"}
        record = await last_audit(line)
        assert (record["operator"], record["actor"]) == ("Ada", done["actor"])
        assert (record["seq_before"], record["seq_after"]) == (1, 1)
        shown = await line.ask("actors.show", actor=STRANGER)
        (entry,) = shown["journal"]
        assert (entry["call"], entry["caller"]) == ("gift", done["caller"])
        assert entry["arguments"] == arguments
        for _ in range(2):  # without an id each call is another one
            done = await line.ask("calls.call", reducer="gift", arguments=gift(), reason=WHY)
        assert done["answer"]["coins"] == 9


async def test_a_call_without_an_input_is_made_as_the_operator(street):
    async with street.line() as line:
        done = await line.ask("calls.call", reducer="write", arguments={"text": "x"}, reason=WHY)
        assert done["actor"] == f"house/{user_id_of(Identity.from_hex(done['caller']))}"
        assert done["answer"] is None


WRONG = [
    ("nothing", {}, "reducer.not_found", "no reducer nothing"),
    ("operations_put_ban", {}, "reducer.not_found", "no reducer operations_put_ban"),
    ("gift", gift(coins=-1), "input.invalid", "coins must be an integer from 0"),
    ("gift", gift(mood="sad"), "input.invalid", "mood must be one of calm, very_angry"),
    ("gift", gift(size=1), "input.invalid", "there is no size"),
    ("gift", {"owner": STRANGER}, "input.invalid", "coins is missing"),
    ("gift", gift(owner="u/1"), "input.invalid_id", "an id has"),
    ("gift", gift(coins=0), "gift.empty", "a gift is something"),
    ("gift", gift(request_id=""), "input.invalid_id", "a request id has"),
    ("write", {"text": 1}, "input.invalid", "text must be a string"),
    ("write", {"input": {"text": "x"}}, "input.invalid", "there is no input"),
    ("fall", {}, "call.failed", "fall broke; the log says how"),
]


@pytest.mark.parametrize(("reducer", "arguments", "code", "text"), WRONG)
async def test_a_call_that_is_refused_says_why(street, reducer, arguments, code, text):
    async with street.line() as line:
        with pytest.raises(RefusedError) as caught:
            await line.ask("calls.call", reducer=reducer, arguments=arguments, reason=WHY)
        assert caught.value.code == code
        assert text in caught.value.message
        assert (await last_audit(line))["error_code"] == code


async def test_calls_are_dangerous(street):
    async with street.line(street.token(Role.OPERATE)) as line:
        code = await refusal(line, "calls.call", reducer="gift", arguments=gift(), reason=WHY)
        assert code == "auth.forbidden"
        assert await refusal(line, "actors.show", actor=STRANGER) == "actor.not_found"


async def test_a_module_without_gifts_and_works_says_so(street):
    async with street.line() as line:
        for method, params in {
            "grants.xp": {"user": STRANGER, "amount": 1},
            "grants.sparks": {"user": STRANGER, "amount": 1},
            "grants.item": {"user": STRANGER, "session": "s", "item": "rope"},
            "works.moderate": {"work": "w", "verdict": "hidden"},
        }.items():
            assert await refusal(line, method, reason=WHY, **params) == "reducer.not_found"


# Dead letters


async def test_a_dead_letter_is_listed_and_applied_once_its_cause_is_mended(street):
    async with street.line() as line, resident(street) as ann:
        await ann.call("write", "broken")
        await ann.call("set_bell", "tea", 1)
        found = {"letters": []}
        while not found["letters"]:
            found = await line.ask("letters.list")
        (letter,) = found["letters"]
        assert (letter["dst_actor"], letter["kind"]) == (ann.house, "house.bell")
        assert letter["payload"] == {"text": "tea"}
        assert letter["error"] == "RuntimeError: the bell is broken"
        assert found["is_whole"]
        name = {"actor": ann.house, "message_key": letter["message_key"]}
        assert await refusal(line, "letters.replay", reason=WHY, **name) == "dead_letter.failed"
        await ann.call("mend")
        assert await line.ask("letters.replay", reason=WHY, **name) == name
        record = await last_audit(line)
        assert (record["actor"], record["outcome"]) == (ann.house, "done")
        assert record["seq_after"] == record["seq_before"] + 1
        assert await refusal(line, "letters.replay", reason=WHY, **name) == "dead_letter.not_found"
        assert (await line.ask("letters.list"))["letters"] == []
        shown = await line.ask("actors.show", actor=ann.house, table="diary")
        assert [row["text"] for row in shown["tables"][0]["rows"]] == ["rang tea"]
        nobody = {"actor": STRANGER, "message_key": letter["message_key"]}
        assert await refusal(line, "letters.replay", reason=WHY, **nobody) == "actor.not_found"


async def test_letters_are_listed_by_several_at_once(street):
    async with street.line() as line, resident(street) as ann:
        await ann.call("write", "broken")
        await ann.call("set_bell", "tea", 1)
        found = {"letters": []}
        while not found["letters"]:
            found = await line.ask("letters.list")
        await ann.call("mend")
        name = {"actor": ann.house, "message_key": found["letters"][0]["message_key"]}
        await line.ask("letters.replay", reason=WHY, **name)
    async with street.line() as line, street.line() as other:
        while (await line.ask("server.info"))["connections"]:
            pass
        await line.ask("actors.passivate", actor=ann.house, reason=WHY)
        answers = await asyncio.gather(line.ask("letters.list"), other.ask("letters.list"))
        assert answers == [{"letters": [], "is_whole": True}] * 2


# The game's own


@pytest.fixture
async def game(tmp_path) -> AsyncIterator[Desk]:
    settings = {"module": "actors.domains.entry", "dev_fixtures": True}
    async with open_desk(tmp_path / "data", **settings) as desk:
        yield desk


async def test_players_are_given_experience_and_sparks_once_for_each_reference(game):
    async with game.line(game.token(Role.OPERATE)) as line:
        for _ in range(2):
            done = await line.ask(
                "grants.xp", user=STRANGER, amount=40, reference="ticket-7", reason=WHY
            )
            assert done["answer"]["total_xp"] == 40
        for amount, balance in ((100, 100), (-30, 70)):
            done = await line.ask("grants.sparks", user=STRANGER, amount=amount, reason=WHY)
            assert done["answer"]["balance_after"] == balance
        code = await refusal(line, "grants.sparks", user=STRANGER, amount=-(10**6), reason=WHY)
        assert code == "wallet.insufficient_balance"
        shown = await line.ask("actors.show", actor=STRANGER, table="progression_grant_log")
        assert [row["source"] for row in shown["tables"][0]["rows"]] == ["admin"]


async def test_what_the_game_refuses_is_told(game):
    async with game.line() as line:
        code = await refusal(
            line, "grants.item", user=STRANGER, session="ss_1", item="no_such_item", reason=WHY
        )
        assert code == "inventory.item_unknown"
        code = await refusal(line, "works.moderate", work="cw_1", verdict="hidden", reason=WHY)
        assert code == "world.not_found"


async def test_a_published_work_is_hidden_and_shown_again(game):
    async with game.line() as line:
        await line.ask(
            "calls.call", reducer="load_fixture_gallery", arguments={"count": 1}, reason=WHY
        )

        async def rows(table: str) -> list[dict]:
            shown = await line.ask("actors.show", actor="catalog/0", table=table)
            return shown["tables"][0]["rows"]

        (entry,) = await rows("custom_world_gallery_entry")
        for verdict, status in (("hidden", "blocked"), ("visible", "live")):
            done = await line.ask(
                "works.moderate", work=entry["profile_id"], verdict=verdict, reason="it is rude"
            )
            assert done["answer"]["gallery_entry"]["moderation"] == verdict
            (profile,) = await rows("custom_world_published_profile")
            assert profile["status"] == status
        log = await rows("moderation_log")
        assert [(row["action"], row["reason"]) for row in log] == [
            ("hidden", "it is rude"),
            ("visible", "it is rude"),
        ]
