"""Balance report: fights, playthroughs and coins, as tables and one picture.

``python tests/balance [--fights N] [--playthroughs N] [--out folder]``; exits with 1 when the
tuning table of domain 4.2 fails.
"""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

# The game in one process is a bench of its tests.
sys.path.append(str(Path(__file__).resolve().parents[1] / "actors" / "domains"))

from plot import draw
from remarks import remarks
from survey import survey
from tables import tables

_COLUMNS = 150
_HOW = """# Balance

How the numbers of the game feel in play: what the rules promise, what bots live through, and where
the shape is off. `make balance` fights and plays everything again, prints these tables and writes
`balance.md` (this text) and `balance.png` (six panels) to `.genarrative/balance`. Equal seeds give
equal reports; the run fails when the tuning table does. This is seed {seed}, {fights} fights for
each setup, {playthroughs} playthroughs for each style.

Policy P mends below 35 % of its hit points, else strikes when it can, else attacks (domain 13.0).
The completionist does everything once and seeks each chapter's expected defeats, the rusher does
the main quest alone, the grinder seeks three times the expected defeats. Nobody buys anything.

```text
{report}```
"""


def main(
    fights: Annotated[int, typer.Option(min=1, help="Fights for each setup.")] = 40,
    playthroughs: Annotated[int, typer.Option(min=1, help="For each style.")] = 5,
    tuning: Annotated[int, typer.Option(min=1, help="Fights for each row of the table.")] = 500,
    seed: Annotated[int, typer.Option(min=0, max=1_000_000, help="Of every roll.")] = 1,
    out: Annotated[Path, typer.Option(help="Where the files go.")] = Path(".genarrative/balance"),
) -> None:
    """Survey the balance of the game."""
    logging.disable(logging.WARNING)  # Slow turns of the host are no business of this report.
    found = survey(fights=fights, tuning=tuning, playthroughs=playthroughs, seed=seed)
    console = Console(record=True, width=_COLUMNS, highlight=False)
    for table in tables(found):
        console.print(table)
        console.print()
    noted = remarks(found)
    console.print("[bold]Where the shape is off[/]" if noted else "[bold]The shape is right[/]")
    for remark in noted:
        console.print(f"- {remark}", soft_wrap=True)
    out.mkdir(parents=True, exist_ok=True)
    text = "\n".join(line.rstrip() for line in console.export_text().splitlines())
    page = _HOW.format(seed=seed, fights=fights, playthroughs=playthroughs, report=text + "\n")
    (out / "balance.md").write_text(page, encoding="utf-8")
    draw(found, out / "balance.png")
    sys.stdout.write(f"\nWritten: {out / 'balance.md'}, {out / 'balance.png'}\n")
    if not all(verdict.passed for verdict in found.tuning):
        raise typer.Exit(1)


if __name__ == "__main__":
    typer.run(main)
