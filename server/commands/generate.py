"""Command ``generate``: what clients want of a module as files, never over anybody else's files."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from actors.module import Module
from actors.operations import announcements
from protocol.json_schema import COMMENT, to_json_schema
from protocol.schema import ModuleSchema
from protocol.typescript import generate
from protocol.typescript.generate import BANNER
from server.errors import OverwriteRefusedError

__all__ = ["generate_bindings", "generate_json_schema"]


_MARK = BANNER[0].encode()
"""First line of every generated file."""


def _is_ours(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(len(_MARK)) == _MARK


def generate_bindings(
    module: str, out: Path, *, fixtures: bool, announced: bool = False
) -> list[str]:
    """Write a module's TypeScript bindings to a folder.

    Files of an earlier run that are not generated any more are deleted; they are known by their
    banner. Nothing is written when one file cannot be. With ``announced`` there is also
    ``operations_announcement``, which every server offers beside its module.

    Returns:
        What was done, one line per file.

    Raises:
        OverwriteRefusedError: a file without our banner has the name of one to generate.
        ActorError: the module cannot be loaded.
    """
    schema = _schema(module, fixtures=fixtures, announced=announced)
    files = {out / name: text for name, text in generate(schema).items()}
    present = {path for path in out.rglob("*.ts") if path.is_file()} if out.is_dir() else set()
    for path in files:
        if path in present and not _is_ours(path):
            raise OverwriteRefusedError(path)
    lines = []
    for path in sorted(present - files.keys()):
        if _is_ours(path):
            path.unlink()
            lines.append(f"deleted {path}")
    for path, text in sorted(files.items()):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        lines.append(f"wrote {path}")
    return lines


def generate_json_schema(module: str, out: Path, *, fixtures: bool, announced: bool) -> list[str]:
    """Write a module's JSON Schema to a file; arguments, answer and errors as above."""
    schema = _schema(module, fixtures=fixtures, announced=announced)
    if out.exists() and COMMENT not in out.read_text(encoding="utf-8", errors="replace"):
        raise OverwriteRefusedError(out)
    document = json.dumps(to_json_schema(schema, module.rpartition(".")[2]), indent=2)
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(f"{document}\n", encoding="utf-8")
    return [f"wrote {out}"]


def _schema(module: str, *, fixtures: bool, announced: bool) -> ModuleSchema:
    sys.path.insert(0, str(Path.cwd()))
    beside = [announcements.__name__] if announced else []
    return Module.load(module, fixtures=fixtures, beside=beside).readable
