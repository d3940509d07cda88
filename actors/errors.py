"""Errors of the actor system.

ActorError
├── ReducerError              a call is refused; the caller is told, everything rolls back
│   └── ConstraintError       a unique constraint or a missing row, raised by a table
├── DeclarationError          a module's declarations contradict each other; raised at start-up
├── SchemaMismatchError       the store holds rows of another schema; the server refuses to start
├── SessionRefusedError       ``client_connected`` refused a connection
├── ActorUnavailableError     an actor that is needed to start cannot begin; retry later
└── TextModelError            a text model could not answer an effect
"""

from __future__ import annotations

__all__ = [
    "ActorError",
    "ActorUnavailableError",
    "ConstraintError",
    "DeclarationError",
    "ReducerError",
    "SchemaMismatchError",
    "SessionRefusedError",
    "TextModelError",
]


class ActorError(Exception):
    """Root of everything this package raises on purpose."""


class ReducerError(ActorError):
    """A call is refused by a rule.

    The transaction rolls back whole and the caller gets ``code: message``. A reducer raises it for
    what a caller can do wrong; anything else that escapes a reducer is our defect.

    Args:
        code: stable, dotted (``combat.stale_version``); or a whole sentence for simple modules.
        message: English, at most 200 characters, no personal data.
        details: facts a program needs to react, JSON values only.
    """

    def __init__(self, code: str, message: str = "", **details: object) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message[:200]
        self.details = details

    def __str__(self) -> str:
        return f"{self.code}: {self.message}" if self.message else self.code


class ConstraintError(ReducerError):
    """A row breaks a unique constraint, or an update names a row that is not there."""


class DeclarationError(ActorError):
    """Two declarations contradict each other, or one makes no sense."""


class SchemaMismatchError(ActorError):
    """The store was written with table layouts that this module does not have."""


class SessionRefusedError(ActorError):
    """The module's ``client_connected`` refused this connection; the text is its reason.

    Its cause is the ReducerError, or the defect that the text does not tell of.
    """


class ActorUnavailableError(ActorError):
    """An actor cannot begin, because its store refuses; the same start may succeed later."""


class TextModelError(ActorError):
    """A text model did not answer, or stopped before the end.

    Args:
        code: ``dependency.unavailable`` or ``dependency.timeout`` (domain 1.7).
        message: what went wrong, without addresses, keys or texts.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
