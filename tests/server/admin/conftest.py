from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from desk import Desk, open_desk


@pytest.fixture
async def desk(tmp_path) -> AsyncIterator[Desk]:
    """A running server with operators."""
    async with open_desk(tmp_path / "data") as opened:
        yield opened
