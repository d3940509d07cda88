"""Operators' deeds across the death of the server's process."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from served import Served
from websockets.sync.client import ClientConnection, connect

MODULE = "ledger_module"


def operator(data_dir: Path) -> connect:
    """A connection as the owner of the data folder."""
    token = (data_dir / "admin.token").read_text()
    return connect(
        (data_dir / "admin.address").read_text().strip(),
        subprotocols=["admin.v1.jsonrpc"],
        additional_headers={"Authorization": f"Bearer {token}"},
        proxy=None,
    )


def ask(line: ClientConnection, method: str, **params: object) -> dict:
    line.send(json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}))
    return json.loads(line.recv(timeout=20))["result"]


def is_draining(data_dir: Path) -> bool:
    with operator(data_dir) as line:
        return ask(line, "server.info")["is_draining"]


@pytest.mark.crash
def test_a_command_that_a_crash_cut_off_is_on_record(tmp_path):
    data_dir = tmp_path / "data"
    served = Served(MODULE, data_dir)
    served.start()
    try:
        player = connect(
            f"ws://127.0.0.1:{served.port}/v1/database/e2e/subscribe",
            subprotocols=["v3.bsatn.spacetimedb"],
            proxy=None,
            compression=None,
        )
        with player as socket, operator(data_dir) as line:
            socket.recv(timeout=20)
            params = {"seconds": 600, "reason": "the disk is to be changed"}
            request = {"jsonrpc": "2.0", "id": 1, "method": "server.drain", "params": params}
            line.send(json.dumps(request))
            while not is_draining(data_dir):
                pass
            served.kill()
        for _ in range(2):
            served.start()
            with operator(data_dir) as line:
                found = ask(line, "audit.list")["records"]
                assert len(found) == 1
                assert (found[0]["command"], found[0]["outcome"]) == ("server.drain", "unknown")
                assert found[0]["error_code"] == "server.stopped"
                assert found[0]["reason"] == "the disk is to be changed"
                assert ask(line, "audit.verify")["is_whole"]
                assert not ask(line, "server.info")["is_draining"]
            served.kill()
    finally:
        served.kill()
