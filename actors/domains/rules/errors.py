"""Errors of the pure rules.

actors.errors.ReducerError
└── RuleError             a rule of the game refuses an input in the current state
"""

from __future__ import annotations

from actors.errors import ReducerError

__all__ = ["RuleError"]


class RuleError(ReducerError):
    """A rule of the game refuses an input; nothing has changed.

    It is a refused call, so a reducer lets it pass as it is. ``code`` is one of the codes that the
    domain specification lists for the rule; ``details`` name the values that were compared.
    """
