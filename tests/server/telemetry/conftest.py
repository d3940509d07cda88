from __future__ import annotations

import pytest

from server.settings import Settings


@pytest.fixture
def board(tmp_path) -> Settings:
    """A server of the small board module, on any free port."""
    return Settings(port=0, data_dir=tmp_path, module="board_module", database="board")
