from __future__ import annotations

import pytest
from node_programs import compile_programs


@pytest.fixture(scope="session")
def node() -> None:
    """Programs that drive the official SDK are compiled."""
    compile_programs()


@pytest.fixture(params=["v3", "v2"])
def protocol(request: pytest.FixtureRequest) -> str:
    """The protocol version that the SDK is to speak."""
    return request.param


@pytest.fixture(params=["sqlite"])
def store(request: pytest.FixtureRequest) -> str:
    """The URL of a store that a server may own."""
    return request.param
