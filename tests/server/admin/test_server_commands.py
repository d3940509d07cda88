from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from desk import WHY, Desk, RefusedError, open_desk
from rig import answers, call
from websockets.exceptions import ConnectionClosed, InvalidStatus

from protocol.messages import ReducerErr, Subscribe, SubscribeApplied, TransactionUpdate
from protocol.messages.v2_client import encode_client_message
from server.admin.catalogue import COMMANDS
from server.admin.page import admin_page
from server.admin.roles import Role
from server.settings import Settings

DOCS = Path(__file__).parents[3] / "docs"


async def get(desk: Desk, path: str) -> tuple[int, bytes]:
    reader, writer = await asyncio.open_connection("127.0.0.1", desk.ready.port)
    writer.write(f"GET {path} HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n".encode())
    head, _, body = (await reader.read()).partition(b"\r\n\r\n")
    writer.close()
    await writer.wait_closed()
    return int(head.split()[1]), body


async def test_what_the_server_is(desk):
    async with desk.player() as player, desk.line(desk.token(Role.READ)) as line:
        await player.recv()
        info = await line.ask("server.info")
    assert (info["module"], info["database"]) == ("board_module", "board")
    assert (info["store"], info["connections"], info["is_draining"]) == ("sqlite", 1, False)
    assert info["uptime_seconds"] >= 0
    assert info["actors"] >= 2
    assert info["protocols"]


async def test_settings_and_their_sources_without_secrets(tmp_path):
    secrets = {
        "text_models": "http://127.0.0.1:9/v1#model",
        "text_model_keys": "sk-secret",
        "objects_access_key": "access-secret",
        "objects_secret_key": "other-secret",
        "objects": "s3://bucket/folder",
    }
    async with open_desk(tmp_path, **secrets) as desk, desk.line() as line:
        desk.server._sources["port"] = "command line"
        answer = await line.ask("server.config")
    shown = {entry["key"]: entry for entry in answer["settings"]}
    assert shown.keys() == Settings.model_fields.keys()
    assert shown["port"] == {"key": "port", "value": "0", "source": "command line"}
    assert shown["database"]["source"] == "default"
    assert shown["text_models"]["value"] == "http://127.0.0.1:9/v1#model"
    assert "secret" not in json.dumps([entry["value"] for entry in answer["settings"]])


async def test_a_drain_waits_for_the_last_connection(desk):
    async with desk.line() as line, desk.line() as other:
        async with desk.player() as player:
            await player.recv()
            draining = asyncio.create_task(
                line.ask("server.drain", seconds=60, reason="to be moved")
            )
            while not (await other.ask("server.info"))["is_draining"]:
                pass
            assert not draining.done()
            with pytest.raises(InvalidStatus) as caught:
                await desk.player()
            assert caught.value.response.status_code == 503
            status, body = await get(desk, "/readyz")
            assert status == 503
            assert b"draining" in body
            # Who is connected goes on.
            await player.send(call(1, "nothing"))
            (answer,) = answers(await player.recv())
            assert not isinstance(answer.outcome, ReducerErr)
        assert await draining == {"is_draining": True, "connections": 0, "is_stopping": False}
        assert not desk.server.ended.is_set()
        resumed = await line.ask("server.resume", reason=WHY)
        assert resumed == {"is_draining": False, "connections": 0, "is_stopping": False}
        assert (await get(desk, "/readyz"))[0] == 200
        async with desk.player() as player:
            await player.recv()


async def test_a_drain_ends_after_its_time_and_stops_the_server(tmp_path):
    async with open_desk(tmp_path) as desk, desk.line() as line:
        player = await desk.player()
        await player.recv()
        state = await line.ask("server.drain", seconds=0.01, stop=True, reason=WHY)
        assert state == {"is_draining": True, "connections": 1, "is_stopping": True}
        await desk.server.ended.wait()
    with pytest.raises(ConnectionClosed) as caught:
        await player.recv()
    assert caught.value.rcvd.code == 1012


async def test_whoever_resumes_calls_a_stop_off(desk):
    async with desk.player() as player, desk.line() as line, desk.line() as other:
        await player.recv()
        draining = asyncio.create_task(
            line.ask("server.drain", seconds=60, stop=True, reason="to be moved")
        )
        while not (await other.ask("server.info"))["is_draining"]:
            pass
        await other.ask("server.resume", reason="not today")
        assert await draining == {"is_draining": False, "connections": 1, "is_stopping": False}
        assert not (await other.ask("server.info"))["is_draining"]
        assert not desk.server.ended.is_set()


async def test_a_server_stops_although_the_operator_has_left(desk):
    async with desk.player() as player, desk.line() as other:
        await player.recv()
        async with desk.line() as line:
            params = {"seconds": 60, "stop": True, "reason": "to be moved"}
            request = {"jsonrpc": "2.0", "id": 1, "method": "server.drain", "params": params}
            await line.socket.send(json.dumps(request))
            while not (await other.ask("server.info"))["is_draining"]:
                pass
            line.socket.transport.abort()
        assert not desk.server.ended.is_set()
        await player.close()
        await asyncio.wait_for(desk.server.ended.wait(), 20)


async def test_checkpoint_all(desk):
    async with desk.player() as player, desk.line() as line:
        await player.recv()
        assert (await line.ask("server.checkpoint", reason=WHY))["actors"] >= 1


async def test_an_announcement_reaches_those_who_listen(desk):
    query = "SELECT * FROM operations_announcement"
    async with desk.player() as listener, desk.player() as other, desk.line() as line:
        await listener.recv()
        await other.recv()
        await listener.send(encode_client_message(Subscribe(1, 1, (query,))))
        (applied,) = answers(await listener.recv())
        assert isinstance(applied, SubscribeApplied)
        said = await line.ask(
            "announcements.send", text="We stop at noon", level="warning", reason=WHY
        )
        assert said == {"connections": 2}
        (update,) = answers(await listener.recv())
        assert isinstance(update, TransactionUpdate)
        ((table,),) = [entry.tables for entry in update.query_sets]
        assert table.table == "operations_announcement"
        (events,) = table.rows
        assert events.is_event
        (row,) = events.inserts
        assert b"We stop at noon" in row
        assert b"warning" in row
        await other.send(call(2, "nothing"))
        (answer,) = answers(await other.recv())
        assert answer.request_id == 2
        for params in ({"text": ""}, {"text": "x" * 2_001}, {"text": "x", "level": "loud"}):
            with pytest.raises(RefusedError) as caught:
                await line.ask("announcements.send", reason=WHY, **params)
            assert caught.value.code == "input.invalid"


async def test_no_schema_tells_clients_of_operations(desk):
    status, body = await get(desk, "/v1/database/board/schema?version=10")
    assert status == 200
    assert b"note" in body
    assert b"operations" not in body


async def test_discovery_describes_every_command(desk):
    async with desk.line(desk.token(Role.READ)) as line:
        document = await line.ask("rpc.discover")
    methods = {method["name"]: method for method in document["methods"]}
    assert methods.keys() == COMMANDS.keys()
    schemas = document["components"]["schemas"]
    for name, method in methods.items():
        assert method["x-role"] == COMMANDS[name].role.claim
        assert method["paramStructure"] == "by-name"
        asked = {param["name"] for param in method["params"] if param["required"]}
        assert ("reason" in asked) == COMMANDS[name].mutates
        reference = method["result"]["schema"]["$ref"]
        assert reference.removeprefix("#/components/schemas/") in schemas
    for reference in _references(document):
        assert reference.removeprefix("#/components/schemas/") in schemas


def _references(value: object) -> list[str]:
    if isinstance(value, list):
        return [found for item in value for found in _references(item)]
    if not isinstance(value, dict):
        return []
    own = [value["$ref"]] if isinstance(value.get("$ref"), str) else []
    return own + [found for item in value.values() for found in _references(item)]


def test_the_page_is_current():
    text = (DOCS / "admin.md").read_text(encoding="utf-8")
    assert text == admin_page(COMMANDS.values()), "genarrative docs admin > docs/admin.md"
