"""An operator's hour: what is this player doing, what did it do, and why; and what is done then."""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from served import DATABASE, HERE, WAIT_SECONDS_MAX, Served, environment, serving
from websockets.asyncio.client import connect

from loadtest.connection import Address
from loadtest.errors import ConnectionEndedError, RefusedError
from loadtest.player import Player
from loadtest.playthrough import Playthrough
from loadtest.schema_reader import fetch_schema
from loadtest.seat import Seat
from loadtest.story import PROFILE, load_fixture_world
from loadtest.tally import Tally
from protocol.messages import Subscribe
from protocol.messages.v2_client import encode_client_message
from server.commands.admin import run_admin

GAME = "actors.domains.entry"
TRIFLE = "clear_browse_history"
"""A call that may be made at any time, and again and again."""

PAUSE_SECONDS = 0.2
WHY = ("--reason", "ticket 4711")
FORBIDDEN, UNAVAILABLE = "HTTP/1.1 403", "HTTP/1.1 503"


class Said(NamedTuple):
    """What a command line printed, and with which exit code it ended."""

    code: int
    out: str
    err: str


class Operator:
    """Somebody with the command line of this program, beside a running server."""

    def __init__(self, server: Served) -> None:
        self._folder = str(server.data_dir)

    async def run(self, *words: str) -> Said:
        """Run a command line here, which is much quicker than in a process of its own."""
        return await asyncio.to_thread(self._run, *words)

    def _run(self, *words: str) -> Said:
        out, err = io.StringIO(), io.StringIO()
        with (
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
            pytest.raises(SystemExit) as ended,
        ):
            run_admin([*words, "--data-dir", self._folder])
        return Said(int(ended.value.code or 0), out.getvalue(), err.getvalue())

    async def ask(self, *words: str) -> Any:
        """What a command answers to programs."""
        said = await self.run(*words, "--json")
        assert (said.code, said.err) == (0, "")
        return json.loads(said.out)

    async def type(self, *words: str) -> Said:
        """Run a command line as everybody does."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "server", "admin", *words, "--data-dir", self._folder),
            cwd=HERE,
            env=environment(),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            out, err = await asyncio.wait_for(process.communicate(), WAIT_SECONDS_MAX)
        except TimeoutError:
            process.kill()
            raise
        assert process.returncode is not None
        return Said(process.returncode, out.decode(), err.decode())


async def in_battle(seat: Seat, playthrough: Playthrough) -> str:
    """Play until the player has to act in a battle; answers its id."""
    while True:
        for battle in seat.rows("battle_state"):
            if battle.status.name == "Active":
                return str(battle.battle_state_id)
        assert await playthrough.take_turn()


@contextlib.asynccontextmanager
async def listener(server: Served) -> AsyncIterator[Any]:
    """A client that hears announcements."""
    uri = f"{server.uri}/v1/database/{DATABASE}/subscribe?compression=None"
    async with connect(
        uri, subprotocols=["v2.bsatn.spacetimedb"], proxy=None, compression=None
    ) as socket:
        await socket.recv()
        query = "SELECT * FROM operations_announcement"
        await socket.send(encode_client_message(Subscribe(1, 1, (query,))))
        await socket.recv()
        yield socket


async def test_an_operator_finds_out_and_acts(tmp_path: Path) -> None:
    with serving(GAME, tmp_path / "data", "--dev-fixtures") as server:
        operator = Operator(server)
        address = Address("127.0.0.1", server.port, DATABASE)
        await load_fixture_world(address, server.token("service"))
        seat = await Seat.take(address, await fetch_schema(address), Tally())
        playthrough = Playthrough(seat, chapters=5)
        await playthrough.begin()
        user = seat.player.user_id

        battle = await in_battle(seat, playthrough)
        await check_tail(operator, seat.player)
        story = await check_what_it_does(operator, user, battle)
        await check_what_it_did(operator, seat, story)

        await check_kick(operator, seat)
        await check_ban(operator, server, seat.player)
        await check_world(operator, server)
        await check_announcement(operator, server)
        await check_letters(operator, user)
        await check_drain(operator, server)
        await check_records(operator)

        stopped = await operator.ask(
            *("server", "drain", "--seconds", "0", "--stop", "--yes"), *WHY
        )
        assert stopped["is_stopping"]
        assert await asyncio.to_thread(server.exit_code) == 0
        assert "eyJ" not in server.log(), "a token is in the log"
        assert "Traceback" not in server.log()


async def check_tail(operator: Operator, player: Player) -> None:
    """What a player calls while the operator looks on."""
    words = ("tail", "calls", "--user", player.user_id, "--name", TRIFLE, "--lines", "1", "--json")
    following = asyncio.create_task(operator.type(*words))
    while not following.done():
        await player.call(TRIFLE)
        await asyncio.wait({following}, timeout=PAUSE_SECONDS)
    said = await following
    assert (said.code, said.err) == (0, "")
    line = json.loads(said.out)
    assert (line["actor"], line["outcome"]) == (f"user/{player.user_id}", "done")


async def check_what_it_does(operator: Operator, user: str, battle: str) -> str:
    """What is it doing right now? Answers the key of its story."""
    (connection,) = (await operator.ask("connections", "list", "--user", user))["connections"]
    own = await operator.ask("actors", "show", user)
    assert connection["user"] == user
    assert own["actor"]["standing"] == "active"
    assert own["actor"]["key"] == f"user/{user}"
    (story,) = [key for key in own["attached"] if key.startswith("story/")]

    state = await operator.ask("actors", "show", story, "--rows", "200")
    shown = await operator.run("actors", "show", story)
    tables = {table["name"]: table["rows"] for table in state["tables"]}
    (fight,) = [row for row in tables["battle_state"] if row["battle_state_id"] == battle]
    assert fight["status"] == "active"
    fighters = [row for row in tables["battle_combatant"] if row["battle_state_id"] == battle]
    assert user in {row["user_id"] for row in fighters}
    (watching,) = {name for plan in state["subscriptions"] for name in plan["connections"]}
    assert watching == connection["connection"]
    assert state["dead_letters"]["count"] == 0
    assert shown.code == 0
    for words in (f"{story}  active", "battle_combatant", "last turns", battle):
        assert words in shown.out
    return str(story)


async def check_what_it_did(operator: Operator, seat: Seat, story: str) -> None:
    """What did it do, and why: each turn with its caller, arguments and changes of rows."""
    answer = await operator.ask("actors", "journal", story, "--limit", "200")
    numbers = [entry["seq"] for entry in answer["entries"]]
    assert numbers == list(range(numbers[0], numbers[0] - len(numbers), -1))
    calls = [entry for entry in answer["entries"] if entry["caller"]]
    assert all(seat.player.user_id[2:] in entry["caller"] for entry in calls)
    fights = [
        entry
        for entry in calls
        if any(row["table"] == "battle_state" and row["before"] is None for row in entry["rows"])
    ]
    assert fights, "a battle began"
    assert fights[0]["call"] == "continue_story"
    assert fights[0]["arguments"]["story_session_id"] == story.partition("/")[2]
    assert all(row["is_before_known"] for row in fights[0]["rows"])


async def check_kick(operator: Operator, seat: Seat) -> None:
    """A kick ends the connection; the player may come back."""
    kicked = await operator.ask("connections", "kick", "--user", seat.player.user_id, *WHY)
    assert kicked == {"connections": 1}
    with pytest.raises(ConnectionEndedError, match="4000"):
        await seat.player.until(lambda: False)
    again = await operator.run("connections", "kick", "--user", seat.player.user_id, *WHY)
    assert (again.code, again.out) == (1, "")
    assert "there is no such connection" in again.err


async def check_ban(operator: Operator, server: Served, player: Player) -> None:
    """A ban ends what is open, refuses what comes, survives a power cut, and can be lifted."""
    user = player.user_id
    guest = await come(server, player.token)
    banned = await operator.ask("connections", "ban", user, *WHY)
    assert (banned["connections"], banned["ban"]["until"]) == (1, None)
    with pytest.raises(ConnectionEndedError, match="4003"):
        await guest.until(lambda: False)
    with pytest.raises(ConnectionEndedError, match=FORBIDDEN):
        await come(server, player.token)
    server.kill()
    await asyncio.to_thread(server.start)
    with pytest.raises(ConnectionEndedError, match=FORBIDDEN):
        await come(server, player.token)
    (ban,) = (await operator.ask("connections", "bans"))["bans"]
    assert (ban["user"], ban["operator"], ban["reason"]) == (user, "owner", WHY[1])
    assert await operator.ask("connections", "unban", user, *WHY) == {"user": user}
    guest = await come(server, player.token)
    await guest.subscribe("battle_state")
    assert [row.status.name for row in guest.rows("battle_state")][-1:] == ["Active"]
    await guest.leave()


async def come(server: Served, token: str) -> Player:
    """Connect as a user who was there before."""
    address = Address("127.0.0.1", server.port, DATABASE)
    return await Player.enter(address, await fetch_schema(address), token=token)


async def check_world(operator: Operator, server: Served) -> None:
    """A published world is hidden: nobody begins a story there until it is shown again."""
    address = Address("127.0.0.1", server.port, DATABASE)
    visitor = await Player.enter(address, await fetch_schema(address))
    work = ("works", "moderate", PROFILE)
    hidden = await operator.ask(*work, "hidden", *WHY)
    assert hidden["actor"] == "catalog/0"
    entry = {"profile_id": PROFILE, "role_key": "wanderer"}
    with pytest.raises(RefusedError):
        await visitor.ask("begin_story_session_and_return", **entry)
    await operator.ask(*work, "visible", *WHY)
    await visitor.ask("begin_story_session_and_return", **entry)
    await visitor.leave()


async def check_announcement(operator: Operator, server: Served) -> None:
    """Whoever listens hears it."""
    async with listener(server) as socket:
        words = ("announcements", "send", "We stop at noon", "--level", "warning")
        assert await operator.ask(*words, *WHY) == {"connections": 1}
        heard = await asyncio.wait_for(socket.recv(), WAIT_SECONDS_MAX)
        assert b"We stop at noon" in heard


async def check_letters(operator: Operator, user: str) -> None:
    """No message was given up, so there is none to replay."""
    assert await operator.ask("letters", "list") == {"letters": [], "is_whole": True}
    said = await operator.run("letters", "replay", user, "nothing", *WHY)
    assert (said.code, said.out) == (1, "")
    assert "there is no such dead letter" in said.err


async def check_drain(operator: Operator, server: Served) -> None:
    """New connections are refused, and readiness says why, until it is over."""
    drain = ("server", "drain", "--seconds", "0", *WHY)
    unsure = await operator.run(*drain)
    assert (unsure.code, unsure.out) == (2, "")
    assert "--yes" in unsure.err
    assert (await operator.ask(*drain, "--yes"))["is_draining"]
    with pytest.raises(ConnectionEndedError, match=UNAVAILABLE):
        await come(server, "")
    assert server.get("/readyz")[0] == 503
    assert not (await operator.ask("server", "resume", *WHY))["is_draining"]
    assert server.get("/readyz")[0] == 200


async def check_records(operator: Operator) -> None:
    """All of it is on record, and what was only looked at is not."""
    found = await operator.ask("audit", "list")
    verdict = await operator.ask("audit", "verify")
    shown = await operator.run("audit", "list")
    assert [
        (record["command"], record["outcome"], record["error_code"])
        for record in reversed(found["records"])
    ] == [
        ("connections.kick", "done", ""),
        ("connections.kick", "failed", "connection.not_found"),
        ("connections.ban", "done", ""),
        ("connections.unban", "done", ""),
        ("works.moderate", "done", ""),
        ("works.moderate", "done", ""),
        ("announcements.send", "done", ""),
        ("letters.replay", "failed", "dead_letter.not_found"),
        ("server.drain", "done", ""),
        ("server.resume", "done", ""),
    ]
    assert {(record["operator"], record["reason"]) for record in found["records"]} == {
        ("owner", WHY[1])
    }
    moderated = [record for record in found["records"] if record["command"] == "works.moderate"]
    assert all(record["seq_after"] > record["seq_before"] for record in moderated)
    assert (verdict["is_whole"], verdict["records"]) == (True, 10)
    assert WHY[1] in shown.out
