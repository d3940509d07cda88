"""What an operator sees of actors and has them do, through the channel of a running server."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from desk import WHY, Desk, Line
from street import last_audit, open_street, refusal, resident

from protocol.messages import ReducerErr, ReducerOk
from server.admin.roles import Role

SOON = 10_000_000_000_000_000
"""A moment in the year 2286."""


@pytest.fixture
async def street(tmp_path) -> AsyncIterator[Desk]:
    async with open_street(tmp_path / "data") as desk:
        yield desk


async def vacant(line: Line) -> str:
    """A house that sleeps; nobody lives there."""
    owner = f"u_{7:032x}"
    given = {"owner": owner, "coins": 3, "mood": "calm"}
    done = await line.ask("calls.call", reducer="gift", arguments=given, reason=WHY)
    slept = await line.ask("actors.passivate", actor=owner, reason=WHY)
    assert slept == {"key": done["actor"], "standing": "asleep"}
    return done["actor"]


async def test_actors_are_listed_in_parts(street):
    async with street.line() as line, resident(street) as ann, resident(street) as ben:
        for who in (ann, ben, ben):
            await who.call("write", "hello")
        first = await line.ask("actors.list", kind="house", sort="turns", limit=1)
        assert [actor["key"] for actor in first["actors"]] == [ben.house]
        assert first["total"] == 2
        actor = first["actors"][0]
        assert (actor["standing"], actor["turns"], actor["seq"]) == ("active", 2, 2)
        rest = await line.ask("actors.list", kind="house", sort="turns", after=first["next_after"])
        assert [actor["key"] for actor in rest["actors"]] == [ann.house]
        assert rest["next_after"] is None
        await line.ask("actors.quarantine", actor=ann.user_id, reason=WHY)
        shut = await line.ask("actors.list", standing="quarantined")
        assert [actor["key"] for actor in shut["actors"]] == [ann.house]


async def test_stored_actors_are_listed_by_key(street):
    async with street.line() as line:
        asleep = await vacant(line)
        async with resident(street) as ben:
            await ben.call("write", "hello")
            found, after = {}, {}
            while after is not None:
                page = await line.ask("actors.list", kind="house", stored=True, limit=1, **after)
                found |= {actor["key"]: actor["standing"] for actor in page["actors"]}
                after = {"after": page["next_after"]} if page["next_after"] else None
        assert found == {asleep: "asleep", ben.house: "active"}
        assert list(found) == sorted(found)


async def test_lists_that_make_no_sense_are_refused(street):
    async with street.line() as line:
        for odd in ({"stored": True, "sort": "turns"}, {"after": "what"}, {"sort": "beauty"}):
            assert await refusal(line, "actors.list", **odd) == "input.invalid"


async def test_an_actor_is_shown_as_a_tree(street):
    async with street.line() as line, resident(street) as ann:
        await ann.call("write", "hello")
        await ann.call("set_bell", "tea", SOON)
        await ann.subscribe("SELECT * FROM diary")
        await line.ask(
            "calls.call",
            reducer="gift",
            arguments={"owner": ann.user_id, "coins": 3, "mood": "very_angry"},
            reason=WHY,
        )
        shown = await line.ask("actors.show", actor=ann.identity)
        assert shown["actor"]["key"] == ann.house
        tables = {table["name"]: table["rows"] for table in shown["tables"]}
        assert tables["purse"] == [{"owner": ann.user_id, "coins": 3, "mood": "very_angry"}]
        assert [row["text"] for row in tables["diary"]] == ["hello"]
        (timer,) = shown["timers"]["rows"]
        assert (timer["kind"], timer["payload"]) == ("house.bell", {"text": "tea"})
        (receipt,) = shown["receipts"]["rows"]
        assert receipt["outcome"] == tables["purse"][0]
        (plan,) = shown["subscriptions"]
        assert plan["query"] == "SELECT * FROM diary"
        assert plan["connections"] == [ann.connection_id]
        gift, bell, write = shown["journal"]
        assert [entry["call"] for entry in (gift, bell, write)] == ["gift", "set_bell", "write"]
        assert write["caller"] == ann.identity
        assert write["arguments"] == {"text": "hello"}
        rows = {row["table"]: row for row in write["rows"]}
        assert rows["diary"]["before"] is None
        assert rows["diary"]["after"] == {"number": 1, "text": "hello"}
        assert shown["outbox"] == {
            "name": "outbox_message", "is_public": False, "count": 0, "rows": []
        }  # fmt: skip
        one = await line.ask("actors.show", actor=ann.house, table="diary", rows=0, journal=1)
        assert [(table["count"], table["rows"]) for table in one["tables"]] == [(1, [])]
        assert len(one["journal"]) == 1


async def test_who_sleeps_is_shown_and_sleeps_on(street):
    async with street.line() as line:
        house = await vacant(line)
        shown = await line.ask("actors.show", actor=house)
        assert shown["actor"]["standing"] == "asleep"
        assert shown["actor"]["seq"] == 1
        assert [entry["call"] for entry in shown["journal"]] == ["gift"]
        assert shown["tables"][0]["rows"][0]["coins"] == 3
        assert (await line.ask("actors.list", kind="house"))["total"] == 0


async def test_a_journal_is_read_in_parts(street):
    async with street.line() as line, resident(street) as ann:
        for text in "abc":
            await ann.call("write", text)
        first = await line.ask("actors.journal", actor=ann.house, limit=2)
        assert [entry["arguments"]["text"] for entry in first["entries"]] == ["c", "b"]
        rest = await line.ask("actors.journal", actor=ann.house, before=first["next_before"])
        assert [entry["arguments"]["text"] for entry in rest["entries"]] == ["a"]
        assert rest["next_before"] is None


@pytest.mark.parametrize("method", ["actors.show", "actors.journal"])
@pytest.mark.parametrize(
    ("actor", "code"),
    [
        ("house/u_00000000000000000000000000000000", "actor.not_found"),
        ("u_00000000000000000000000000000000", "actor.not_found"),
        ("castle/x", "actor.unknown_kind"),
        ("ann", "input.invalid_id"),
    ],
)
async def test_who_does_not_exist_is_said(street, method, actor, code):
    async with street.line() as line:
        assert await refusal(line, method, actor=actor) == code
        assert (await line.ask("actors.list", kind="house"))["total"] == 0


async def test_a_table_that_does_not_exist_is_said(street):
    async with street.line() as line, resident(street) as ann:
        await ann.call("write", "a")
        assert await refusal(line, "actors.show", actor=ann.house, table="x") == "table.not_found"


async def test_orders_are_carried_out_and_audited(street):
    async with street.line() as line, resident(street) as ann:
        await ann.call("write", "a")
        done = await line.ask("actors.checkpoint", actor=ann.house, reason=WHY)
        assert done == {"key": ann.house, "stored_seq": 1}
        record = await last_audit(line)
        assert (record["command"], record["actor"]) == ("actors.checkpoint", ann.house)
        assert (record["seq_before"], record["seq_after"]) == (1, 1)
        done = await line.ask("actors.quarantine", actor=ann.house, reason="to look at it")
        assert done == {"key": ann.house, "standing": "quarantined"}
        assert isinstance(await ann.call("write", "b"), ReducerErr)
        (evidence,) = (await line.ask("actors.show", actor=ann.house))["evidence"]
        assert (evidence["call"], evidence["error"]) == ("quarantine", "to look at it")
        assert await refusal(line, "actors.passivate", actor=ann.house, reason=WHY) == "actor.busy"
        record = await last_audit(line)
        assert (record["outcome"], record["error_code"]) == ("failed", "actor.busy")
        await line.ask("actors.release", actor=ann.house, reason=WHY)
        assert isinstance(await ann.call("write", "b"), ReducerOk)


async def test_orders_to_nobody_are_refused_and_make_nobody(street):
    nobody = "house/u_00000000000000000000000000000000"
    codes = {
        "actors.passivate": "actor.not_in_memory",
        "actors.checkpoint": "actor.not_in_memory",
        "actors.quarantine": "actor.not_found",
        "actors.release": "actor.not_quarantined",
    }
    async with street.line() as line:
        for method, code in codes.items():
            assert await refusal(line, method, actor=nobody, reason=WHY) == code
            assert (await last_audit(line))["error_code"] == code
        assert (await line.ask("actors.list", kind="house"))["total"] == 0


async def test_who_reads_gives_no_orders(street):
    async with street.line(street.token(Role.READ)) as line, resident(street) as ann:
        await ann.call("write", "a")
        for verb in ("passivate", "checkpoint", "quarantine", "release"):
            code = await refusal(line, f"actors.{verb}", actor=ann.house, reason=WHY)
            assert code == "auth.forbidden"
        assert (await line.ask("actors.show", actor=ann.house))["actor"]["standing"] == "active"


async def test_subscriptions_are_listed_by_what_they_cost(street):
    async with street.line() as line, resident(street) as ann, resident(street) as ben:
        for who in (ann, ben):
            await who.subscribe("SELECT * FROM diary WHERE text = 'a'")
        for text in "aab":
            await ben.call("write", text)
        found = await line.ask("subscriptions.list", name="diary", sort="rows")
        assert found["total"] == 2
        first, second = found["plans"]
        assert (first["actor"], first["updates"], first["rows"]) == (ben.house, 2, 2)
        assert (second["actor"], second["updates"]) == (ann.house, 0)
        assert (first["column"], first["subscribers"]) == ("text", 1)
        found = await line.ask("subscriptions.list", actor=ann.house)
        assert [plan["connections"] for plan in found["plans"]] == [[ann.connection_id]]
