"""Launch: one server of the comparison as a process, on cores of its own."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from loadtest.connection import Address
from loadtest.errors import ServerProcessError
from loadtest.limits import START_SECONDS_MAX
from loadtest.server_process import ServerProcess

__all__ = ["Command", "running"]

_READY = re.compile(r"ready (?:http://\S+:)?(?P<port>\d+) (?P<versions>.*)")


@dataclass(frozen=True, slots=True)
class Command:
    """How a server is started.

    Attributes:
        words: program and arguments; ``{folder}`` is a folder that is deleted afterwards.
        environment: beside what is there.
        folder: working directory, None for ours.
    """

    words: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    folder: Path | None = None


@asynccontextmanager
async def running(command: Command, cores: set[int] | None) -> AsyncIterator[ServerProcess]:
    """Start a server, which says ``ready``, its port and its versions, and stop it at the end.

    Its ready line is then what it said after the port.

    Raises:
        ServerProcessError: it did not become ready, or did not stop well.
    """
    with tempfile.TemporaryDirectory(prefix="genarrative-peer-") as folder:
        log = Path(folder) / "server.log"
        process = await _start(command, Path(folder), cores, log)
        assert process.stdout is not None, "it was asked for"
        line = ""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(START_SECONDS_MAX):
                line = (await process.stdout.readline()).decode().strip()
        ready = _READY.match(line)
        if ready is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
            said = await asyncio.to_thread(log.read_text, errors="replace")
            raise ServerProcessError(f"{command.words[0]} is not ready: {line} {said[-2_000:]}")
        address = Address("127.0.0.1", int(ready["port"]), "tally")
        server = ServerProcess(process, address, ready["versions"], log)
        try:
            yield server
        finally:
            await server.stop()


async def _start(
    command: Command, folder: Path, cores: set[int] | None, log: Path
) -> asyncio.subprocess.Process:
    before = None if cores is None else os.sched_getaffinity(0)
    with log.open("wb") as errors:
        if cores is not None:
            os.sched_setaffinity(0, cores)  # the child inherits it
        try:
            return await asyncio.create_subprocess_exec(
                *(word.replace("{folder}", str(folder)) for word in command.words),
                stdout=asyncio.subprocess.PIPE,
                stderr=errors,
                env={**os.environ, **command.environment},
                cwd=command.folder,
            )
        finally:
            if before is not None:
                os.sched_setaffinity(0, before)
