"""Programs of tests/node: compiled once against generated bindings, run against a server."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from served import DATABASE, ROOT, Served, command

from actors.module.module import Module
from actors.module.system import SYSTEM_TABLES
from actors.module.tables import declaration_of

NODE = ROOT / "tests" / "node"

_BINDINGS = {
    "chat": ("examples.chat", {}),
    "bank": ("examples.bank", {}),
    "shapes": ("shapes_module", {}),
    "game": ("actors.domains.entry", {"GENARRATIVE_DEV_FIXTURES": "true"}),
}


def compile_programs() -> None:
    """Generate the bindings of every module and compile everything with strict checks."""
    compiler = NODE / "node_modules" / "typescript" / "bin" / "tsc"
    assert compiler.exists(), "run `make unit`, or `npm --prefix tests/node ci`, first"
    for name, (module, changes) in _BINDINGS.items():
        out = NODE / f"module_bindings_{name}"
        command(
            *("generate", "--lang", "typescript", "--module", module, "--out", str(out)), **changes
        )
    shutil.rmtree(NODE / "build", ignore_errors=True)
    done = subprocess.run(
        ["node", str(compiler), "-p", str(NODE)],
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert done.returncode == 0, done.stdout


def private_tables(module: Module) -> str:
    """Names of the tables that no client may know of, as JSON."""
    names = [table.name for table in module.tables.values() if not table.is_public]
    return json.dumps(names + [declaration_of(row).name for row in SYSTEM_TABLES])


class Program:
    """A running program; each line that it prints is one JSON value."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def next(self) -> Any:
        """The next value; fails with the program's own words when there is none."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            _, errors = self._process.communicate(timeout=30)
            raise AssertionError(errors or "the program ended without a word")
        return json.loads(line)

    def finish(self) -> None:
        """Wait for the program's end; it must be a good one."""
        _, errors = self._process.communicate(timeout=60)
        assert self._process.returncode == 0, errors


@contextmanager
def running(name: str, server: Served, protocol: str, **variables: str) -> Iterator[Program]:
    """Run a program against a server, over one protocol version."""
    place = {"URI": server.uri, "DATABASE": DATABASE, "PROTOCOL": protocol}
    with _running(name, place | variables) as program:
        yield program


@contextmanager
def _running(name: str, variables: dict[str, str]) -> Iterator[Program]:
    process = subprocess.Popen(
        ["node", str(NODE / "build" / "src" / f"{name}.js")],
        cwd=NODE,
        env=os.environ | variables,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield Program(process)
    finally:
        process.kill()
        process.communicate()


def run(name: str, server: Served, protocol: str, **variables: str) -> Any:
    """Run a program to its good end and answer the one value that it reports."""
    with running(name, server, protocol, **variables) as program:
        result = program.next()
        program.finish()
    return result


def run_alone(name: str, **variables: str) -> Any:
    """As ``run``, for a program that needs no server."""
    with _running(name, variables) as program:
        result = program.next()
        program.finish()
    return result
