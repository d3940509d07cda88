from __future__ import annotations

import pytest
from user_bench import UserBench


@pytest.fixture
def bench() -> UserBench:
    """A user's actor that nothing has reached yet."""
    return UserBench()
