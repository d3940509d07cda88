"""Build: whether this process runs the hot modules compiled, and from which sources.

The compiled modules lie beside the Python files that they were made of, and are imported in their
place (docs/performance.md).
"""

from __future__ import annotations

import sys
from enum import Enum
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path
from types import ModuleType

__all__ = ["Build", "running_build"]

_PACKAGES = frozenset(("server", "actors", "persistence", "protocol"))


class Build(Enum):
    """What runs; the value is how the ready line says it."""

    PURE = "pure"
    """Python alone."""
    COMPILED = "compiled"
    """Hot modules as C."""
    STALE = "stale"
    """Hot modules as C, and a source has changed since: it is not the sources that run."""


def running_build() -> Build:
    """What this process runs, by the modules that it has imported."""
    compiled = [file for file in map(_extension_of, tuple(sys.modules.values())) if file]
    if not compiled:
        return Build.PURE
    # Sources that were installed do not change, and are as old as it happened.
    is_checkout = (Path(__file__).parents[1] / "pyproject.toml").exists()
    is_stale = is_checkout and any(map(_is_older_than_source, compiled))
    return Build.STALE if is_stale else Build.COMPILED


def _extension_of(module: ModuleType) -> Path | None:
    """The shared library that one of our modules was imported from; None for any other module."""
    file = getattr(module, "__file__", None)
    if file is None or not file.endswith(tuple(EXTENSION_SUFFIXES)):
        return None
    return Path(file) if module.__name__.partition(".")[0] in _PACKAGES else None


def _is_older_than_source(extension: Path) -> bool:
    source = extension.with_name(extension.name.partition(".")[0] + ".py")
    return source.exists() and source.stat().st_mtime > extension.stat().st_mtime
