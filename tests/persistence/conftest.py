from __future__ import annotations

import logging

import pytest
from redis_medium import Told


@pytest.fixture
async def told():
    """What the Redis store's log tells from now on."""
    handler = Told()
    log = logging.getLogger("persistence.redis")
    log.addHandler(handler)
    yield handler
    log.removeHandler(handler)
