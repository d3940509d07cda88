from __future__ import annotations

import asyncio

import pytest
from desk import WHY, RefusedError, open_desk
from rig import answers, call
from websockets.exceptions import ConnectionClosed, InvalidStatus

from actors import user_id_of
from protocol.messages import InitialConnection, ReducerErr
from server.admin.roles import Role

CLOSE_KICKED = 4000
CLOSE_BANNED = 4003


def player_token(desk, name: str) -> tuple[str, str]:
    """A player's token and user id."""
    bearer = desk.authenticator.mint(name, seconds=600, extra={"name": name})
    return bearer.token, user_id_of(bearer.claims.identity)


async def entered(socket) -> InitialConnection:
    """Wait until a player is in."""
    (message,) = answers(await socket.recv())
    assert isinstance(message, InitialConnection)
    return message


async def refused_status(desk, token: str) -> int:
    with pytest.raises(InvalidStatus) as caught:
        await desk.player(token)
    return caught.value.response.status_code


async def closed_with(socket) -> tuple[int, str]:
    with pytest.raises(ConnectionClosed) as caught:
        await socket.recv()
    return caught.value.rcvd.code, caught.value.rcvd.reason


async def test_who_is_connected(desk):
    ann, ann_id = player_token(desk, "Ann")
    ben, ben_id = player_token(desk, "Ben")
    async with (
        desk.player(ann) as one,
        desk.player(ann) as two,
        desk.player(ben) as three,
        desk.line() as line,
    ):
        initial = await entered(one)
        await entered(two)
        await entered(three)
        listed = await line.ask("connections.list")
        assert [entry["user"] for entry in listed["connections"]] == [ann_id, ann_id, ben_id]
        assert listed["total"] == 3
        first = listed["connections"][0]
        assert first["connection"] == str(initial.connection_id)
        host, port = one.local_address[:2]
        assert first["address"] == f"{host}:{port}"
        assert (first["name"], first["protocol"]) == ("Ann", "v3.bsatn.spacetimedb")
        assert (first["pending"], first["waiting_bytes"], first["is_read"]) == (0, 0, True)
        for user in (ann_id, str(initial.identity)):
            found = await line.ask("connections.list", user=user, limit=1)
            assert (len(found["connections"]), found["total"]) == (1, 2)
        shown = await line.ask("connections.show", connection=str(initial.connection_id))
        assert shown["identity"] == str(initial.identity)
        assert (shown["issuer"], shown["subject"]) == ("localhost", "Ann")
        assert shown["roles"] == ["creator", "player"]
        assert shown["token_expires_at"] > shown["age_seconds"]
        with pytest.raises(RefusedError) as caught:
            await line.ask("connections.show", connection="f" * 32)
        assert caught.value.code == "connection.not_found"
        with pytest.raises(RefusedError) as caught:
            await line.ask("connections.list", user="Ann")
        assert caught.value.code == "input.invalid_id"
    async with desk.line() as line:
        assert (await line.ask("connections.list"))["total"] == 0


async def test_a_kick_closes_and_lets_come_back(desk):
    ann, ann_id = player_token(desk, "Ann")
    ben, _ = player_token(desk, "Ben")
    async with (
        desk.player(ann) as one,
        desk.player(ann) as two,
        desk.player(ben) as three,
        desk.line(desk.token(Role.OPERATE)) as line,
    ):
        connection = str((await entered(one)).connection_id)
        await entered(two)
        await entered(three)
        kicked = await line.ask("connections.kick", connection=connection, reason=WHY)
        assert kicked == {"connections": 1}
        assert await closed_with(one) == (CLOSE_KICKED, "closed by an operator")
        async with desk.player(ann) as again:
            await entered(again)
            kicked = await line.ask("connections.kick", user=ann_id, reason=WHY)
            assert kicked == {"connections": 2}
            assert (await closed_with(two))[0] == CLOSE_KICKED
            assert (await closed_with(again))[0] == CLOSE_KICKED
        await three.send(call(1, "write_note"))
        (answer,) = answers(await three.recv())
        assert isinstance(answer.outcome, ReducerErr) or answer.outcome
        for params in ({}, {"user": ann_id, "connection": connection}):
            with pytest.raises(RefusedError) as caught:
                await line.ask("connections.kick", reason=WHY, **params)
            assert caught.value.code == "input.invalid"
        with pytest.raises(RefusedError) as caught:
            await line.ask("connections.kick", user=ann_id, reason=WHY)
        assert caught.value.code == "connection.not_found"


async def test_a_ban_closes_refuses_and_survives_a_restart(tmp_path):
    async with open_desk(tmp_path) as desk:
        ann, ann_id = player_token(desk, "Ann")
        ben, _ = player_token(desk, "Ben")
        async with (
            desk.player(ann) as one,
            desk.player(ben) as two,
            desk.line(desk.token(Role.OPERATE, "Judge")) as line,
        ):
            identity = (await entered(one)).identity
            await entered(two)
            banned = await line.ask("connections.ban", user=str(identity), reason="cheats at dice")
            assert banned["connections"] == 1
            assert banned["ban"]["user"] == ann_id
            assert banned["ban"]["until"] is None
            assert await closed_with(one) == (CLOSE_BANNED, "banned")
            assert await refused_status(desk, ann) == 403
            async with desk.player(ben) as other:
                await entered(other)
    async with open_desk(tmp_path) as desk:
        assert await refused_status(desk, ann) == 403
        async with desk.line() as line:
            (ban,) = (await line.ask("connections.bans"))["bans"]
            assert (ban["user"], ban["operator"]) == (ann_id, "Judge")
            assert ban["reason"] == "cheats at dice"
            assert (await line.ask("server.info"))["bans"] == 1
            assert await line.ask("connections.unban", user=ann_id, reason=WHY) == {"user": ann_id}
            with pytest.raises(RefusedError) as caught:
                await line.ask("connections.unban", user=ann_id, reason=WHY)
            assert caught.value.code == "ban.not_found"
        async with desk.player(ann) as one:
            await entered(one)
    async with open_desk(tmp_path) as desk, desk.player(ann) as one:
        await entered(one)


async def test_a_ban_for_a_while_ends_by_itself(desk, monkeypatch):
    ann, ann_id = player_token(desk, "Ann")
    async with desk.line() as line:
        ban = (await line.ask("connections.ban", user=ann_id, seconds=3600, reason=WHY))["ban"]
        assert 3_599_000_000 < ban["until"] - ban["banned_at"] <= 3_600_000_000
        assert await refused_status(desk, ann) == 403
        monkeypatch.setattr("time.time_ns", lambda: ban["until"] * 1_000)
        assert (await line.ask("connections.bans"))["bans"] == []
        assert await refused_status(desk, ann) == 401  # the token has ended meanwhile, too
        ben, _ = player_token(desk, "Ben")
        await line.ask("connections.ban", user=player_token(desk, "Ben")[1], reason=WHY)
        assert await refused_status(desk, ben) == 403
        with pytest.raises(RefusedError) as caught:
            await line.ask("connections.unban", user=ann_id, reason=WHY)
        assert caught.value.code == "ban.not_found"


async def test_a_banned_caller_is_refused_by_http_as_well(desk):
    ann, ann_id = player_token(desk, "Ann")
    async with desk.line() as line:
        await line.ask("connections.ban", user=ann_id, reason=WHY)
    url = desk.ready.address + "/v1/identity/websocket-token"
    status = await http_status("POST", url, ann)
    assert status == 403


async def http_status(method: str, url: str, token: str) -> int:
    host, _, rest = url.removeprefix("http://").partition(":")
    port, _, path = rest.partition("/")
    reader, writer = await asyncio.open_connection(host, int(port))
    head = f"{method} /{path} HTTP/1.1\r\nhost: test\r\nconnection: close\r\n"
    writer.write(f"{head}authorization: Bearer {token}\r\ncontent-length: 0\r\n\r\n".encode())
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    return int(answer.split()[1])


async def test_bans_have_a_limit(desk, monkeypatch):
    monkeypatch.setattr("actors.operations.bans.BANS_MAX", 2)
    async with desk.line() as line:
        for digit in "12":
            await line.ask("connections.ban", user=f"u_{digit * 32}", reason=WHY)
        with pytest.raises(RefusedError) as caught:
            await line.ask("connections.ban", user=f"u_{'3' * 32}", reason=WHY)
        assert caught.value.code == "limit.quota_exceeded"
        # The same user again is no further one.
        again = await line.ask("connections.ban", user=f"u_{'2' * 32}", reason="once more")
        assert again["ban"]["reason"] == "once more"
        listed = await line.ask("connections.bans")
        assert listed["total"] == 2
