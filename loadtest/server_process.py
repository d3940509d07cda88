"""Server process: a server of our own for one measurement, on cores of its own."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from loadtest.connection import Address
from loadtest.errors import LoadTestError, ServerProcessError
from loadtest.limits import START_SECONDS_MAX, STOP_SECONDS_MAX

__all__ = ["ServerProcess", "pinned_cores", "running_server", "service_token"]

_READY = re.compile(
    r"ready http://(?P<host>\[[^]]+\]|[^:]+):(?P<port>\d+) .*\bdatabase=(?P<db>\S+)"
)
_TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


def pinned_cores() -> tuple[set[int], set[int]] | None:
    """Cores for the server and for the client; None where there is only one, or no pinning."""
    if not hasattr(os, "sched_setaffinity"):
        return None
    cores = sorted(os.sched_getaffinity(0))
    return None if len(cores) < 2 else ({cores[0]}, set(cores[1:]))


class ServerProcess:
    """A server that was started here, and is ended here by its process id.

    Attributes:
        address: where its database is served.
        ready_line: what it said when it was ready: store, durability, versions.
    """

    def __init__(
        self,
        process: asyncio.subprocess.Process,
        address: Address,
        ready_line: str,
        log: Path,
    ) -> None:
        self.address = address
        self.ready_line = ready_line
        self._process = process
        self._log = log

    @property
    def pid(self) -> int:
        """Process id."""
        return self._process.pid

    def cpu_seconds(self) -> float:
        """Processor time of all its threads so far, user and system (``/proc/<pid>/stat``)."""
        text = Path(f"/proc/{self.pid}/stat").read_text()
        fields = text.rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS_PER_SECOND

    def resident_bytes(self) -> int:
        """Memory that it holds now."""
        pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")

    def log_lines(self) -> list[str]:
        """What it has logged so far."""
        return self._log.read_text(errors="replace").splitlines()

    def signal(self, number: signal.Signals) -> None:
        """Send a signal."""
        self._process.send_signal(number)

    async def stop(self) -> None:
        """End it by a signal and wait; kill it when it does not end in time.

        Raises:
            ServerProcessError: it had to be killed, or ended with an error.
        """
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(STOP_SECONDS_MAX):
                code = await self._process.wait()
        except TimeoutError:
            self._process.kill()
            await self._process.wait()
            raise ServerProcessError("the server did not stop in time") from None
        if code != 0:
            raise ServerProcessError(f"the server ended with exit code {code}")


async def _start(
    launcher: Sequence[str],
    arguments: Sequence[str],
    cores: set[int] | None,
    modules: Path | None,
    log: Path,
) -> ServerProcess:
    before = os.sched_getaffinity(0) if cores is not None else None
    with log.open("wb") as errors:
        if cores is not None:
            os.sched_setaffinity(0, cores)  # the child inherits it
        try:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                *launcher,
                "serve",
                *arguments,
                stdout=asyncio.subprocess.PIPE,
                stderr=errors,
                env=_environment(modules),
            )
        finally:
            if before is not None:
                os.sched_setaffinity(0, before)
    assert process.stdout is not None, "it was asked for"
    try:
        async with asyncio.timeout(START_SECONDS_MAX):
            line = (await process.stdout.readline()).decode().strip()
    except TimeoutError:
        line = ""
    match = _READY.match(line)
    if match is None:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        said = await asyncio.to_thread(log.read_text, errors="replace")
        raise ServerProcessError(f"the server did not become ready: {line} {said[-2_000:]}")
    host = match["host"].strip("[]")
    return ServerProcess(process, Address(host, int(match["port"]), match["db"]), line, log)


def _environment(modules: Path | None) -> dict[str, str]:
    environment = dict(os.environ)
    if modules is not None:
        known = environment.get("PYTHONPATH")
        path = str(modules.resolve())
        environment["PYTHONPATH"] = f"{path}{os.pathsep}{known}" if known else path
    return environment


@asynccontextmanager
async def running_server(
    *arguments: str,
    data_dir: Path | None = None,
    cores: set[int] | None = None,
    modules: Path | None = None,
    launcher: Sequence[str] = ("server",),
) -> AsyncIterator[ServerProcess]:
    """Start a server on a free port of the loopback, and stop it at the end.

    Args:
        *arguments: of ``genarrative serve``, beside port and data folder.
        data_dir: its data folder; a temporary one, deleted afterwards, when None.
        cores: processor cores that it may use; None leaves it to the system.
        modules: folder of Python modules that it may serve, beside those of the working directory.
        launcher: Python module, with its arguments, that takes the place of the server's own.

    Raises:
        ServerProcessError: it did not become ready, or did not stop well.
    """
    with tempfile.TemporaryDirectory(prefix="genarrative-load-") as folder:
        data = data_dir or Path(folder) / "data"
        options = ("--port", "0", "--data-dir", str(data), *arguments)
        server = await _start(launcher, options, cores, modules, Path(folder) / "server.log")
        try:
            yield server
        finally:
            await server.stop()


async def service_token(data_dir: Path) -> str:
    """A token that lets its bearer load fixtures, signed with the key of a data folder.

    Raises:
        LoadTestError: the folder has no key.
    """
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "server", "token", "--role", "service"),
        *("--data-dir", str(data_dir)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, errors = await process.communicate()
    if process.returncode != 0:
        raise LoadTestError(f"no service token: {errors.decode().strip()}")
    return out.decode().strip()
