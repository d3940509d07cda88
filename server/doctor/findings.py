"""Findings: what a check found out, how bad that is, and what to do about it."""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple

__all__ = ["Finding", "Level", "error", "fine", "warning"]


class Level(Enum):
    """How bad a finding is."""

    OK = "ok"
    WARNING = "warning"
    """It works, and something can go wrong that need not."""
    ERROR = "error"
    """It does not work, or loses data or secrets."""


class Finding(NamedTuple):
    """One result of a check; ``advice`` says what to do, and is empty when all is well."""

    check: str
    level: Level
    text: str
    advice: str = ""


def fine(check: str, text: str) -> Finding:
    """All is well."""
    return Finding(check, Level.OK, text)


def warning(check: str, text: str, advice: str) -> Finding:
    """Something can go wrong."""
    return Finding(check, Level.WARNING, text, advice)


def error(check: str, text: str, advice: str) -> Finding:
    """Something is wrong."""
    return Finding(check, Level.ERROR, text, advice)
