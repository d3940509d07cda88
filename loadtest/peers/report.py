"""Report: the files that a comparison leaves."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path

from loadtest.measurement import Window
from loadtest.peers.contest import Run
from loadtest.peers.page import machine, page, publish
from loadtest.peers.plot import draw
from loadtest.peers.roster import REFERENCE
from loadtest.peers.standings import standings
from loadtest.peers.workload import Workload

__all__ = ["write_report"]

_PICTURE = "peers.png"


def write_report(
    runs: Sequence[Run],
    works: Sequence[Workload],
    window: Window,
    folder: Path,
    documented: Path | None,
) -> list[Path]:
    """Write ``peers.json`` with every run, ``peers.md`` with the tables, ``peers.png``.

    Args:
        runs: what was measured.
        works: what ran.
        window: how it was measured.
        folder: for the files.
        documented: page that gets the tables, and beside it the picture, if any.

    Returns:
        All files written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    found = standings(runs, REFERENCE)
    text = page(runs, found, works, window, _PICTURE)
    raw, tables, picture = (folder / name for name in ("peers.json", "peers.md", _PICTURE))
    lines = [
        {
            **run._asdict(),
            "measurement": {
                **run.measurement._asdict(),
                "latency": run.measurement.latency._asdict(),
            },
        }
        for run in runs
    ]
    raw.write_text(json.dumps({"machine": machine(), "runs": lines}, indent=2) + "\n")
    tables.write_text(text, encoding="utf-8")
    draw(found, works, picture)
    if documented is None:
        return [raw, tables, picture]
    publish(text, documented)
    shutil.copy(picture, documented.parent)
    return [raw, tables, picture, documented, documented.parent / _PICTURE]
