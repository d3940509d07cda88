"""The source tree as the tidy tests read it: every module of the five packages, parsed once."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
PACKAGES = ("protocol", "persistence", "actors", "server", "loadtest")

PURE = (
    "protocol/",
    "actors/domains/",
    "actors/datastore/",
    "actors/module/",
    "actors/operations/",
    "actors/subscriptions/",
    "actors/host/core.py",
    "actors/host/turns.py",
    "actors/host/mail_turns.py",
    "actors/host/mail.py",
    "actors/host/receipts.py",
    "actors/keys.py",
    "actors/rng.py",
    "actors/claims.py",
    "persistence/record.py",
)
"""Where no loop, clock, chance, socket, thread or file may be touched (architecture 2)."""


class Source(NamedTuple):
    """One module; ``path`` is relative to the checkout, with slashes."""

    path: str
    text: str
    tree: ast.Module

    @property
    def dotted(self) -> str:
        return self.path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")

    @property
    def is_pure(self) -> bool:
        return self.path.startswith(PURE)


@cache
def sources() -> tuple[Source, ...]:
    """Every module of every package, by path."""
    return tuple(
        source(path.relative_to(ROOT).as_posix())
        for package in PACKAGES
        for path in sorted((ROOT / package).rglob("*.py"))
    )


@cache
def source(path: str) -> Source:
    text = (ROOT / path).read_text(encoding="utf-8")
    return Source(path, text, ast.parse(text))


def imported(module: Source) -> set[str]:
    """Dotted names of the modules that run when this one is imported, and of what they give."""
    found: set[str] = set()
    for node in _running(module.tree):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module.path}: relative import"
            assert node.module is not None
            found.add(node.module)
            found.update(f"{node.module}.{alias.name}" for alias in node.names)
    return found


def _running(node: ast.AST) -> list[ast.AST]:
    """All nodes but those that only the type checker sees."""
    found: list[ast.AST] = [node]
    for child in ast.iter_child_nodes(node):
        is_typing = isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING"
        if is_typing:
            for other in child.orelse:
                found += _running(other)
        else:
            found += _running(child)
    return found
