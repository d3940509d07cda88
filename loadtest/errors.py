"""Errors of the load test package.

LoadTestError
├── ServerProcessError      the server under test did not start or stop as it should
├── ConnectionEndedError    the connection ended, or was refused, while something was expected
├── WireError               the server sent what no server may send
├── CheckError              the server answered, and the answer is wrong
├── RefusedError            a call was answered with a refusal; it has a code
├── TimeIsUpError           the load is over, in the middle of what somebody does
├── SloError                what was given as a bound is none
└── ReportError             a report cannot be written, read or compared
"""

from __future__ import annotations

__all__ = [
    "CheckError",
    "ConnectionEndedError",
    "LoadTestError",
    "RefusedError",
    "ReportError",
    "ServerProcessError",
    "SloError",
    "WireError",
    "expect",
]


class LoadTestError(Exception):
    """Anything that this package raises on purpose."""


class ServerProcessError(LoadTestError):
    """The server under test did not start or stop as it should."""


class ConnectionEndedError(LoadTestError):
    """The connection ended, or was refused, while something was expected."""


class WireError(LoadTestError):
    """The server sent what no server may send."""


class CheckError(LoadTestError):
    """The server answered, and the answer is wrong."""


class RefusedError(LoadTestError):
    """A call was answered with a refusal.

    Attributes:
        code: the error's code, before the first colon of its text.
    """

    def __init__(self, code: str, text: str = "") -> None:
        super().__init__(f"{code}: {text}" if text else code)
        self.code = code


class TimeIsUpError(LoadTestError):
    """The load is over, in the middle of what somebody does."""


class SloError(LoadTestError):
    """What was given as a bound is none."""


class ReportError(LoadTestError):
    """A report cannot be written, read or compared."""


def expect(what: str, found: object, expected: object) -> None:
    """Raise CheckError unless what was found is what was expected."""
    if found != expected:
        raise CheckError(f"{what}: expected {expected}, the server shows {found}")
