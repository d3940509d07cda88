"""Admin values: how a value of an answer is spelt for people, by its field's name."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from rich.text import Text

__all__ = ["harmless", "moment", "plain", "spell", "spell_row", "title"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TIMES = frozenset({"time", "until"})
_UNITS = ((1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB"))
_NOTHING = "-"


_LINES = frozenset({"exception"})
"""Fields whose texts have several lines."""


def harmless(value: Any, name: str = "") -> Any:
    """An answer in which no text can move a terminal's cursor, colour it or turn its writing.

    Names, notes and log lines are written by players. What cannot be printed is spelt as an escape;
    lines end where a field has several.
    """
    if isinstance(value, str):
        if value.isprintable():
            return value
        kept = "\n" if name in _LINES else ""
        return "".join(
            letter if letter.isprintable() or letter in kept else _escape(letter)
            for letter in value
        )
    if isinstance(value, list):
        return [harmless(item, name) for item in value]
    if isinstance(value, dict):
        return {harmless(key): harmless(item, key) for key, item in value.items()}
    return value


def _escape(letter: str) -> str:
    return letter.encode("unicode_escape").decode()


def spell(name: str, value: object) -> str:
    """Spell a value; times, sizes and durations are known by how their fields are named."""
    if value is None or value == "":
        return _NOTHING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        if name in _TIMES or name.endswith("_at"):
            return moment(int(value))
        if name.endswith("_bytes"):
            return _size(value)
        if name == "seconds" or name.endswith("_seconds"):
            return _duration(value)
        return str(value) if name.endswith("_id") else f"{value:,}"
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return ", ".join(value) or _NOTHING
    return plain(value)


def spell_row(row: dict[str, object]) -> Text:
    """A row of a table in one piece: its columns by name, without units, as they are stored."""
    text = Text()
    for column, value in row.items():
        text.append(f"{column}=", style="dim").append(f"{plain(value)}  ")
    text.rstrip()
    return text


def plain(value: object) -> str:
    """A value as it is stored, whatever its field is."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def title(name: str) -> str:
    """A field's name as people read it, without the unit that its value is spelt with."""
    return (
        name.removeprefix("is_").removesuffix("_bytes").removesuffix("_seconds").replace("_", " ")
    )


def moment(micros: int) -> str:
    """A time in microseconds since 1970, to the millisecond, in UTC."""
    try:
        found = _EPOCH + timedelta(microseconds=micros)
    except OverflowError:
        return str(micros)
    return found.strftime("%Y-%m-%d %H:%M:%S.") + f"{found.microsecond // 1000:03d}"


def _size(count: float) -> str:
    for unit, name in _UNITS:
        if count >= unit:
            return f"{count / unit:.1f} {name}"
    return f"{count:g} B"


def _duration(seconds: float) -> str:
    if 0 < seconds < 1:
        return f"{seconds * 1000:.1f} ms"
    if seconds < 120:
        return f"{seconds:.1f} s"
    return str(timedelta(seconds=int(seconds)))
