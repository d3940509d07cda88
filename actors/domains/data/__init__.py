"""Texts that ship with the game, one data file for each locale."""

from __future__ import annotations

from importlib.resources import files

__all__ = ["narration_json"]


def narration_json(locale: str) -> str:
    """The narration of a locale; raises FileNotFoundError when there is none."""
    return files(__name__).joinpath(f"narration_{locale}.json").read_text(encoding="utf-8")
