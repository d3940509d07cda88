"""Roles of operators: which commands a token's bearer may run."""

from __future__ import annotations

from enum import IntEnum

__all__ = ["Role"]


class Role(IntEnum):
    """What an operator may do; each role includes those before it."""

    READ = 1
    """Looks at everything and changes nothing."""
    OPERATE = 2
    """Changes what can be changed back."""
    DANGER = 3
    """Everything, such as what ends connections of many or cannot be undone."""

    @property
    def claim(self) -> str:
        """The role as tokens, schemas and people spell it."""
        return self.name.lower()

    @classmethod
    def of_claim(cls, claim: object) -> Role | None:
        """The role of that spelling; None when there is none."""
        return next((role for role in cls if role.claim == claim), None)
