from __future__ import annotations

import random

import pytest
from node_programs import run
from served import serving

pytestmark = [pytest.mark.node, pytest.mark.usefixtures("node")]


def test_chat(tmp_path, protocol):
    with serving("examples.chat", tmp_path / "data") as server:
        result = run("chat", server, protocol)
        assert result["messages"] == ["hello, Ann ✓ 𝄞", "hello, Bob"]


def test_bank(tmp_path, protocol):
    seed = random.randrange(2**31)
    print("seed", seed)
    with serving("examples.bank", tmp_path / "data", "--no-rate-limits") as server:
        result = run("bank", server, protocol, SEED=str(seed))
        assert sum(int(row["balance"]) for row in result["balances"]) == 20_000
