"""Playthrough report: what a load of playthroughs did, as tables for people."""

from __future__ import annotations

import re
from typing import NamedTuple

from rich.markup import escape
from rich.table import Table

from loadtest.tally import Tally

__all__ = ["ServerUse", "calls_table", "errors_in", "outcome_table"]

_SHOWN_MAX = 20
_WARNING = re.compile(r"\[warning *\]")


class ServerUse(NamedTuple):
    """What the server took for it.

    Attributes:
        ready_line: what it said when it was ready.
        cpu_share: of one core.
        resident_bytes: in the end.
        log: lines of its log: warnings and errors.
    """

    ready_line: str
    cpu_share: float
    resident_bytes: int
    log: list[str]

    @property
    def errors(self) -> list[str]:
        """Lines of the log that are no mere warnings."""
        return errors_in(self.log)


def errors_in(log: list[str]) -> list[str]:
    """Lines of a server's log that are no mere warnings."""
    return [line for line in log if not _WARNING.search(line)]


def calls_table(tally: Tally) -> Table:
    """Latencies by kind of call, the most frequent first."""
    table = Table(title="Calls; latency in ms")
    table.add_column("call", no_wrap=True)
    for name in ("count", "p50", "p99", "max"):
        table.add_column(name, justify="right")
    kinds = sorted(tally.latencies.items(), key=lambda item: (-len(item[1]), item[0]))
    for kind, latencies in kinds:
        summary = latencies.summary()
        millis = (f"{micros / 1_000:,.1f}" for micros in summary)
        table.add_row(kind, f"{len(latencies):,}", *millis)
    return table


def outcome_table(tally: Tally, users: int, use: ServerUse | None) -> Table:
    """How it ended: playthroughs, refusals, broken rules, and what the server took."""
    table = Table(title="Playthroughs", show_header=False)
    table.add_column("what", no_wrap=True)
    table.add_column("how", overflow="fold")
    color = "green" if tally.finished == users else "red"
    table.add_row("finished", f"[{color}]{tally.finished} of {users}[/{color}]")
    for reason, count in tally.failures.most_common(_SHOWN_MAX):
        table.add_row("failed", f"[red]{count} x {escape(reason)}[/red]")
    seconds = tally.seconds
    table.add_row("time", f"{seconds:,.1f} s")
    table.add_row("players", f"{tally.client_share:.0%} of a core")
    table.add_row("calls", f"{tally.calls:,}, {tally.calls / seconds:,.0f} per second")
    for code, count in tally.refusals.most_common():
        table.add_row("refused", f"{count} x {escape(code)}")
    color = "red" if tally.violations else "green"
    table.add_row("broken rules", f"[{color}]{len(tally.violations)}[/{color}]")
    for text in tally.violations[:_SHOWN_MAX]:
        table.add_row("", f"[red]{escape(text)}[/red]")
    if use is not None:
        table.add_row("server", escape(use.ready_line))
        mebibytes = use.resident_bytes / 2**20
        table.add_row("", f"{use.cpu_share:.0%} of a core, {mebibytes:,.0f} MiB resident")
        warnings = len(use.log) - len(use.errors)
        table.add_row("server log", f"{warnings} warnings, {len(use.errors)} other lines")
        for line in use.errors[:_SHOWN_MAX]:
            table.add_row("", f"[red]{escape(line)}[/red]")
    return table
