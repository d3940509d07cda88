from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from node_programs import compile_programs
from redis_server import redis_server

# Hosts in this process, for what has to be looked at between two messages.
sys.path.append(str(Path(__file__).parents[1] / "actors"))


@pytest.fixture(scope="session")
def node() -> None:
    """Programs that drive the official SDK are compiled."""
    compile_programs()


@pytest.fixture(params=["v3", "v2"])
def protocol(request: pytest.FixtureRequest) -> str:
    """The protocol version that the SDK is to speak."""
    return request.param


@pytest.fixture(params=["sqlite", "redis"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a store that is durable when it says so."""
    if request.param == "sqlite":
        yield "sqlite"
        return
    with redis_server(tmp_path / "redis", "--appendfsync", "always") as redis:
        yield redis.url
