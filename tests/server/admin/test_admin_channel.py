from __future__ import annotations

import json
import socket
import stat

import pytest
from desk import WHY, RefusedError, desk_settings, open_desk
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from server.admin.channel import ADMIN_SUBPROTOCOL
from server.admin.roles import Role
from server.app import Server
from server.errors import BindRefusedError, KeyFileError, PortInUseError
from server.limits import (
    ADMIN_BATCH_MAX,
    ADMIN_CALLS_BURST,
    ADMIN_CONNECTIONS_MAX,
    ADMIN_MESSAGE_BYTES_MAX,
)

ADMIN = [ADMIN_SUBPROTOCOL]


async def refused(url: str, **options) -> int:
    """The status that a handshake is answered with."""
    with pytest.raises(InvalidStatus) as caught:
        await connect(url, proxy=None, **({"subprotocols": ADMIN} | options))
    return caught.value.response.status_code


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


async def test_the_first_start_makes_a_token_for_the_owner_alone(tmp_path):
    folder = tmp_path / "data"
    async with open_desk(folder) as desk:
        token = desk.owner_token
        assert stat.S_IMODE((folder / "admin.token").stat().st_mode) == 0o600
        async with desk.line() as line:
            assert (await line.ask("server.info"))["module"] == "board_module"
    assert not (folder / "admin.address").exists()
    async with open_desk(folder) as desk:
        assert desk.owner_token == token


async def test_an_owner_token_whose_file_was_deleted_opens_nothing(tmp_path):
    async with open_desk(tmp_path) as desk:
        old = desk.owner_token
    (tmp_path / "admin.token").unlink()
    async with open_desk(tmp_path) as desk:
        assert desk.owner_token != old
        assert await refused(desk.url, additional_headers=bearer(old)) == 401


async def test_a_damaged_token_file_stops_the_start(tmp_path):
    (tmp_path / "admin.token").write_text("let me in")
    with pytest.raises(KeyFileError, match=r"admin\.token"):
        await Server(desk_settings(tmp_path)).start()


async def test_handshakes_that_are_refused(desk):
    endless = desk.authenticator.mint("for ever", extra={"admin_role": "danger"}).token
    player = desk.authenticator.mint("player", roles=["admin", "service"], seconds=60).token
    strange = desk.authenticator.mint("odd", seconds=60, extra={"admin_role": "king"}).token
    assert await refused(desk.url) == 401
    assert await refused(desk.url, additional_headers=bearer("let.me.in")) == 401
    assert await refused(desk.url, additional_headers=bearer(desk.expired_token())) == 401
    assert await refused(desk.url, additional_headers=bearer(endless)) == 401
    assert await refused(desk.url, additional_headers={"Authorization": "Basic x"}) == 400
    assert await refused(desk.url, additional_headers=bearer(player)) == 403
    assert await refused(desk.url, additional_headers=bearer(strange)) == 403
    assert await refused(f"{desk.url}?token={desk.owner_token}") == 404
    elsewhere = desk.url.replace("/admin", "/")
    assert await refused(elsewhere, additional_headers=bearer(desk.owner_token)) == 404
    owner = bearer(desk.owner_token)
    assert await refused(desk.url, subprotocols=None, additional_headers=owner) == 400
    assert await refused(desk.url, subprotocols=["chat"], additional_headers=owner) == 400


async def test_a_browser_brings_its_token_as_a_subprotocol(desk):
    offered = [ADMIN_SUBPROTOCOL, f"bearer.{desk.owner_token}"]
    async with connect(desk.url, subprotocols=offered, proxy=None) as socket:
        assert socket.subprotocol == ADMIN_SUBPROTOCOL
    assert await refused(desk.url, subprotocols=[ADMIN_SUBPROTOCOL, "bearer.x"]) == 401


async def test_the_channel_is_not_on_the_players_port(desk):
    url = f"ws://127.0.0.1:{desk.ready.port}/admin"
    assert await refused(url, additional_headers=bearer(desk.owner_token)) == 404


async def test_messages_that_make_no_sense(desk):
    async with desk.line() as line:
        for text, number, code in [
            ("{", -32700, "rpc.parse"),
            ("1", -32600, "rpc.invalid"),
            ("[]", -32600, "rpc.invalid"),
            (json.dumps([{}] * (ADMIN_BATCH_MAX + 1)), -32600, "rpc.invalid"),
            ('{"jsonrpc":"1.0","id":1,"method":"server.info"}', -32600, "rpc.invalid"),
            ('{"jsonrpc":"2.0","id":1}', -32600, "rpc.invalid"),
            ('{"jsonrpc":"2.0","id":{},"method":"server.info"}', -32600, "rpc.invalid"),
            ('{"jsonrpc":"2.0","id":1,"method":"server.info","params":[1]}', -32600, "rpc.invalid"),
        ]:
            await line.socket.send(text)
            answer = await line.receive()
            assert answer["id"] is None
            assert (answer["error"]["code"], answer["error"]["data"]["code"]) == (number, code)
        assert await line.ask("server.info")


async def test_a_batch_is_answered_in_order_and_notifications_are_not(desk):
    async with desk.line() as line:
        info = {"jsonrpc": "2.0", "method": "server.info"}
        await line.socket.send(json.dumps([info | {"id": "a"}, info, 3, info | {"id": 7}]))
        first, fault, last = await line.receive()
        assert (first["id"], last["id"]) == ("a", 7)
        assert fault["error"]["code"] == -32600
        await line.socket.send(json.dumps(info))
        await line.socket.send(json.dumps([info, info]))
        await line.socket.send(json.dumps(info | {"id": None}))
        answer = await line.receive()
        assert answer["id"] is None
        assert "result" in answer


async def test_commands_and_parameters_that_do_not_exist(desk):
    async with desk.line() as line:
        with pytest.raises(RefusedError) as caught:
            await line.ask("server.inof")
        assert (caught.value.number, caught.value.code) == (-32601, "command.not_found")
        assert caught.value.data["close"][0] == "server.info"
        with pytest.raises(RefusedError) as caught:
            await line.ask("connections.list", limit="many", colour="blue")
        assert (caught.value.number, caught.value.code) == (-32602, "input.invalid")
        assert {error["path"] for error in caught.value.data["errors"]} == {"limit", "colour"}
        with pytest.raises(RefusedError) as caught:
            await line.ask("server.resume")
        assert [error["path"] for error in caught.value.data["errors"]] == ["reason"]


@pytest.mark.parametrize("depth", [1, 200, 252, 253, 254, 255, 300, 1_000, 5_000])
async def test_arguments_of_any_depth_are_answered(desk, depth):
    nested = "[" * depth + "]" * depth
    params = f'{{"reducer": "none", "reason": "why", "arguments": {{"a": {nested}}}}}'
    async with desk.line() as line:
        await line.socket.send(
            f'{{"jsonrpc": "2.0", "id": 1, "method": "calls.call", "params": {params}}}'
        )
        code = (await line.receive())["error"]["data"]["code"]
        assert code in {"reducer.not_found", "rpc.invalid", "rpc.parse"}
        assert (await line.ask("audit.verify"))["records"] == (code == "reducer.not_found")


async def test_no_record_is_made_of_a_key_that_no_actor_can_have(desk):
    key = f"database/{'0' * 600}"
    async with desk.line() as line:
        for verb in ("checkpoint", "passivate", "quarantine", "release"):
            with pytest.raises(RefusedError) as caught:
                await line.ask(f"actors.{verb}", actor=key, reason=WHY)
            assert caught.value.code == "input.invalid"
        assert (await line.ask("audit.verify"))["records"] == 0


async def test_a_message_that_is_too_large_ends_the_connection(desk):
    async with desk.line() as line:
        await line.socket.send("x" * (ADMIN_MESSAGE_BYTES_MAX + 1))
        with pytest.raises(ConnectionClosed) as caught:
            await line.receive()
        assert caught.value.rcvd.code == 1009


async def test_an_operator_who_asks_too_often_is_refused_and_nobody_else(desk):
    async with desk.line() as line, desk.line(desk.token(Role.READ)) as other:
        with pytest.raises(RefusedError) as caught:
            for _ in range(3 * ADMIN_CALLS_BURST):
                await line.ask("connections.list")
        assert caught.value.code == "limit.rate_exceeded"
        assert caught.value.data["retry_after_seconds"] == 1
        assert await other.ask("server.info")


async def test_a_token_that_ends_meanwhile_runs_nothing(desk, monkeypatch):
    async with desk.line(desk.token(Role.DANGER)) as line:
        await line.ask("server.info")
        monkeypatch.setattr("time.time_ns", lambda: 2**62)
        with pytest.raises(RefusedError) as caught:
            await line.ask("server.info")
        assert caught.value.code == "auth.token_expired"


async def test_there_is_room_for_so_many_operators(desk):
    sockets = []
    for _ in range(ADMIN_CONNECTIONS_MAX):
        socket = await connect(
            desk.url,
            subprotocols=ADMIN,
            additional_headers=bearer(desk.owner_token),
            proxy=None,
        )
        await socket.ping()
        sockets.append(socket)
    assert await refused(desk.url, additional_headers=bearer(desk.owner_token)) == 503
    await sockets.pop().close()
    async with desk.line() as line:
        assert await line.ask("server.info")
    for socket in sockets:
        await socket.close()


async def test_a_public_address_needs_permission(tmp_path):
    with pytest.raises(BindRefusedError, match="admin_allow_public_bind"):
        await Server(desk_settings(tmp_path, admin_host="0.0.0.0")).start()
    allowed = {"admin_host": "0.0.0.0", "admin_allow_public_bind": True}
    async with open_desk(tmp_path, **allowed) as desk:
        assert desk.url.startswith("ws://0.0.0.0:")


async def test_a_port_that_is_taken(tmp_path):
    async with open_desk(tmp_path / "one") as one:
        port = int(one.url.rpartition(":")[2].partition("/")[0])
        with pytest.raises(PortInUseError):
            await Server(desk_settings(tmp_path / "two", admin_port=port)).start()


def two_ports() -> tuple[socket.socket, int]:
    """A listening socket, and the port before its own, which is free."""
    while True:
        taken = socket.create_server(("127.0.0.1", 0))
        port = taken.getsockname()[1] - 1
        try:
            socket.create_server(("127.0.0.1", port)).close()
        except OSError:
            taken.close()
        else:
            return taken, port


async def test_the_port_after_the_servers_own_or_any_other(tmp_path):
    taken, port = two_ports()
    with taken:
        async with open_desk(tmp_path, port=port) as desk, desk.line() as line:
            assert not desk.url.endswith(f":{port + 1}/admin")
            assert await line.ask("server.info")
    async with open_desk(tmp_path, port=port) as desk:
        assert desk.url == f"ws://127.0.0.1:{port + 1}/admin"


async def test_without_operators(tmp_path):
    async with open_desk(tmp_path, admin=False):
        assert not (tmp_path / "admin.token").exists()
        assert not (tmp_path / "admin.address").exists()


async def test_stopping_closes_operators_connections(tmp_path):
    async with open_desk(tmp_path) as desk:
        socket = await connect(
            desk.url,
            subprotocols=ADMIN,
            additional_headers=bearer(desk.owner_token),
            proxy=None,
        )
        async with desk.line() as line:
            state = await line.ask("server.drain", seconds=0, stop=True, reason=WHY)
            assert state["is_stopping"]
        await desk.server.ended.wait()
    with pytest.raises(ConnectionClosed) as caught:
        await socket.recv()
    assert caught.value.rcvd.code == 1001
