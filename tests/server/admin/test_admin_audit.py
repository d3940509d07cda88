from __future__ import annotations

import asyncio
import hashlib
import json
import sqlite3
import zlib

import pytest
from command_samples import sample
from desk import WHY, RefusedError, open_desk
from rig import answers, call

from protocol.messages import ReducerErr, Subscribe, SubscriptionError
from protocol.messages.v2_client import encode_client_message
from server.admin.catalogue import COMMANDS
from server.admin.roles import Role

CHANGING = [command for command in COMMANDS.values() if command.mutates]
USER = f"u_{'7' * 32}"


async def records(line, **params) -> list[dict]:
    return (await line.ask("audit.list", **params))["records"]


@pytest.mark.parametrize("command", CHANGING, ids=lambda command: command.name)
async def test_a_command_that_changes_something_leaves_one_record(desk, command):
    params = sample(command)
    async with desk.line(desk.token(Role.DANGER, "Alice")) as line:
        code = ""
        try:
            await line.ask(command.name, **params)
        except RefusedError as error:
            code = error.code
        (record,) = await records(line)
        verdict = await line.ask("audit.verify")
    assert record["command"] == command.name
    assert (record["operator"], record["issuer"], record["role"]) == (
        "Alice",
        "localhost",
        "danger",
    )
    assert record["reason"] == WHY
    assert (record["outcome"], record["error_code"]) == ("failed" if code else "done", code)
    del params["reason"]
    told = command.params.model_validate({**params, "reason": WHY}).model_dump(mode="json")
    del told["reason"]
    text = json.dumps(told, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert record["arguments_hash"] == hashlib.sha256(text.encode()).hexdigest()
    assert record["began_at"] <= record["ended_at"]
    assert verdict == {
        "is_whole": True,
        "records": 1,
        "last_hash": record["hash"],
        "fault": "",
    }


async def test_a_record_says_what_was_touched(desk):
    async with desk.line() as line:
        await line.ask("announcements.send", text="Hear, hear", reason=WHY)
        (record,) = await records(line)
    assert record["actor"] == "operations/0"
    assert record["seq_after"] == record["seq_before"] + 1


async def test_refusals_before_a_command_runs_leave_no_record(desk):
    async with desk.line() as line:
        for params in ({}, {"reason": "x"}, {"reason": "  x  "}, {"reason": "x" * 501}):
            with pytest.raises(RefusedError) as caught:
                await line.ask("server.resume", **params)
            assert caught.value.code == "input.invalid"
        assert await records(line) == []


async def test_records_are_found_and_paged(desk):
    async with (
        desk.line(desk.token(Role.OPERATE, "Alice")) as alice,
        desk.line(desk.token(Role.OPERATE, "Bob")) as bob,
    ):
        for number in range(3):
            await alice.ask("connections.ban", user=USER, reason=f"reason {number}")
            await bob.ask("connections.unban", user=USER, reason=f"mercy {number}")
        assert [record["number"] for record in await records(bob)] == [6, 5, 4, 3, 2, 1]
        assert len(await records(bob, operator="Alice")) == 3
        assert len(await records(bob, command="connections.un")) == 3
        first = await bob.ask("audit.list", operator="Bob", limit=2)
        assert [record["number"] for record in first["records"]] == [6, 4]
        rest = await bob.ask("audit.list", operator="Bob", before=first["next_before"])
        assert [record["number"] for record in rest["records"]] == [2]
        assert rest["next_before"] is None


async def test_the_chain_goes_on_after_a_restart(tmp_path):
    for run in (1, 2, 3):
        async with open_desk(tmp_path) as desk, desk.line() as line:
            await line.ask("server.resume", reason=f"run {run}")
            found = await records(line)
            assert [record["reason"] for record in found] == [
                f"run {number}" for number in range(run, 0, -1)
            ]
            assert (await line.ask("audit.verify"))["is_whole"]


async def test_old_records_move_into_archives_and_are_still_there(tmp_path, monkeypatch):
    monkeypatch.setattr("actors.operations.audit.AUDIT_RECORDS_MAX", 8)
    monkeypatch.setattr("actors.operations.audit.ARCHIVE_RECORDS", 4)
    monkeypatch.setattr("server.admin.audit.ARCHIVE_RECORDS", 4)
    async with open_desk(tmp_path) as desk, desk.line() as line:
        for number in range(1, 23):
            await line.ask("server.resume", reason=f"number {number}")
    async with open_desk(tmp_path) as desk, desk.line() as line:
        found = await records(line)
        assert [record["number"] for record in found] == list(range(22, 0, -1))
        assert [record["reason"] for record in found] == [f"number {n}" for n in range(22, 0, -1)]
        assert [record["number"] for record in await records(line, before=7, limit=4)] == [
            6,
            5,
            4,
            3,
        ]
        verdict = await line.ask("audit.verify")
        assert (verdict["is_whole"], verdict["records"]) == (True, 22)


async def test_verifying_while_records_move_raises_no_alarm(desk, monkeypatch):
    monkeypatch.setattr("actors.operations.audit.AUDIT_RECORDS_MAX", 8)
    monkeypatch.setattr("actors.operations.audit.ARCHIVE_RECORDS", 4)
    monkeypatch.setattr("server.admin.audit.ARCHIVE_RECORDS", 4)
    async with desk.line() as line, desk.line() as other:
        verdicts = []
        for number in range(30):
            _, verdict = await asyncio.gather(
                line.ask("server.resume", reason=f"number {number}"), other.ask("audit.verify")
            )
            verdicts.append(verdict)
    assert [verdict["fault"] for verdict in verdicts if not verdict["is_whole"]] == []


class Intruder:
    """Somebody with a hand on the store's file while the server is stopped."""

    def __init__(self, folder) -> None:
        self._file = sqlite3.connect(folder / "journal.sqlite3")

    def rows(self, text: bytes) -> list[tuple[int, int, bytes, bytes]]:
        found = self._file.execute("SELECT actor_id, table_id, key, row FROM row").fetchall()
        return [row for row in found if text in row[3] and len(row[3]) > 300]

    def change(self, old: bytes, new: bytes) -> None:
        ((actor, table, key, row),) = self.rows(old)
        row = row.replace(old, new)
        self._file.execute(
            "UPDATE row SET row = ?, checksum = ? WHERE actor_id = ? AND table_id = ? AND key = ?",
            (row, zlib.crc32(row), actor, table, key),
        )
        self.close()

    def remove(self, text: bytes) -> None:
        ((actor, table, key, _),) = self.rows(text)
        self._file.execute(
            "DELETE FROM row WHERE actor_id = ? AND table_id = ? AND key = ?", (actor, table, key)
        )
        self.close()

    def close(self) -> None:
        self._file.commit()
        self._file.close()


@pytest.mark.parametrize(
    ("tamper", "good", "fault"),
    [
        (lambda one: one.change(b"reason two", b"reason too"), 1, "record 2 was changed"),
        (lambda one: one.remove(b"reason two"), 1, "record 2 is missing"),
        (lambda one: one.remove(b"reason three"), 2, "there were 3 records"),
    ],
    ids=["changed", "removed", "cut off at the end"],
)
async def test_tampering_with_the_store_shows(tmp_path, tamper, good, fault):
    async with open_desk(tmp_path) as desk, desk.line() as line:
        for word in ("one", "two", "three"):
            await line.ask("server.resume", reason=f"reason {word}")
    tamper(Intruder(tmp_path))
    async with open_desk(tmp_path) as desk, desk.line() as line:
        verdict = await line.ask("audit.verify")
    assert not verdict["is_whole"]
    assert verdict["records"] == good
    assert verdict["fault"].startswith(fault)


async def test_nobody_else_can_write_or_read_records(desk):
    for roles in (["player"], ["service"], ["admin", "moderator", "service", "player"]):
        token = desk.authenticator.mint("+".join(roles), roles=roles, seconds=60).token
        async with desk.player(token) as socket:
            await socket.recv()
            await socket.send(call(1, "operations_settle_commands"))
            (answer,) = answers(await socket.recv())
            assert isinstance(answer.outcome, ReducerErr)
            assert answer.outcome.error.startswith("auth.forbidden")
            for table in ("operations_audit", "operations_pending", "operations_ban"):
                query = Subscribe(2, 1, (f"SELECT * FROM {table}",))
                await socket.send(encode_client_message(query))
                (answer,) = answers(await socket.recv())
                assert isinstance(answer, SubscriptionError)
                assert "no such table" in answer.error


async def test_a_command_that_breaks_or_takes_too_long_is_recorded_too(desk, monkeypatch):
    async def broken(_ctx, _params):
        raise RuntimeError("as planned")

    async def endless(_ctx, _params):
        await asyncio.Event().wait()

    command = COMMANDS["server.resume"]
    async with desk.line() as line:
        for handler, seconds, number, code in [
            (broken, 5, -32603, "command.failed"),
            (endless, 0, -32000, "command.timeout"),
        ]:
            monkeypatch.setitem(command.__dict__, "handler", handler)
            monkeypatch.setitem(command.__dict__, "seconds", seconds)
            with pytest.raises(RefusedError) as caught:
                await line.ask("server.resume", reason=WHY)
            assert (caught.value.number, caught.value.code) == (number, code)
            newest = (await records(line))[0]
            assert (newest["outcome"], newest["error_code"]) == ("failed", code)
        assert len(await records(line)) == 2


async def test_too_many_commands_at_once_are_refused_before_they_run(desk, monkeypatch):
    monkeypatch.setattr("actors.operations.audit.PENDING_MAX", 0)
    async with desk.line() as line:
        with pytest.raises(RefusedError) as caught:
            await line.ask("connections.ban", user=USER, reason=WHY)
        assert caught.value.code == "limit.quota_exceeded"
        assert (await line.ask("connections.bans"))["bans"] == []
        assert await records(line) == []


async def test_the_actor_that_keeps_the_records_is_never_set_aside(desk):
    async with desk.line() as line:
        with pytest.raises(RefusedError) as caught:
            await line.ask("actors.quarantine", actor="operations/0", reason=WHY)
        assert caught.value.code == "actor.needed"
        with pytest.raises(RefusedError) as caught:
            await line.ask("calls.call", reducer="operations_settle_commands", reason=WHY)
        assert caught.value.code == "reducer.not_found"
        (second, first) = await records(line)
        assert (first["outcome"], second["outcome"]) == ("failed", "failed")
