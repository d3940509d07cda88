"""Redis faults: what an error of the server or of its connection means for the store."""

from __future__ import annotations

from redis.exceptions import (
    AskError,
    AuthenticationError,
    BusyLoadingError,
    ClusterDownError,
    MasterDownError,
    MovedError,
    NoPermissionError,
    OutOfMemoryError,
    ReadOnlyError,
    RedisError,
    ResponseError,
    TryAgainError,
)

from persistence.errors import StoreError, StoreWriteError

__all__ = ["RedisOutage", "outage_of", "reason_of", "refusal_of", "refused_opening"]

_REASONS: tuple[tuple[type[RedisError], str], ...] = (
    (ReadOnlyError, "READONLY, the server is a replica"),
    (BusyLoadingError, "LOADING, the server reads its data"),
    (MovedError, "MOVED, another server has the keys"),
    (AskError, "ASK, the keys are on their way to another server"),
    (TryAgainError, "TRYAGAIN, the keys are on their way to another server"),
    (MasterDownError, "MASTERDOWN, the replica has lost its primary"),
    (ClusterDownError, "CLUSTERDOWN, the cluster is not complete"),
    (OutOfMemoryError, "OOM, the server may use no more memory"),
    (NoPermissionError, "NOPERM, the user lacks a right"),
    (AuthenticationError, "the password was not accepted"),
)
"""In the order of inheritance: the first that fits is told."""

_PASSING = (ReadOnlyError, AskError, TryAgainError, ClusterDownError)
"""Refusals after which the same call can succeed, here or elsewhere."""

_PASSING_WORDS = ("BUSY ", "NOREPLICAS ", "Function not found")
"""How the texts begin of those that the library has no class for."""


class RedisOutage(Exception):  # noqa: N818 -- the state of a connection, never told as an error
    """The connection is of no use any more; what was sent on it may have been done or not.

    Attributes:
        moved_to: the server that has our keys, if this one said so.
        cause: the error behind it.
    """

    def __init__(self, reason: str, cause: Exception | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.cause = cause
        self.moved_to: tuple[str, int] | None = None
        if isinstance(cause, MovedError):
            self.moved_to = cause.host, cause.port


def reason_of(error: Exception) -> str:
    """Name an error for people; never holds a password, since servers do not repeat it."""
    for kind, words in _REASONS:
        if isinstance(error, kind):
            return f"{words} ({error})" if str(error) else words
    return str(error) or type(error).__name__


def outage_of(error: Exception) -> RedisOutage | None:
    """What to connect again for; None when the server has refused for good."""
    if isinstance(error, ResponseError):
        passes = isinstance(error, _PASSING) or str(error).startswith(_PASSING_WORDS)
        return RedisOutage(reason_of(error), error) if passes else None
    return RedisOutage(reason_of(error), error)


def refusal_of(error: ResponseError) -> StoreError:
    """A refusal for good, as the port tells it."""
    return StoreWriteError(reason_of(error))


def refused_opening(error: Exception | None) -> bool:
    """Whether waiting cannot help a start: the password, the rights, the version."""
    if isinstance(error, AuthenticationError):
        return True
    return isinstance(error, ResponseError) and outage_of(error) is None


assert issubclass(MovedError, AskError)
assert issubclass(MasterDownError, ClusterDownError)
