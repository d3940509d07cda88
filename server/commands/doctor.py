"""Command ``doctor``: what is wrong with a server's surroundings, and what to do about it."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from server.doctor.examination import examine
from server.doctor.findings import Finding, Level

__all__ = ["run_doctor"]

_STYLES = {Level.OK: "green", Level.WARNING: "yellow", Level.ERROR: "bold red"}


def run_doctor(config: Path | None, flags: dict[str, object], *, as_json: bool) -> bool:
    """Examine and print; answers whether there is no error."""
    findings = asyncio.run(examine(config, flags))
    if as_json:
        shown = [finding._asdict() | {"level": finding.level.value} for finding in findings]
        sys.stdout.write(json.dumps(shown, indent=2) + "\n")
    else:
        _print(findings)
    return all(finding.level is not Level.ERROR for finding in findings)


def _print(findings: Sequence[Finding]) -> None:
    table = Table("check", "", Column("found", overflow="fold"), box=None, pad_edge=False)
    for check, level, text, advice in findings:
        found = Text(text)
        if advice:
            found.append(f"\n→ {advice}", style="italic")
        table.add_row(check, Text(level.value, style=_STYLES[level]), found)
    console = Console()
    console.print(table)
    errors = sum(finding.level is Level.ERROR for finding in findings)
    warnings = sum(finding.level is Level.WARNING for finding in findings)
    console.print(f"{errors} errors, {warnings} warnings")
