from __future__ import annotations

import gc

import pytest

from server.settings import Settings


@pytest.fixture(autouse=True)
def _leave_the_collector_as_it_was():
    threshold = gc.get_threshold()
    yield
    gc.unfreeze()
    gc.set_threshold(*threshold)


@pytest.fixture
def board(tmp_path) -> Settings:
    """A server of the small board module, on any free port."""
    return Settings(port=0, data_dir=tmp_path, module="board_module", database="board")
