"""Admin actor: one actor's state as a tree: what it is, what it has, who looks, what it did."""

from __future__ import annotations

from typing import Any

from rich.text import Text
from rich.tree import Tree

from server.commands.admin_values import moment, plain, spell, spell_row, title

__all__ = ["actor_tree", "journal_tree"]

Node = dict[str, Any]

_SYSTEM = (
    "timers",
    "outbox",
    "dead_letters",
    "receipts",
    "inbox_cursors",
    "outbox_cursors",
    "connected_clients",
    "sequences",
)
"""The tables of the host, those that matter most first."""

_LOUD = frozenset({"outbox", "dead_letters"})
"""What should be empty mostly."""


def actor_tree(state: Node) -> Tree:
    """Lay out what ``actors.show`` answers; what is empty is left out."""
    actor = state["actor"]
    tree = Tree(Text(f"{actor['key']}  {actor['standing']}", style="bold"), guide_style="dim")
    facts = tree.add(Text(f"last turn {moment(state['time'])}"))
    for name in ("seq", "stored_seq", "memory_bytes", "waiting", "turns", "busy_seconds"):
        if actor[name] is not None:
            facts.add(_fact(name, actor[name]))
    if actor["slow_turns"]:
        facts.add(_fact("slow_turns", actor["slow_turns"]))
        facts.add(_fact("slowest_seconds", actor["slowest_seconds"]))
    if state["attached"]:
        tree.add(Text(f"reads {', '.join(state['attached'])}"))
    _add_evidence(tree, state["evidence"])
    tables = tree.add(Text(f"tables: {len(state['tables'])}", style="bold"))
    for table in state["tables"]:
        _add_table(tables, table["name"], table)
    for name in _SYSTEM:
        if state[name]["count"]:
            _add_table(tree, title(name), state[name], is_loud=name in _LOUD)
    _add_plans(tree, state["subscriptions"])
    if state["journal"]:
        journal_tree(state["journal"], tree.add(Text("last turns", style="bold")))
    return tree


def journal_tree(entries: list[Node], tree: Tree | None = None) -> Tree:
    """Lay out turns, the newest first, each with what it was told and what it changed."""
    tree = Tree("", hide_root=True, guide_style="dim") if tree is None else tree
    for entry in entries:
        by = entry["caller"] or entry["source"]
        text = Text(f"{entry['seq']:,}  {moment(entry['time'])}  ")
        text.append(entry["call"], style="bold").append(f"  by {by}" if by else "", style="dim")
        turn = tree.add(text)
        if entry["arguments"] is not None:
            turn.add(Text(f"told {plain(entry['arguments'])}", overflow="fold"))
        for change in entry["rows"]:
            turn.add(_change(change))
    return tree


def _change(change: Node) -> Text:
    before, after, table = change["before"], change["after"], change["table"]
    if before is not None and after is not None:
        text = Text("~ ", style="yellow").append(f"{table}  ", style="bold")
        for column in change["columns"]:
            text.append(f"{column}: ", style="dim")
            text.append(f"{plain(before.get(column))} → {plain(after.get(column))}  ")
    elif after is None:
        text = Text("- ", style="red").append(f"{table}  ", style="bold")
        text.append_text(spell_row(before or {}))
    else:
        sign = "+ " if change["is_before_known"] else "= "
        text = Text(sign, style="green").append(f"{table}  ", style="bold")
        text.append_text(spell_row(after))
    text.overflow = "fold"
    return text


def _add_evidence(tree: Tree, evidence: list[Node]) -> None:
    if evidence:
        failures = tree.add(Text("failed last", style="bold red"))
        for failure in evidence:
            failures.add(Text(f"{moment(failure['time'])}  {failure['call']}  {failure['error']}"))


def _add_table(tree: Tree, name: str, table: Node, *, is_loud: bool = False) -> None:
    kind = "" if table["is_public"] else ", private"
    text = f"{name}: {table['count']:,}{kind}"
    branch = tree.add(Text(text, style="yellow" if is_loud else "bold"))
    for row in table["rows"]:
        branch.add(spell_row(row))
    more = table["count"] - len(table["rows"])
    if more > 0:
        branch.add(Text(f"… {more:,} more (--rows)", style="dim"))


def _add_plans(tree: Tree, plans: list[Node]) -> None:
    if plans:
        branch = tree.add(Text(f"subscribed to: {len(plans)}", style="bold"))
        for plan in plans:
            branch.add(spell_row(plan))


def _fact(name: str, value: object) -> Text:
    return Text(f"{title(name)}: {spell(name, value)}")
