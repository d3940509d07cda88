"""Page: the comparison as Markdown, and its place in a page of the documentation."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from textwrap import fill

from loadtest.measurement import Window
from loadtest.peers.contest import Run
from loadtest.peers.roster import REFERENCE
from loadtest.peers.standings import Span, Standing, winner
from loadtest.peers.workload import Workload

__all__ = ["machine", "page", "publish"]

_BEGIN = "<!-- peers: written by make bench-peers -->"
_END = "<!-- peers: end -->"
_OWN_FACTS = re.compile(r'\b(?:store|durability|build|server|python)=(?:"[^"]*"|\S+)')
_COLUMNS = (
    "server",
    "CPU each, us",
    f"times {REFERENCE}",
    "per second",
    "p50 / p99 ms",
    "server, client busy",
    "memory",
)


def machine() -> str:
    """Processor, cores, system and interpreter, in a line."""
    models = [
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    ]
    return (
        f"{models[0] if models else platform.machine()}, {os.cpu_count()} cores,"
        f" {platform.system()} {platform.release()}, CPython {platform.python_version()}"
    )


def page(
    runs: Sequence[Run],
    found: Sequence[Standing],
    works: Sequence[Workload],
    window: Window,
    picture: str,
) -> str:
    """All tables: who wins, each workload, versions and machine."""
    rounds = 1 + max(run.turn for run in runs)
    load = os.getloadavg()[2]
    titles = {work.name: work for work in works}
    groups = {
        name: list(group) for name, group in groupby(found, key=lambda standing: standing.workload)
    }
    how = f"{rounds} rounds of {window.seconds:g} s after {window.warm_up_seconds:g} s of warm-up"
    lines = [
        fill(f"{how}, on {machine()}; load average of the last 15 minutes {load:.1f}.", 100),
        "",
        f"![Operations per second of server processor time]({picture})",
        "",
        *_summary(groups),
    ]
    for name, group in groups.items():
        work = titles[name]
        lines += ["", f"`{name}`: {work.title}; {work.operation}:", "", *_table(group)]
    versions = dict.fromkeys((run.peer, _versions(run)) for run in runs)
    lines += ["", "| server | versions |", "|---|---|"]
    lines += [f"| {peer} | {said} |" for peer, said in versions]
    return "\n".join(lines) + "\n"


def publish(text: str, path: Path) -> None:
    """Put the tables in their place in a page.

    Raises:
        ValueError: the page has no such place.
    """
    whole = path.read_text(encoding="utf-8")
    before, begin, rest = whole.partition(_BEGIN)
    _, end, after = rest.partition(_END)
    if not begin or not end:
        raise ValueError(f"{path} has no place for the comparison: {_BEGIN} … {_END}")
    path.write_text(f"{before}{begin}\n{text}{end}{after}", encoding="utf-8")


def _summary(groups: dict[str, list[Standing]]) -> list[str]:
    """One line for each workload: who needs least, and how many times that the others do."""
    peers = list(dict.fromkeys(one.peer for group in groups.values() for one in group))
    lines = [
        "Server processor time of one operation, as a multiple of the least (**1**):",
        "",
        f"| | {' | '.join(peers)} |",
        f"|---|{'---|' * len(peers)}",
    ]
    for name, group in groups.items():
        least = winner(group)
        multiples = {one.peer: one.micros.middle / least.micros.middle for one in group}
        cells = (
            "**1**" if peer == least.peer else f"{multiples[peer]:.1f}" if peer in multiples else ""
            for peer in peers
        )
        lines.append(f"| `{name}` | {' | '.join(cells)} |")
    return lines


def _table(group: Sequence[Standing]) -> list[str]:
    lines = [f"| {' | '.join(_COLUMNS)} |", f"|{'---|' * len(_COLUMNS)}"]
    for one in sorted(group, key=lambda standing: standing.micros.middle):
        mark = " (client-bound)" if one.is_bound_by_client else ""
        lines.append(
            f"| {one.peer} | {_span(one.micros, 2)} |"
            f" {'' if one.cost is None else _span(one.cost, 2)} | {_span(one.rate, 0)}{mark} |"
            f" {one.p50:.2f} / {one.p99:.2f} | {one.server_share:.0%}, {one.client_share:.0%} |"
            f" {one.resident / 2**20:.0f} MiB |"
        )
    return lines


def _span(span: Span, digits: int) -> str:
    middle, low, high = (f"{figure:,.{digits}f}" for figure in span)
    return middle if low == high else f"{middle} ({low} to {high})"


def _versions(run: Run) -> str:
    """What a server said of itself; of what we say, the words that tell one run from another."""
    return ", ".join(_OWN_FACTS.findall(run.versions)) or run.versions
