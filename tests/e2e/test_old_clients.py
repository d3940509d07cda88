"""Programs written for version 1 of the protocol: the SDKs of that time, and plain JSON."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys

import pytest
from node_programs import run
from served import DATABASE, HERE, serving


@pytest.mark.node
@pytest.mark.usefixtures("node")
@pytest.mark.parametrize("program", ["sdk_1_12", "sdk_1_3"])
def test_programs_of_older_sdks(tmp_path, program):
    seed = random.randrange(2**31)
    print("seed", seed)
    with serving("shapes_module", tmp_path / "data", "--no-rate-limits") as server:
        result = run(program, server, "v1", SEED=str(seed))
        assert any("last" in row for row in result["tag"])
        server.stop()


def test_a_program_with_nothing_but_json(tmp_path):
    with serving("shapes_module", tmp_path / "data", "--no-rate-limits") as server:
        done = subprocess.run(
            [sys.executable, str(HERE / "json_program.py")],
            env=os.environ | {"URI": server.uri, "DATABASE": DATABASE},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout) == {
            "layer": ['[1, "uno", false]'],
            "tag": ['[7, "quiet"]'],
        }
        server.stop()
