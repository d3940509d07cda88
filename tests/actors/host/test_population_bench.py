"""The population benchmark in a few seconds: a budget holds, and everybody is served."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

BENCH = Path(__file__).parents[2] / "bench" / "population_bench.py"


def test_a_small_population_is_served_within_its_budget():
    budget = 1_500_000
    done = subprocess.run(
        [
            *(sys.executable, str(BENCH), "--json", "--users", "2000", "--active", "50"),
            *("--budget", str(budget), "--rate", "300", "--seconds", "4"),
        ],
        check=True,
        capture_output=True,
        timeout=100,
        cwd=BENCH.parents[2],
    )
    found = json.loads(done.stdout)
    assert found["passivations"] > 0
    assert found["storm"] == 1_950
    assert found["actors"] < 1_000
    assert found["resident"] < 1 << 28
