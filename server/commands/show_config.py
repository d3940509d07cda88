"""Command ``config show``: effective settings and their sources, for people or for programs."""

from __future__ import annotations

import json
import sys

from server.settings import LoadedSettings, Settings, shown_value

__all__ = ["print_settings"]


def print_settings(loaded: LoadedSettings, *, as_json: bool) -> None:
    """Write every setting to standard output; secrets are masked in both forms."""
    rows = [
        (key, shown_value(loaded.settings, key), loaded.sources[key])
        for key in Settings.model_fields
    ]
    if as_json:
        shown = {key: {"value": value, "source": source} for key, value, source in rows}
        sys.stdout.write(json.dumps(shown, indent=2) + "\n")
        return
    from rich.console import Console  # noqa: PLC0415 - only this form needs it
    from rich.table import Column, Table  # noqa: PLC0415

    table = Table("setting", Column("value", overflow="fold"), "source")
    for row in rows:
        table.add_row(*row)
    Console().print(table)
