"""The command line in a process of its own, and a server that it can ask."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[3]
MODULES = (ROOT, ROOT / "tests" / "e2e", ROOT / "tests" / "server")
WAIT_SECONDS_MAX = 60

_READY = re.compile(r"ready (http://\S+) ")


def environment(**changes: str) -> dict[str, str]:
    clean = {k: v for k, v in os.environ.items() if not k.startswith("GENARRATIVE_")}
    return clean | {"PYTHONPATH": os.pathsep.join(map(str, MODULES))} | changes


def run(*arguments: str, cwd: Path = ROOT, **changes: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "server", *arguments],
        cwd=cwd,
        env=environment(**changes),
        capture_output=True,
        text=True,
        timeout=WAIT_SECONDS_MAX,
        check=False,
        stdin=subprocess.DEVNULL,
    )


def begin(*arguments: str, **changes: str) -> subprocess.Popen[str]:
    """A command that goes on, with its output to be read."""
    return subprocess.Popen(
        [sys.executable, "-m", "server", *arguments],
        cwd=ROOT,
        env=environment(**changes),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


class Asked(NamedTuple):
    """A running server, and how commands ask it."""

    url: str
    database: str
    data_dir: Path
    process: subprocess.Popen[str]

    @property
    def words(self) -> tuple[str, ...]:
        return ("--server", self.url, "--database", self.database)

    def run(self, *arguments: str, **changes: str) -> subprocess.CompletedProcess[str]:
        return run(*arguments, *self.words, **changes)

    def begin(self, *arguments: str, **changes: str) -> subprocess.Popen[str]:
        return begin(*arguments, *self.words, **changes)

    def token(self, role: str) -> str:
        return run("token", "--role", role, "--data-dir", str(self.data_dir)).stdout.strip()


@contextmanager
def serving(module: str, data_dir: Path) -> Iterator[Asked]:
    process = begin(
        *("serve", "--port", "0", "--module", module, "--database", "asked", "--no-admin"),
        *("--data-dir", str(data_dir), "--no-rate-limits"),
    )
    try:
        assert process.stdout is not None
        match = _READY.match(process.stdout.readline())
        assert match, process.stderr and process.stderr.read()
        yield Asked(match[1], "asked", data_dir, process)
    finally:
        process.kill()
        process.communicate()
