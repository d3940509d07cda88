from __future__ import annotations

import random

import pytest
from node_programs import run
from served import serving

pytestmark = [pytest.mark.node, pytest.mark.usefixtures("node")]


def test_every_column_table_and_function(tmp_path, protocol):
    seed = random.randrange(2**31)
    print("seed", seed)
    with serving("shapes_module", tmp_path / "data", "--no-rate-limits") as server:
        result = run("shapes", server, protocol, SEED=str(seed))
        assert result["rows"]["layer"]
        server.stop()
