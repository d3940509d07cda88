"""World screen: what an author sees of a creation session, printed as its rows come in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from rich.console import Console
from rich.panel import Panel
from rich.table import Table

from loadtest.player import Deltas

__all__ = ["WorldScreen"]

_SEVERITIES = {"Blocker": "red", "Warning": "yellow", "Info": "dim"}


class WorldScreen:
    """One author's view. ``show`` is a watcher of the author's deltas: replies and phases."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._phases: dict[str, str] = {}

    def show(self, deltas: Deltas) -> None:
        """Print the pieces of a reply as they come, and what a worker is at."""
        for chunk in sorted(deltas.get("ai_text_chunk", ((), ()))[0], key=lambda row: row.sequence):
            if chunk.message_id is not None:
                self._console.print(chunk.delta_text, end="", markup=False, highlight=False)
        for row in deltas.get("custom_world_agent_operation", ((), ()))[0]:
            if row.phase_detail and self._phases.get(row.operation_id) != row.phase_detail:
                self._phases[row.operation_id] = row.phase_detail
                done = row.progress_permille // 10
                self._console.print(f"  [dim]{done:3}%[/dim] {row.phase_detail}", highlight=False)

    def title(self, text: str) -> None:
        """Begin a part of the demonstration."""
        self._console.rule(f"[bold]{text}[/bold]")

    def step(self, text: str) -> None:
        """Say what the author does."""
        self._console.print(f"\n[bold cyan]> {text}[/bold cyan]")

    def say(self, text: str) -> None:
        """Say something that is no row."""
        self._console.print(text)

    def reply_ended(self, message: Any) -> None:
        """A reply is whole."""
        pieces = f"{message.chunk_count} pieces"
        self._console.print(f"\n  [dim]{pieces}, by {_words(message.text_source.name)}[/dim]")

    def anchors(self, session: Any) -> None:
        """What a world is built on so far."""
        for anchor in session.anchors:
            if anchor.value:
                key = _words(anchor.key)
                self._console.print(f"  [green]{key}[/green]: {anchor.value}", highlight=False)
        part = session.anchor_coverage_permille // 10
        self._console.print(f"  [dim]{part}% known, stage {_words(session.stage.name)}[/dim]")

    def cards(self, cards: Iterable[Any]) -> None:
        """How many cards of each kind there are, with their names."""
        by_kind: dict[str, list[str]] = {}
        for card in sorted(cards, key=lambda row: (row.kind, row.order_index)):
            by_kind.setdefault(card.kind.name, []).append(card.title)
        table = Table(show_header=False, box=None, padding=(0, 1))
        for kind, titles in by_kind.items():
            table.add_row(f"  [yellow]{_words(kind)}[/yellow]", str(len(titles)), ", ".join(titles))
        self._console.print(table)

    def findings(self, findings: Iterable[Any]) -> None:
        """What is found about the draft: blockers one by one, the rest by code."""
        rows = list(findings)
        for row in rows:
            if row.severity.name == "Blocker":
                self._console.print(f"  [red]{row.code}[/red] {row.message}", highlight=False)
        rest = Counter((row.severity.name, row.code) for row in rows)
        for (severity, code), count in sorted(rest.items()):
            if severity != "Blocker":
                color = _SEVERITIES[severity]
                self._console.print(f"  [{color}]{code}[/{color}] x {count}", highlight=False)

    def preview(self, preview: Any) -> None:
        """The draft as a player would meet it."""
        lines = [preview.summary_text, "", *(_chapter(row) for row in preview.chapters)]
        lines += ["", "Play as " + ", ".join(_role(row) for row in preview.playable_roles)]
        ready = "ready to publish" if preview.publish_ready else "not ready"
        title = f"{preview.world_name}: quality {preview.quality_score} of 1000, {ready}"
        self._console.print(Panel("\n".join(lines), title=title, width=84))

    def entry(self, entry: Any) -> None:
        """A world in the gallery."""
        lines = [entry.subtitle, "", entry.summary_text, ""]
        lines.append(
            f"{entry.chapter_count} chapters, {entry.landmark_count} places,"
            f" {entry.playable_role_count} roles; played {entry.play_count} times"
        )
        title = f"{entry.world_name} ({entry.public_work_code})"
        self._console.print(Panel("\n".join(lines), title=title, width=84))


def _chapter(row: Any) -> str:
    return (
        f"{row.index}. {row.title}: levels {row.entry_level} to {row.exit_level},"
        f" {row.planned_total_xp} XP"
    )


def _role(row: Any) -> str:
    return f"{row.name}, {row.title}"


def _words(name: str) -> str:
    """A name as words: ``WorldPremise`` and ``world_premise`` give ``world premise``."""
    spaced = "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in name)
    return spaced.replace("_", " ").strip()
