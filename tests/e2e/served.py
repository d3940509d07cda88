"""A real server in a process of its own, on a free port, and the command line beside it."""

from __future__ import annotations

import json
import os
import re
import resource
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from server.commands.mint_token import mint_token

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
DATABASE = "e2e"

WAIT_SECONDS_MAX = 30
TOKEN_SECONDS = 86_400
_LOOK_SECONDS = 0.02

_READY = re.compile(r"ready http://127\.0\.0\.1:(\d+) ")
_NO_PROXY = urllib.request.build_opener(urllib.request.ProxyHandler({}))


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
    """A server process over a data folder; it can be killed and started again.

    Attributes:
        program: what Python runs at the next start.
    """

    def __init__(self, module: str, data_dir: Path, *flags: str) -> None:
        self._arguments = [
            *("serve", "--port", "0"),
            *("--module", module, "--database", DATABASE, "--data-dir", str(data_dir)),
            *flags,
        ]
        self.program: Sequence[str] = ("-m", "server")
        self.data_dir = data_dir
        self._log = data_dir.parent / f"{data_dir.name}.log"
        self._process: subprocess.Popen[str] | None = None
        self.ready_line = ""
        self.port = 0

    def begin(self) -> None:
        """Start the process; it is not ready yet."""
        assert self._process is None
        with self._log.open("a") as log:
            self._process = subprocess.Popen(
                [sys.executable, *self.program, *self._arguments],
                cwd=HERE,
                env=environment(),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )

    def start(self) -> None:
        """Start the process and wait for its ready line."""
        self.begin()
        self.expect_ready()

    def expect_ready(self) -> None:
        """Wait for the ready line of a process that was started."""
        assert self._process is not None
        assert self._process.stdout is not None
        self.ready_line = self._process.stdout.readline()
        match = _READY.match(self.ready_line)
        assert match, (self.ready_line, self.log())
        self.port = int(match[1])

    def kill(self) -> None:
        """End the process as a power cut does: no signal handler, no goodbye."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.communicate()

    def pause(self) -> None:
        """Let the process take no step, with all its connections open."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on after ``pause``."""
        self._signal(signal.SIGCONT)

    def limit_files(self, size_bytes: int) -> None:
        """Let no file of the process grow beyond a size, as a full disk would; -1 lifts that."""
        assert self._process is not None
        _, hard = resource.prlimit(self._process.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(self._process.pid, resource.RLIMIT_FSIZE, (size_bytes, hard))

    @property
    def pid(self) -> int:
        """The process that runs."""
        assert self._process is not None
        return self._process.pid

    @property
    def is_running(self) -> bool:
        """Whether the process has not ended by itself."""
        return self._process is not None and self._process.poll() is None

    def exit_code(self) -> int:
        """Wait until the process ends by itself."""
        process, self._process = self._process, None
        assert process is not None
        try:
            process.communicate(timeout=WAIT_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            raise
        return process.returncode

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

    def get(self, path: str) -> tuple[int, Any]:
        """Status and JSON of an address."""
        try:
            answer = _NO_PROXY.open(f"http://127.0.0.1:{self.port}{path}", timeout=WAIT_SECONDS_MAX)
        except urllib.error.HTTPError as refusal:
            answer = refusal
        with answer:
            return answer.status, json.load(answer)

    def wait_until_ready(self, *, ready: bool) -> str:
        """Ask ``/readyz`` until it is so; answers the reason that it gives when it is not."""
        deadline = time.monotonic() + WAIT_SECONDS_MAX
        while True:
            status, answer = self.get("/readyz")
            assert status in (200, 503)
            if (status == 200) is ready:
                return str(answer.get("reason", ""))
            assert time.monotonic() < deadline, answer
            time.sleep(_LOOK_SECONDS)

    def _signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    @property
    def uri(self) -> str:
        """Where clients connect."""
        return f"ws://127.0.0.1:{self.port}"

    def token(self, role: str, subject: str = "") -> str:
        """A token of the folder's own key; as the command ``token`` makes it, without a process."""
        return mint_token(self.data_dir, [role], subject or role, TOKEN_SECONDS)


def first_to_end(servers: Sequence[Served]) -> Served:
    """Wait until one of several servers ends by itself."""
    deadline = time.monotonic() + WAIT_SECONDS_MAX
    while time.monotonic() < deadline:
        for server in servers:
            if not server.is_running:
                return server
        time.sleep(_LOOK_SECONDS)
    raise AssertionError("all go on")


@contextmanager
def serving(module: str, data_dir: Path, *flags: str) -> Iterator[Served]:
    """A running server; killed in the end if it still runs."""
    server = Served(module, data_dir, *flags)
    server.start()
    try:
        yield server
    finally:
        server.kill()
