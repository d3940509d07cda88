"""A real Redis server in a process and a folder of its own, on a free port of the loopback.

with redis_server(tmp_path, "--appendfsync", "always") as redis:
    ...  # redis.url, redis.kill(), redis.start(), redis.pause(), redis.resume()
"""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from redis import Redis

PROGRAM = "redis-server"
START_SECONDS_MAX = 30
TRIES = 5
SLOTS = 16_384


class RedisServer:
    """A server over a folder: killed and started again, it has what was durable.

    The port is chosen at the first start and kept. ``arguments`` follow our own on the command
    line, so they win; they may be changed before a start.
    """

    def __init__(self, folder: Path, *arguments: str) -> None:
        self.arguments = list(arguments)
        self.folder = folder
        self.port = 0
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The first database of the server."""
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self, *, loaded: bool = True) -> None:
        """Start the process; it takes commands when this returns.

        Without ``loaded`` it may still be reading its data and answer LOADING to all of them.
        """
        assert self._process is None, "the server runs already"
        if shutil.which(PROGRAM) is None:
            raise RuntimeError(f"{PROGRAM} is not installed: apt-get install {PROGRAM}")
        self.folder.mkdir(parents=True, exist_ok=True)
        for _ in range(1 if self.port else TRIES):
            port = self.port or free_port()
            if self._begin(port, "Ready to accept connections" if loaded else "initialized"):
                self.port = port
                return
        raise RuntimeError(f"{PROGRAM} did not start:\n{self.log()}")

    def kill(self) -> None:
        """End the process as a power cut does; harmless when it does not run."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()

    def pause(self) -> None:
        """Let it take no step, with all its connections open."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on after ``pause``."""
        self._signal(signal.SIGCONT)

    def command(self, *words: str | bytes | int, password: str | None = None) -> Any:
        """Run a command as an operator would; raises what the server refuses."""
        with Redis("127.0.0.1", self.port, password=password, socket_timeout=10) as client:
            return client.execute_command(*words)

    def until(self, holds: Callable[[Any], bool], *words: str | bytes | int) -> None:
        """Run a command again and again until something holds for its answer."""
        deadline = time.monotonic() + START_SECONDS_MAX
        while not holds(answer := self.command(*words)):
            assert time.monotonic() < deadline, (words, answer, self.log())
            time.sleep(0.01)

    def log(self) -> str:
        """What the processes over this folder have said."""
        return self._log_path.read_text(errors="replace") if self._log_path.exists() else ""

    @property
    def _log_path(self) -> Path:
        return self.folder / "redis.log"

    def _begin(self, port: int, words: str) -> bool:
        process = subprocess.Popen(
            [
                *(PROGRAM, "--port", str(port), "--bind", "127.0.0.1", "--dir", str(self.folder)),
                *("--logfile", str(self._log_path), "--save", "", "--appendonly", "yes"),
                *self.arguments,
            ],
            stdin=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + START_SECONDS_MAX
        while process.poll() is None and time.monotonic() < deadline:
            own = [line for line in self.log().splitlines() if line.startswith(f"{process.pid}:")]
            if any(words in line for line in own):
                self._process = process
                return True
            time.sleep(0.005)
        process.kill()
        process.wait()
        return False

    def _signal(self, number: signal.Signals) -> None:
        assert self._process is not None, "the server does not run"
        self._process.send_signal(number)


@contextmanager
def redis_server(folder: Path, *arguments: str) -> Iterator[RedisServer]:
    """A running server over ``folder``, which is made; killed in the end if it still runs."""
    server = RedisServer(folder, *arguments)
    server.start()
    try:
        yield server
    finally:
        server.kill()


@contextmanager
def redis_cluster(folder: Path, count: int = 3) -> Iterator[list[RedisServer]]:
    """Running primaries that share the slots of one cluster; all of them know that when it begins.

    Slots are dealt in equal ranges, in the order of the servers.
    """
    servers = [
        RedisServer(
            folder / f"node-{number}",
            *("--cluster-enabled", "yes", "--cluster-node-timeout", "2000"),
            *("--appendfsync", "always"),
        )
        for number in range(count)
    ]
    try:
        for number, server in enumerate(servers):
            server.start()
            first, end = (SLOTS * edge // count for edge in (number, number + 1))
            server.command("CLUSTER", "SET-CONFIG-EPOCH", number + 1)
            server.command("CLUSTER", "ADDSLOTSRANGE", first, end - 1)
            for other in servers[:number]:
                server.command("CLUSTER", "MEET", "127.0.0.1", other.port)
        for server in servers:
            server.until(lambda info: b"cluster_state:ok" in info, "CLUSTER", "INFO")
        yield servers
    finally:
        for server in servers:
            server.kill()


def free_port() -> int:
    """A port that nobody listens on now; another process may take it before it is used.

    Below 55536, so that the port of a cluster's bus, 10000 above, is one as well.
    """
    while True:
        with closing(socket.socket()) as probe:
            probe.bind(("127.0.0.1", 0))
            port: int = probe.getsockname()[1]
        if port < 55_536:
            return port
