"""Admin show: answers and notifications as tables, trees and lines for people."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.measure import Measurement
from rich.table import Column, Table
from rich.text import Text
from rich.tree import Tree

from server.commands.admin_actor import actor_tree, journal_tree
from server.commands.admin_values import moment, spell, title

__all__ = ["console_for_people", "notice_lines", "render"]

_PIPED_COLUMNS = 100_000
"""Width where nobody looks: a line per row, for programs that read lines."""

_RED = frozenset({"failed", "error", "critical", "quarantined"})
_YELLOW = frozenset({"refused", "warning", "loading"})

Answer = dict[str, Any]


def console_for_people() -> Console:
    """Standard output: as wide as the terminal, or without bounds and colours into a pipe."""
    if sys.stdout.isatty():
        return Console(highlight=False)
    return Console(highlight=False, width=_PIPED_COLUMNS, color_system=None)


def render(command: str, answer: Answer, console: Console) -> RenderableType:
    """Lay out what a command has answered."""
    if command == "actors.show":
        return actor_tree(answer)
    if command == "actors.journal":
        return Group(journal_tree(answer["entries"]), *_remarks(answer, "entries"))
    lists = [name for name, value in answer.items() if _is_table(value)]
    if len(lists) == 1 and not any(isinstance(value, dict) for value in answer.values()):
        rows = answer[lists[0]]
        shown = _fitting(rows, console) if rows else Text("nothing", style="dim")
        return Group(shown, *_remarks(answer, lists[0]))
    return _facts(answer)


def notice_lines(notice: Mapping[str, Any]) -> list[Text]:
    """The entries of a notification, a line each, with what the reader must know of them."""
    lines = []
    if notice.get("dropped"):
        lines.append(Text(f"… {notice['dropped']:,} entries were dropped here", style="yellow"))
    if notice.get("is_durable") is False:
        text = "the store refused something: what follows may have been taken back"
        lines.append(Text(text, style="yellow"))
    return [*lines, *map(_line, notice.get("entries", ()))]


def _line(entry: Answer) -> Text:
    line = Text()
    exception = ""
    for name, value in entry.items():
        if value in (None, "", [], {}):
            continue
        if name == "exception":
            exception = str(value)
        elif name == "time":
            line.append(f"{_clock(value)}  ", style="dim")
        elif name in {"fields", "tables"}:
            line.append(f"{_nested(value)}  ")
        else:
            line.append(f"{spell(name, value)}  ", style=_style(value))
    line.rstrip()
    return line.append(f"\n{exception.rstrip()}") if exception else line


def _clock(value: object) -> str:
    """The time of day; logs have theirs as text."""
    return moment(value)[11:] if isinstance(value, int) else str(value)[11:23]


def _nested(value: object) -> str:
    if isinstance(value, dict):
        told = {key: item for key, item in value.items() if item not in (None, "", 0, [], {})}
        return " ".join(f"{key}={spell(key, item)}" for key, item in told.items())
    assert isinstance(value, list)
    return "; ".join(_nested(item) for item in value)


def _style(value: object) -> str:
    if not isinstance(value, str):
        return ""
    return "red" if value in _RED else "yellow" if value in _YELLOW else ""


def _is_table(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(row, dict) for row in value)


def _remarks(answer: Answer, name: str) -> list[Text]:
    """What a list's answer says beside its rows."""
    remarks = []
    for key, value in answer.items():
        if key == name or value is None:
            continue
        if key == "total":
            text = f"{len(answer[name]):,} of {value:,}"
        elif key.startswith("next_"):
            text = f"more with --{key.removeprefix('next_')} {value}"
        else:
            text = f"{title(key)}: {spell(key, value)}"
        remarks.append(Text(text, style="dim", overflow="fold"))
    return remarks


def _fitting(rows: list[Answer], console: Console) -> RenderableType:
    """A table of the first columns that the console has room for."""
    names = list(rows[0])
    for count in range(len(names), 0, -1):
        table = _table(names[:count], rows)
        needed = Measurement.get(console, console.options.update(width=_PIPED_COLUMNS), table)
        if needed.maximum <= console.width or count <= 2:
            break
    left = names[count:]
    if not left:
        return table
    text = f"no room for {', '.join(map(title, left))}; --json has all"
    return Group(table, Text(text, style="dim"))


def _table(names: list[str], rows: list[Answer]) -> Table:
    columns = [
        Column(title(name), overflow="fold", justify="right" if _is_number(rows, name) else "left")
        for name in names
    ]
    table = Table(*columns, box=None, pad_edge=False, header_style="bold")
    for row in rows:
        cells = [Text(spell(name, row[name]), style=_style(row[name])) for name in names]
        table.add_row(*cells)
    return table


def _is_number(rows: list[Answer], name: str) -> bool:
    return isinstance(rows[0][name], int | float) and not isinstance(rows[0][name], bool)


def _facts(answer: Answer) -> RenderableType:
    """Names and values, with what is nested below its name."""
    grid = Table.grid(Column(style="dim"), Column(overflow="fold"), padding=(0, 2))
    for name, value in answer.items():
        if isinstance(value, dict | list) and value and not _is_texts(value):
            grid.add_row(title(name), _nested_tree(value))
        else:
            grid.add_row(title(name), Text(spell(name, value), style=_style(value)))
    return grid


def _nested_tree(value: object) -> RenderableType:
    tree = Tree("", hide_root=True, guide_style="dim")
    _grow(tree, value)
    return tree


def _grow(tree: Tree, value: object) -> None:
    pairs = value.items() if isinstance(value, dict) else enumerate(_listed(value), 1)
    for name, item in pairs:
        if isinstance(item, dict | list) and item and not _is_texts(item):
            _grow(tree.add(Text(title(str(name)))), item)
        else:
            tree.add(Text(f"{title(str(name))}: {spell(str(name), item)}"))


def _listed(value: object) -> list[object]:
    return value if isinstance(value, list) else [value]


def _is_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)
