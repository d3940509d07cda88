from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from actors.operations.kinds import CANARY
from server.app import Server
from server.doctor import port_checks
from server.doctor.examination import examine
from server.doctor.findings import Level
from server.doctor.port_checks import check_ports, check_running
from server.doctor.settings_checks import check_module, check_settings
from server.settings import Settings

SERVER_TESTS = Path(__file__).parents[1]


@pytest.fixture(autouse=True)
def _a_clean_place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))


def levels(findings) -> dict[str, Level]:
    """The worst of each check; who says that something is wrong says what to do."""
    assert all(bool(found.advice) is (found.level is not Level.OK) for found in findings)
    order = list(Level)
    return {
        found.check: max((f.level for f in findings if f.check == found.check), key=order.index)
        for found in findings
    }


# Settings


def test_settings_that_are_well(tmp_path):
    (tmp_path / "genarrative.toml").write_text('rate_burst = 5\nredis_password = "x"\n')
    (tmp_path / "genarrative.toml").chmod(0o600)
    loaded, findings = check_settings(None, {"port": 0})
    assert loaded is not None
    assert levels(findings) == {"settings": Level.OK}
    assert findings[0].text == "read from command line, genarrative.toml"


@pytest.mark.parametrize("text", ["rate_brust = 5", "port = 'x'", "port ="])
def test_settings_that_cannot_be_read(tmp_path, text):
    (tmp_path / "genarrative.toml").write_text(text)
    loaded, findings = check_settings(None, {})
    assert loaded is None
    assert levels(findings) == {"settings": Level.ERROR}


@pytest.mark.parametrize(
    "text", ['redis_password = "x"', 'store = "redis://me:pw@h/0"', 'text_model_keys = ["k"]']
)
def test_secrets_in_a_file_that_others_may_read(tmp_path, text):
    models = 'text_models = ["http://h/v1#m"]\n'
    (tmp_path / "genarrative.toml").write_text(models + text)
    (tmp_path / "genarrative.toml").chmod(0o644)
    _, findings = check_settings(None, {})
    assert levels(findings) == {"settings": Level.WARNING}


@pytest.mark.parametrize(
    ("changes", "level"),
    [
        ({"dev_fixtures": True}, Level.ERROR),
        ({"rate_limits": False}, Level.WARNING),
        ({"admin_host": "0.0.0.0", "admin_allow_public_bind": True}, Level.WARNING),
        ({}, None),
    ],
)
def test_settings_that_are_too_open(changes, level):
    public = {"host": "0.0.0.0", "allow_public_bind": True}
    _, findings = check_settings(None, public | changes)
    assert levels(findings).get("exposure") is level


@pytest.mark.parametrize("module", ["no_such_module", "json", "broken_module"])
def test_a_module_that_cannot_be_served(tmp_path, module):
    (tmp_path / "broken_module.py").write_text("1 / 0\n")
    found = check_module(Settings(module=module))
    assert found.level is Level.ERROR
    assert "Traceback" not in found.text


def test_a_module_without_the_kind_that_retention_names():
    assert check_module(Settings(module="board_module")).level is Level.OK
    found = check_module(Settings(module="board_module", retention="full;wizard:records=1"))
    assert found.level is Level.ERROR


# Ports


async def test_ports_that_somebody_else_has(tmp_path, monkeypatch):
    monkeypatch.setattr(port_checks, "DOCTOR_ANSWER_SECONDS_MAX", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        settings = Settings(port=port, admin_port=port, data_dir=tmp_path)
        found = levels(await check_ports(settings, is_running=False))
        assert found == {"port": Level.ERROR, "admin port": Level.ERROR}
        found = levels(await check_ports(settings, is_running=True))
        assert found == {"port": Level.ERROR, "admin port": Level.ERROR}
        assert levels(await check_running(settings)) == {"server": Level.ERROR}


@pytest.mark.parametrize("host", ["0.0.0.0", "no.such.host.invalid", "192.0.2.1"])
async def test_addresses_that_cannot_be_listened_on(host):
    settings = Settings(port=0, host=host, admin_host=host)
    found = levels(await check_ports(settings, is_running=False))
    assert found == {"port": Level.ERROR, "admin port": Level.ERROR}


async def test_a_server_that_runs(tmp_path):
    with (
        socket.create_server(("127.0.0.1", 0)) as one,
        socket.create_server(("127.0.0.1", 0)) as two,
    ):
        ports = [sock.getsockname()[1] for sock in (one, two)]
    flags = {
        "port": ports[0],
        "admin_port": ports[1],
        "data_dir": tmp_path / "data",
        "module": "board_module",
    }
    server = Server(Settings(**flags))
    await server.start()
    try:
        await server.canary.beat()
        found = levels(await examine(None, flags))
        assert Level.ERROR not in found.values()
        assert found["server"] is found["port"] is found["admin port"] is Level.OK
        core = server.canary._host.core(CANARY.key("0"))
        core.is_set_aside = True
        await server.canary.beat()
        findings = await examine(None, flags)
        assert levels(findings)["server"] is Level.ERROR
        assert any("an actor does not take calls" in found.text for found in findings)
        core.is_set_aside = False
        (found,) = await check_running(Settings(port=0))
        assert found.level is Level.OK
    finally:
        assert await server.stop()


# The command


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    clean = {k: v for k, v in os.environ.items() if not k.startswith("GENARRATIVE_")}
    paths = os.pathsep.join([str(SERVER_TESTS), str(SERVER_TESTS.parents[1])])
    return subprocess.run(
        [sys.executable, "-m", "server", "doctor", *arguments],
        cwd=folder,
        env=clean | {"PYTHONPATH": paths, "COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_command_exits_by_what_it_finds(tmp_path):
    arguments = ("--port", "0", "--module", "board_module")
    well = run(tmp_path, "--json", *arguments)
    assert (well.returncode, well.stderr) == (0, "")
    checks = {finding["check"] for finding in json.loads(well.stdout)}
    assert checks >= {"settings", "module", "folder", "keys", "disk", "store", "clock", "port"}
    assert checks >= {"admin port", "files", "versions", "packages", "uvloop"}
    assert not (tmp_path / ".genarrative").exists()
    (tmp_path / "file").touch()
    ill = run(tmp_path, "--data-dir", "file", *arguments)
    assert ill.returncode == 1
    assert "→ name another one in `data_dir`" in ill.stdout
    assert "\x1b[" not in ill.stdout
    unread = run(tmp_path, "--config", "nowhere.toml")
    assert unread.returncode == 1
    assert "nowhere.toml is not a file" in unread.stdout
