"""The server that is fuzzed: a process of its own, over a folder on disk.

Run as a program it is the command line, with the fuzzed module beside it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from served import Served

from server.cli import main

USERS = 64


@contextmanager
def fuzzed(data_dir: Path) -> Iterator[Served]:
    """A running server without limits on rates, which would keep most attacks away."""
    server = Served("fuzzed_module", data_dir, "--no-rate-limits")
    server.program = (__file__,)
    server.start()
    try:
        yield server
    finally:
        server.kill()


def tokens_of(server: Served) -> list[str]:
    """Tokens of users who come back again and again."""
    return [server.token("player", f"fuzz-{number}") for number in range(USERS)]


if __name__ == "__main__":
    main()
