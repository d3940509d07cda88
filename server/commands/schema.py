"""Command ``schema export``: a module's definition as a file that official tools read."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from actors.module import Module
from protocol.schema_json import to_v9_json, to_v10_json
from server.errors import OverwriteRefusedError

__all__ = ["export_schema"]

_BEGINNINGS = ('{"V9": ', '{"V10": ')
"""How exported files begin."""


def export_schema(module: str, version: int, out: Path | None, *, fixtures: bool) -> None:
    """Write a module's definition, wrapped as ``spacetime generate --module-def`` wants it.

    Goes to standard output without ``out`` (wire spec 13).

    Raises:
        OverwriteRefusedError: ``out`` is a file that is no definition.
        ActorError: the module cannot be loaded.
    """
    sys.path.insert(0, str(Path.cwd()))
    schema = Module.load(module, fixtures=fixtures).schema
    definition = to_v9_json(schema) if version == 9 else to_v10_json(schema)
    text = json.dumps({f"V{version}": definition}) + "\n"
    if out is None:
        sys.stdout.write(text)
        return
    if out.is_file():
        with out.open(encoding="utf-8", errors="replace") as file:
            if not file.read(len(_BEGINNINGS[1])).startswith(_BEGINNINGS):
                raise OverwriteRefusedError(out)
    out.write_text(text, encoding="utf-8")
