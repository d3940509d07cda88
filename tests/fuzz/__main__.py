"""``python tests/fuzz``: a campaign against a server of its own; ends with 1 when it finds a fault.

One attack again, by the name that its fault was told with: ``--again NAME``.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import deque
from pathlib import Path

# Servers are started as the tests of whole servers do, and vectors are where they are checked.
sys.path += [str(Path(__file__).resolve().parents[1] / name) for name in ("e2e", "protocol")]

from campaign import (
    GROWTH_MAX,
    Task,
    attack_once,
    faults_of_log,
    run_campaign,
)
from fuzzed_server import fuzzed, tokens_of


def main() -> int:
    """Read the command line and run; the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=1_000_000)
    parser.add_argument("--seconds", type=float, default=7_200)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--seed", default=str(time.time_ns()))
    parser.add_argument("--again")
    parser.add_argument("--log", type=Path, help="where the server's log is to stay")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, fuzzed(Path(folder) / "data") as server:
        tokens = tokens_of(server)
        if asked.again is not None:
            attack_once(Task(server.port, "", 0, 1, tokens), asked.again, deque())
            print("\n".join(faults_of_log(server.log())) or "nothing was wrong")
            return 0
        print(f"seed {asked.seed}", flush=True)
        verdict = run_campaign(
            server.port,
            tokens,
            seed=asked.seed,
            cases=asked.cases,
            seconds=asked.seconds,
            processes=asked.processes,
            say=lambda line: print(line, flush=True),
        )
        logged = faults_of_log(server.log())
        if asked.log is not None:
            asked.log.write_text(server.log())
        is_up = server.is_running
        if is_up:
            server.stop()
    print(verdict)
    print("\n".join((*verdict.faults, *logged[:50])))
    grown = verdict.memory_end > verdict.memory_warm * GROWTH_MAX
    return 1 if verdict.faults or logged or grown or not is_up else 0


if __name__ == "__main__":
    sys.exit(main())
