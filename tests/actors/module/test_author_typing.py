"""The type checker sees modules as their authors mean them, mistakes included."""

from __future__ import annotations

import re
import subprocess
import sys
import textwrap
from pathlib import Path

ROOT = Path(__file__).parents[3]

AUTHORED = """
from __future__ import annotations

from actors import (
    ReducerContext, ReducerError, Timestamp, ViewContext, reducer, replace, table, u32, view,
)


@table(public=True, primary_key="id")
class Player:
    id: u32
    name: str
    seen: Timestamp


@reducer
def rename(ctx: ReducerContext, id: u32, name: str) -> None:
    player = ctx.db[Player].find(id)
    if player is None:
        raise ReducerError("player.not_found", name)
    ctx.db[Player].update(replace(player, name=name))
    length: int = len(ctx.db[Player].get(id).name)
    rename(ctx, length, name)


@view()
def players(ctx: ViewContext) -> list[Player]:
    return ctx.db[Player].filter(name="x")


def mistakes(ctx: ReducerContext, views: ViewContext) -> None:
    Player(id="1", name="x", seen=ctx.timestamp)  # wrong: arg-type
    Player(id=1, name="x")  # wrong: call-arg
    Player(id=1, name="x", seen=5)  # wrong: arg-type
    ctx.db[Player].find(1).name  # wrong: union-attr
    ctx.db[Player].get(1).nam  # wrong: attr-defined
    ctx.db[Player].get(1).name = "y"  # wrong: misc
    ctx.db[Player].insert("x")  # wrong: arg-type
    views.db[Player].delete(1)  # wrong: attr-defined
    replace(ctx.db[Player].get(1), nam="y")  # wrong: call-arg
    rename(ctx, "1", "x")  # wrong: arg-type
"""


def test_mypy_finds_each_mistake_and_nothing_else(tmp_path):
    path = tmp_path / "authored.py"
    path.write_text(textwrap.dedent(AUTHORED))
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "mypy",
            "--strict",
            "--no-error-summary",
            "--follow-imports=silent",
            f"--cache-dir={ROOT / '.mypy_cache'}",
            f"--config-file={ROOT / 'pyproject.toml'}",
            str(path),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    found = {
        (int(line), code)
        for line, code in re.findall(
            r"authored\.py:(\d+): error: .*\[([a-z-]+)\]$", done.stdout, re.MULTILINE
        )
    }
    expected = {
        (number, line.rpartition("# wrong: ")[2])
        for number, line in enumerate(path.read_text().splitlines(), start=1)
        if "# wrong: " in line
    }
    assert len(expected) == 10
    assert found == expected, done.stdout + done.stderr
