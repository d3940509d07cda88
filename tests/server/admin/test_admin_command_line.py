from __future__ import annotations

import asyncio
import contextlib
import io
import itertools
import json
import logging
import os
import pty
import re
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import NamedTuple

import pytest
import structlog
from command_samples import sample
from desk import WHY, Desk
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from street import open_street, resident

from server.admin.catalogue import COMMANDS
from server.admin.commands import Command
from server.admin.roles import Role
from server.commands.admin import run_admin
from server.commands.admin_show import notice_lines, render
from server.commands.admin_values import harmless, spell
from server.log_levels import reset_log_levels
from server.logs import configure_logs

SERVER_TESTS = Path(__file__).parents[1]
HERE = [command for command in COMMANDS.values() if command.name != "tail.end"]
ENDING = [command for command in HERE if command.event is None]
NOBODY = f"u_{'0' * 32}"


class Ended(NamedTuple):
    code: int
    out: str
    err: str


@pytest.fixture(autouse=True)
def _logs_that_are_not_in_the_way():
    """The server of these tests logs to where its process does, not to where a command prints."""
    root, libraries = logging.getLogger(), ("asyncio", "uvicorn", "websockets")
    before = root.handlers[:], root.level, [logging.getLogger(name).level for name in libraries]
    configure_logs("info", "json")
    yield
    reset_log_levels()
    root.handlers[:] = before[0]
    root.setLevel(before[1])
    for name, level in zip(libraries, before[2], strict=True):
        logging.getLogger(name).setLevel(level)
    structlog.reset_defaults()


@pytest.fixture
async def street(tmp_path) -> AsyncIterator[Desk]:
    async with open_street(tmp_path / "data") as opened:
        yield opened


def run(*arguments: str) -> Ended:
    """The command line in this process, on a terminal that nobody looks at."""
    out, err = io.StringIO(), io.StringIO()
    with (
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
        pytest.raises(SystemExit) as ended,
    ):
        run_admin(arguments)
    return Ended(int(ended.value.code or 0), out.getvalue(), err.getvalue())


async def on(desk: Desk, *arguments: str) -> Ended:
    """The command line against a running server."""
    return await asyncio.to_thread(run, *arguments, "--data-dir", str(desk.folder))


def words(command: Command) -> list[str]:
    """What to type so that a command runs."""
    given = sample(command)
    fields = command.params.model_fields
    typed = [command.group, command.verb]
    named = []
    for name, value in given.items():
        text = value if isinstance(value, str) else json.dumps(value)
        if name == "reason" or not fields[name].is_required():
            named += [f"--{name.replace('_', '-')}", text]
    placed = [name for name, field in fields.items() if field.is_required() and name != "reason"]
    typed += [str(given[name]) for name in placed]
    return typed + named + (["--yes"] if command.role is Role.DANGER else [])


def environment(**changes: str) -> dict[str, str]:
    clean = {k: v for k, v in os.environ.items() if not k.startswith("GENARRATIVE_")}
    paths = os.pathsep.join([str(SERVER_TESTS), str(SERVER_TESTS.parents[1])])
    return clean | {"PYTHONPATH": paths} | changes


def begin(*arguments: str, folder: Path, **options) -> subprocess.Popen[str]:
    """The command line in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "server", "admin", *arguments, "--data-dir", str(folder)],
        env=environment(),
        text=True,
        **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | options,
    )


# Every command


@pytest.mark.parametrize("command", HERE, ids=lambda command: command.name)
def test_help_needs_no_server(command, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    shown = run(command.group, command.verb, "--help")
    assert shown.code == 0
    assert f"Needs the role {command.role.claim}" in shown.out
    for name, field in command.params.model_fields.items():
        is_placed = field.is_required() and name != "reason"
        assert (name.upper() if is_placed else f"--{name.replace('_', '-')}") in shown.out or (
            is_placed and "|" in shown.out
        )


@pytest.mark.parametrize("command", ENDING, ids=lambda command: command.name)
async def test_every_command_runs(street: Desk, command):
    typed = words(command)
    for_people = await on(street, *typed)
    for_programs = await on(street, *typed, "--json")
    assert for_people.code in {0, 1}, for_people
    assert for_programs.code in {0, 1}, for_programs
    if for_people.code == 0:
        assert for_people.out.strip()
        assert "\x1b[" not in for_people.out
    else:
        assert for_people.out == ""
        assert for_people.err.startswith("genarrative: ")
        assert len(for_people.err.splitlines()) == 1
    if for_programs.code == 0:
        command.result.model_validate(json.loads(for_programs.out))
    async with street.line() as line:
        records = (await line.ask("audit.list", command=command.name))["records"]
    assert len(records) == (2 if command.mutates else 0)
    assert {record["reason"] for record in records} <= {WHY}


async def test_every_tail_follows(street: Desk):
    """Each in a process of its own, while something happens that it tells of."""
    tails = {
        "calls": ("--actor", "operations_canary/", "--lines", "2", "--json"),
        "deltas": ("--actor", "operations_canary/", "--lines", "2"),
        "audit": ("--command", "server.", "--lines", "1", "--json"),
        "logs": ("--logger", "server.admin", "--lines", "1"),
    }
    processes = {
        kind: begin("tail", kind, *typed, folder=street.folder) for kind, typed in tails.items()
    }
    names = (f"operator {number}" for number in itertools.count())
    while any(process.poll() is None for process in processes.values()):
        # Each is another operator: one alone would have to slow down before the processes are up.
        async with street.line(street.token(Role.DANGER, next(names))) as line:
            await line.ask("server.checkpoint", reason=WHY)
        await street.server.canary.beat()
    texts = {}
    for kind, process in processes.items():
        texts[kind], err = process.communicate(timeout=60)
        assert (process.returncode, err) == (0, ""), kind
    calls = [json.loads(text) for text in texts["calls"].splitlines()]
    assert {call["name"] for call in calls} == {"operations_beat"}
    assert len(calls) == 2
    assert re.search(r"operations_canary/0 .* operations_beat .*written", texts["deltas"])
    (record,) = map(json.loads, texts["audit"].splitlines())
    assert (record["command"], record["reason"]) == ("server.checkpoint", WHY)
    assert re.search(r"info .* an operator came", texts["logs"])


# Who may, and who is asked


@pytest.mark.parametrize("role", list(Role))
async def test_roles(desk: Desk, tmp_path, role):
    minted = await on(desk, "mint-token", "--role", role.claim, "--for", "ann")
    file = tmp_path / "token"
    file.write_text(minted.out)
    least = {"info": Role.READ, "checkpoint": Role.OPERATE, "drain": Role.DANGER}
    for verb, needed in least.items():
        typed = ["server", verb, "--token-file", str(file)]
        typed += [] if verb == "info" else ["--reason", WHY]
        typed += ["--yes"] if verb == "drain" else []
        ended = await on(desk, *typed)
        assert ended.code == (0 if role >= needed else 1)
        assert ("auth.forbidden" in ended.err) is (role < needed)
    async with desk.line() as line:
        for record in (await line.ask("audit.list"))["records"]:
            assert record["operator"] == "ann"


async def test_the_token_of_the_environment(desk: Desk, monkeypatch):
    monkeypatch.setenv("GENARRATIVE_ADMIN_TOKEN", desk.token(Role.READ, "env"))
    assert (await on(desk, "server", "info")).code == 0
    ended = await on(desk, "server", "checkpoint", "--reason", WHY)
    assert (ended.code, "auth.forbidden" in ended.err) == (1, True)


async def test_danger_needs_a_yes(desk: Desk, monkeypatch):
    typed = ("server", "drain", "--seconds", "0", "--reason", WHY)
    monkeypatch.setattr(sys, "stdin", io.StringIO("y\n"))
    ended = await on(desk, *typed)
    assert (ended.code, "needs --yes" in ended.err) == (2, True)
    for answer, code in (("n", 1), ("y", 0)):
        ours, theirs = pty.openpty()
        process = begin(*typed, folder=desk.folder, stdin=theirs)
        os.write(ours, f"{answer}\n".encode())
        out, err = await asyncio.to_thread(process.communicate, timeout=60)
        os.close(ours)
        os.close(theirs)
        assert process.returncode == code, err
        assert "Go on?" in err
        assert ("draining" in out) is (code == 0)
    async with desk.line() as line:
        assert len((await line.ask("audit.list"))["records"]) == 1


async def test_a_reason_is_asked_for(desk: Desk, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.StringIO("because\n"))
    ended = await on(desk, "server", "checkpoint")
    assert (ended.code, "needs --reason" in ended.err) == (2, True)
    ours, theirs = pty.openpty()
    process = begin("server", "checkpoint", folder=desk.folder, stdin=theirs)
    os.write(ours, b"because it asks\n")
    _, err = await asyncio.to_thread(process.communicate, timeout=60)
    os.close(ours)
    os.close(theirs)
    assert (process.returncode, "Reason" in err) == (0, True)
    async with desk.line() as line:
        (record,) = (await line.ask("audit.list"))["records"]
    assert record["reason"] == "because it asks"


# What is wrong


@pytest.mark.parametrize(
    ("typed", "text"),
    [
        (("actors", "list", "--limit", "many"), "limit: Input should be a valid integer"),
        (("actors", "list", "--limit", "0"), "limit: Input should be greater"),
        (("actors", "list", "--standing", "tall"), "standing: Input should be"),
        (("calls", "call", "x", "--arguments", "{", "--reason", WHY), "arguments is not JSON"),
        (("server", "checkpoint", "--reason", "x"), "reason: String should have at least"),
        (("actors", "show"), "Missing argument"),
        (("actors", "dance"), "No such command"),
        (("actors", "list", "--frobnicate"), "No such option"),
    ],
)
async def test_what_makes_no_sense_is_not_sent(desk: Desk, typed, text):
    ended = await on(desk, *typed)
    assert ended.code == 2
    assert text in ended.err
    async with desk.line() as line:
        assert (await line.ask("audit.list"))["records"] == []


async def test_what_the_server_refuses(desk: Desk):
    ended = await on(desk, "connections", "show", "0" * 32)
    assert ended.code == 1
    assert ended.err.startswith("genarrative: connection.not_found: ")


async def test_a_server_that_cannot_be_reached(desk: Desk, tmp_path):
    file = tmp_path / "token"
    file.write_text(desk.expired_token())
    for typed, text in (
        (("--data-dir", str(tmp_path)), "no server lets operators in from"),
        (("--url", "ws://127.0.0.1:1/admin"), "ws://127.0.0.1:1/admin: "),
        (("--url", desk.url.replace("/admin", "/other")), "answers 404"),
        (("--url", "ws://192.0.2.1/admin"), "192.0.2.1 needs --token-file"),
        (("--url", "nonsense"), "nonsense"),
        (("--token-file", str(file)), "answers 401"),
        (("--token-file", str(tmp_path / "none")), "there is no token in"),
    ):
        ended = await on(desk, "server", "info", *typed)
        if "--data-dir" in typed:
            ended = await asyncio.to_thread(run, "server", "info", *typed)
        assert (ended.code, ended.out) == (2, ""), typed
        assert text in ended.err
        assert len(ended.err.splitlines()) == 1


# In a shell


async def test_a_reader_who_has_seen_enough(desk: Desk):
    ours, theirs = os.pipe()
    os.close(ours)
    process = begin("server", "config", folder=desk.folder, stdout=theirs)
    os.close(theirs)
    _, err = await asyncio.to_thread(process.communicate, timeout=60)
    assert "Traceback" not in err


async def test_watching(desk: Desk):
    process = begin("server", "info", "--json", "--watch", "0.01", folder=desk.folder)
    assert process.stdout is not None
    lines = [await asyncio.to_thread(process.stdout.readline) for _ in range(2)]
    process.terminate()
    await asyncio.to_thread(process.communicate, timeout=60)
    first, second = map(json.loads, lines)
    assert first["uptime_seconds"] < second["uptime_seconds"]


async def test_arguments_from_standard_input(street: Desk, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.StringIO('{"no_such": 1}'))
    ended = await on(
        street, *("calls", "call", "no_such_reducer", "--arguments", "-", "--reason", WHY, "--yes")
    )
    assert (ended.code, "is not JSON" in ended.err) == (1, False)


# For people


async def test_what_a_players_actor_is_doing(street: Desk):
    """The question that all of this is for, answered by two commands."""
    async with resident(street) as ann:
        await ann.subscribe("SELECT * FROM diary")
        await ann.call("write", "met a cat")
        await ann.call("set_bell", "tea", 2**62)
        gift = json.dumps({"owner": ann.user_id, "coins": 5, "mood": "calm", "note": None})
        typed = ("calls", "call", "gift", "--arguments", gift, "--reason", WHY, "--yes")
        assert (await on(street, *typed)).code == 0
        shown = await on(street, "actors", "show", ann.user_id)
        journal = await on(street, "actors", "journal", ann.user_id, "--limit", "1")
    assert (shown.code, journal.code) == (0, 0), (shown.err, journal.err)
    lines = [line.strip("│├└─ ") for line in shown.out.splitlines()]
    assert lines[0] == f"{ann.house}  active"
    assert "diary: 1" in lines
    assert "number=1  text=met a cat" in lines
    assert "purse: 1, private" in lines
    assert "timers: 1, private" in lines
    assert "receipts: 1, private" in lines
    assert "subscribed to: 1" in lines
    assert "last turns" in lines
    assert 'told {"text": "met a cat"}' in lines
    assert not any(line.startswith("outbox") for line in lines)
    assert "gift" in journal.out
    assert f"+ purse  owner={ann.user_id}  coins=5" in journal.out
    assert "more with --before" in journal.out


def test_a_table_leaves_out_what_does_not_fit():
    rows = [{"key": f"user/{number}", "memory_bytes": 2_048, "name": "x" * 30} for number in (1, 2)]
    answer = {"actors": rows, "total": 7, "next_after": "mark"}

    def shown(width: int) -> str:
        console = Console(width=width, file=io.StringIO())
        with console.capture() as captured:
            console.print(render("actors.list", answer, console))
        return captured.get()

    wide = shown(80)
    assert "no room" not in wide
    assert "2.0 KiB" in wide
    assert "2 of 7" in wide
    assert "more with --after mark" in wide
    narrow = shown(40)
    assert "no room for name; --json has" in narrow
    assert all(len(line) <= 40 for line in narrow.splitlines())


def test_nothing_is_shown_as_nothing():
    console = Console(width=80, file=io.StringIO())
    with console.capture() as captured:
        console.print(render("letters.list", {"letters": [], "is_whole": False}, console))
    assert captured.get() == "nothing\nwhole: no\n"


def test_a_tail_says_what_it_left_out():
    entry = {"time": 1_800_000_000_123_456, "actor": "user/a", "seconds": 0.25, "error": ""}
    notice = {"tail": 1, "dropped": 1_200, "is_durable": False, "entries": [entry]}
    dropped, refused, line = map(str, notice_lines(notice))
    assert "1,200 entries were dropped" in dropped
    assert "may have been taken back" in refused
    assert line == "08:00:00.123  user/a  250.0 ms"


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("memory_bytes", 0, "0 B"),
        ("memory_bytes", 3 * 2**30, "3.0 GiB"),
        ("uptime_seconds", 0.0004, "0.4 ms"),
        ("uptime_seconds", 90_061, "1 day, 1:01:01"),
        ("banned_at", 0, "1970-01-01 00:00:00.000"),
        ("until", None, "-"),
        ("until", 2**63, str(2**63)),
        ("is_whole", False, "no"),
        ("process_id", 12_345, "12345"),
        ("turns", 12_345, "12,345"),
        ("roles", ["a", "b"], "a, b"),
        ("roles", [], "-"),
        ("answer", {"a": 1}, '{"a": 1}'),
        ("share", 0.5, "0.5"),
    ],
)
def test_values_are_spelt_by_what_they_are(name, value, text):
    assert spell(name, value) == text


def test_no_text_moves_the_cursor_or_turns_the_writing():
    answer = {
        "entries": [{"reason": "\x1b[2J\u202etxt", "exception": "one\n\x07two", "at": 1}],
        "no\nte": "Zoë 王",
    }
    assert harmless(answer) == {
        "entries": [{"reason": r"\x1b[2J\u202etxt", "exception": "one\n\\x07two", "at": 1}],
        r"no\nte": "Zoë 王",
    }


@given(st.text())
def test_what_is_harmless_can_be_printed(text):
    assert harmless(text).isprintable()
