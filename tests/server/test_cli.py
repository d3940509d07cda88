from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import jwt
import pytest
from rig import upgrade_request

HERE = Path(__file__).parent
READY = re.compile(r"ready http://127\.0\.0\.1:(\d+) ")


def environment(**changes: str) -> dict[str, str]:
    clean = {k: v for k, v in os.environ.items() if not k.startswith("GENARRATIVE_")}
    paths = [str(HERE), str(HERE.parents[1])]
    return clean | {"PYTHONPATH": os.pathsep.join(paths)} | changes


def run(*arguments: str, cwd: Path, **changes: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "server", *arguments],
        cwd=cwd,
        env=environment(**changes),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        stdin=subprocess.DEVNULL,
    )


@contextmanager
def serving(cwd: Path, *arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "server", "serve", "--module", "board_module", *arguments],
        cwd=cwd,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert READY.match(line), (line, process.stderr and process.stderr.read())
        yield process, line
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_server_with_0(tmp_path, number):
    with serving(tmp_path, "--port", "0") as (process, line):
        assert "database=genarrative module=board_module store=sqlite" in line
        assert "synchronous=FULL" in line
        assert "protocols=v3.bsatn.spacetimedb,v2.bsatn.spacetimedb" in line
        process.send_signal(number)
        rest, errors = process.communicate(timeout=30)
        assert (process.returncode, rest) == (0, "")
        assert "Traceback" not in errors
    assert (tmp_path / ".genarrative/local").stat().st_mode & 0o777 == 0o700


def test_one_folder_and_one_port_are_one_servers(tmp_path):
    with serving(tmp_path, "--port", "0") as (_, line):
        port = READY.match(line)[1]
        locked = run("serve", "--module", "board_module", "--port", "0", cwd=tmp_path)
        assert locked.returncode == 2
        assert "data folder is locked" in locked.stderr
        taken = run(
            *("serve", "--module", "board_module", "--port", port, "--data-dir", "other"),
            cwd=tmp_path,
        )
        assert taken.returncode == 2
        assert f"port {port} is in use" in taken.stderr


def test_a_public_address_is_refused(tmp_path):
    result = run("serve", "--module", "board_module", "--host", "0.0.0.0", cwd=tmp_path)
    assert result.returncode == 2
    assert "--allow-public-bind" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "changes", "text"),
    [
        (["serve", "--port", "99999"], {}, "port (command line)"),
        (["serve"], {"GENARRATIVE_PROT": "1"}, "did you mean port"),
        (["serve", "--config", "nowhere.toml"], {}, "nowhere.toml"),
        (["serve", "--module", "no_such_module"], {}, "no_such_module"),
        (["serve", "--store", "mongo://x", "--module", "board_module"], {}, "mongo://x"),
        (["serve", "--frobnicate"], {}, "frobnicate"),
        (["token", "--role", "wizard"], {}, "no such role: wizard"),
    ],
)
def test_what_cannot_be_done_exits_2_with_one_line(tmp_path, arguments, changes, text):
    if arguments[0] == "serve" and "--port" not in arguments:
        arguments = [*arguments, "--port", "0"]
    result = run(*arguments, cwd=tmp_path, **changes)
    assert result.returncode == 2
    assert text in result.stderr
    assert "Traceback" not in result.stderr
    assert result.stdout == ""


def test_another_schema_in_the_store_exits_3(tmp_path):
    with serving(tmp_path, "--port", "0"):
        pass
    source = (HERE / "board_module.py").read_text().replace("    text: str\n", "    text: u64\n")
    (tmp_path / "changed_module.py").write_text(source)
    result = run("serve", "--module", "changed_module", "--port", "0", cwd=tmp_path)
    assert result.returncode == 3
    assert "Traceback" not in result.stderr


def test_reset_asks_first(tmp_path):
    with serving(tmp_path, "--port", "0"):
        pass
    secret = tmp_path / ".genarrative/local/cluster-secret"
    before = secret.read_bytes()
    refused = run("serve", "--reset", "--module", "board_module", "--port", "0", cwd=tmp_path)
    assert refused.returncode == 1
    assert secret.read_bytes() == before
    with serving(tmp_path, "--port", "0", "--reset", "--yes"):
        assert secret.read_bytes() != before


def test_config_show(tmp_path):
    (tmp_path / "genarrative.toml").write_text('store = "redis://u:pw@h/0"\nrate_burst = 5\n')
    result = run("config", "show", "--json", cwd=tmp_path, GENARRATIVE_PORT="4000")
    shown = json.loads(result.stdout)
    assert shown["port"] == {"value": "4000", "source": "environment"}
    assert shown["rate_burst"] == {"value": "5", "source": "genarrative.toml"}
    assert shown["host"] == {"value": "127.0.0.1", "source": "default"}
    assert "pw" not in result.stdout
    table = run("config", "show", cwd=tmp_path, COLUMNS="200")
    assert re.search(r"rate_burst\W+5\W+genarrative\.toml", table.stdout)


def test_a_minted_token_is_of_the_folders_key(tmp_path):
    result = run("token", "--role", "service", "--role", "admin", cwd=tmp_path)
    payload = jwt.decode(result.stdout.strip(), options={"verify_signature": False})
    assert payload["roles"] == ["admin", "service"]
    assert payload["exp"] - payload["iat"] == 86_400
    with serving(tmp_path, "--port", "0") as (_, line):
        plain = socket.create_connection(("127.0.0.1", int(READY.match(line)[1])))
        plain.sendall(
            b"POST /v1/identity/websocket-token HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n"
            b"connection: close\r\nauthorization: Bearer "
            + result.stdout.strip().encode()
            + b"\r\n\r\n"
        )
        assert plain.recv(4_096).startswith(b"HTTP/1.1 200 ")
        plain.close()


def test_tokens_are_not_logged(tmp_path):
    token = run("token", "--role", "player", cwd=tmp_path).stdout.strip()
    with serving(tmp_path, "--port", "0", "--log-level", "debug") as (process, line):
        for query in (f"token={token}", f"token={token}x", f"token={token}&compression=x"):
            request = upgrade_request(f"/v1/database/genarrative/subscribe?{query}")
            with socket.create_connection(("127.0.0.1", int(READY.match(line)[1]))) as plain:
                plain.sendall(request)
                assert plain.recv(4_096).startswith(b"HTTP/1.1 ")
        process.terminate()
        errors = process.communicate(timeout=30)[1]
    assert token not in errors
    assert token.rpartition(".")[2] not in errors


def test_version(tmp_path):
    assert re.match(
        r"genarrative-server \S+, Python 3\.\d+\.\S+, v3\.bsatn",
        run("version", cwd=tmp_path).stdout,
    )


def test_generate(tmp_path):
    out = tmp_path / "bindings"
    first = run("generate", "--module", "board_module", "--out", "bindings", cwd=tmp_path)
    assert first.returncode == 0, first.stderr
    files = {path.name: path.read_text() for path in out.rglob("*.ts")}
    assert "index.ts" in files
    (out / "old_table.ts").write_text(files["index.ts"])
    (out / "mine.ts").write_text("export const mine = 1;\n")
    again = run("generate", "--module", "board_module", "--out", "bindings", cwd=tmp_path)
    assert "deleted bindings/old_table.ts" in again.stdout
    assert (out / "mine.ts").exists()
    assert (out / "index.ts").read_text() == files["index.ts"]
    (out / "index.ts").write_text("// by hand\n")
    assert not list((tmp_path / "bindings").glob("*operations*"))
    told = ("generate", "--announcements", "--module", "board_module", "--out", "announced")
    assert "operations_announcement_table.ts" in run(*told, cwd=tmp_path).stdout
    refused = run("generate", "--module", "board_module", "--out", "bindings", cwd=tmp_path)
    assert refused.returncode == 2
    assert "index.ts was not generated by this program" in refused.stderr
    assert (out / "index.ts").read_text() == "// by hand\n"
