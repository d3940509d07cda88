from __future__ import annotations

import pytest
from shelf import running_shelf


@pytest.fixture
async def shelf(tmp_path):
    async with running_shelf(tmp_path) as running:
        yield running
