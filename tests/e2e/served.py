"""A real server in a process of its own, on a free port, and the command line beside it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
DATABASE = "e2e"

_READY = re.compile(r"ready http://127\.0\.0\.1:(\d+) ")


def environment(**changes: str) -> dict[str, str]:
    """The surroundings without settings of the developer's own, and with the test's modules."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith("GENARRATIVE_")}
    paths = [str(HERE), str(ROOT)]
    return clean | {"PYTHONPATH": os.pathsep.join(paths)} | changes


def command(*arguments: str, **changes: str) -> str:
    """Run the command line and answer what it prints."""
    done = subprocess.run(
        [sys.executable, "-m", "server", *arguments],
        cwd=HERE,
        env=environment(**changes),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


class Served:
    """A server process over a data folder; it can be killed and started again."""

    def __init__(self, module: str, data_dir: Path, *flags: str) -> None:
        self._arguments = [
            *(sys.executable, "-m", "server", "serve", "--port", "0"),
            *("--module", module, "--database", DATABASE, "--data-dir", str(data_dir)),
            *flags,
        ]
        self.data_dir = data_dir
        self._log = data_dir.parent / f"{data_dir.name}.log"
        self._process: subprocess.Popen[str] | None = None
        self.port = 0

    def start(self) -> None:
        """Start the process and wait for its ready line."""
        assert self._process is None
        with self._log.open("a") as log:
            self._process = subprocess.Popen(
                self._arguments,
                cwd=HERE,
                env=environment(),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        match = _READY.match(line)
        assert match, (line, self.log())
        self.port = int(match[1])

    def kill(self) -> None:
        """End the process as a power cut does: no signal handler, no goodbye."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.communicate()

    def stop(self) -> None:
        """End the process as an operator does."""
        process, self._process = self._process, None
        assert process is not None
        process.terminate()
        process.communicate(timeout=30)
        assert process.returncode == 0, self.log()

    def log(self) -> str:
        """Everything that the processes over this folder have logged."""
        return self._log.read_text()

    @property
    def uri(self) -> str:
        """Where clients connect."""
        return f"ws://127.0.0.1:{self.port}"

    def token(self, role: str, subject: str = "") -> str:
        """A token of the folder's own key."""
        extra = ["--subject", subject] if subject else []
        return command("token", "--role", role, "--data-dir", str(self.data_dir), *extra).strip()


@contextmanager
def serving(module: str, data_dir: Path, *flags: str) -> Iterator[Served]:
    """A running server; killed in the end if it still runs."""
    server = Served(module, data_dir, *flags)
    server.start()
    try:
        yield server
    finally:
        server.kill()
