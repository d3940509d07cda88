"""Requests of protocol v1 in neutral words, and the ids under which they are answered.

An answer of v1 repeats parts of its request, so the id of a request remembers what that was.
Source: wire spec 7.1 and 7.3.
"""

from __future__ import annotations

from typing import Any, Protocol, Self

from protocol.errors import DecodeError
from protocol.limits import SUBSCRIBE_QUERIES_MAX
from protocol.messages.requests import (
    CallProcedure,
    CallReducer,
    ClientMessage,
    OneOffQuery,
    Subscribe,
    SubscribeLegacy,
    UnreadableCall,
    Unsubscribe,
)
from protocol.messages.v1_types import ClientTag
from protocol.values import Variant

__all__ = ["ReadArguments", "RequestId", "neutral_request"]

_SINGLE = (ClientTag.SUBSCRIBE_SINGLE, ClientTag.UNSUBSCRIBE)


class RequestId(int):
    """A request id that the client chose, which remembers the request.

    Attributes:
        tag: what was asked.
        began: when it came, in seconds of the connection's clock.
        name: the function that is called.
        args: its arguments as they came: BSATN, or a JSON text.
        is_quiet: the caller does not want to be told of its own commit, or refusal.
        message_id: a one-off query is answered under this.
    """

    args: bytes | str

    def __new__(cls, number: int, tag: int, began: float) -> Self:
        """Make an id of a request with this tag."""
        made = super().__new__(cls, number)
        made.tag = ClientTag(tag)
        made.began = began
        made.name = ""
        made.args = b""
        made.is_quiet = False
        made.message_id = b""
        return made

    tag: ClientTag
    began: float
    name: str
    is_quiet: bool
    message_id: bytes

    @property
    def is_single(self) -> bool:
        """Whether it is about a set of exactly one query, in the form of such."""
        return self.tag in _SINGLE


class ReadArguments(Protocol):
    """Makes BSATN of a call's arguments."""

    def __call__(self, function: str, text: str, *, is_procedure: bool) -> bytes:
        """Read them; raises DecodeError when they are not those of the function."""


def neutral_request(
    message: Variant, began: float, read_arguments: ReadArguments | None = None
) -> ClientMessage:
    """A request by its declared type (``v1_types``), for a server.

    Args:
        message: the request.
        began: when it came, in seconds of the connection's clock.
        read_arguments: for calls whose arguments are not BSATN.

    Raises:
        DecodeError: unknown flags, or too many queries.
    """
    tag = message.tag
    fields: Any = message.value
    match tag:
        case ClientTag.CALL_REDUCER | ClientTag.CALL_PROCEDURE:
            name, args, number, flags = fields
            request_id = RequestId(number, tag, began)
            request_id.name, request_id.args = name, args
            is_procedure = tag == ClientTag.CALL_PROCEDURE
            _check_flags(flags, 0 if is_procedure else 1)
            request_id.is_quiet = flags == 1
            if read_arguments is not None:
                try:
                    args = read_arguments(name, args, is_procedure=is_procedure)
                except DecodeError as error:
                    return UnreadableCall(request_id, name, str(error), is_procedure)
            if is_procedure:
                return CallProcedure(request_id, name, args)
            return CallReducer(request_id, name, args)
        case ClientTag.SUBSCRIBE:
            queries, number = fields
            return SubscribeLegacy(RequestId(number, tag, began), _checked(queries))
        case ClientTag.ONE_OFF_QUERY:
            message_id, query = fields
            request_id = RequestId(0, tag, began)
            request_id.message_id = message_id
            return OneOffQuery(request_id, query)
        case ClientTag.SUBSCRIBE_SINGLE:
            query, number, (query_id,) = fields
            return Subscribe(RequestId(number, tag, began), query_id, (query,))
        case ClientTag.SUBSCRIBE_MULTI:
            queries, number, (query_id,) = fields
            return Subscribe(RequestId(number, tag, began), query_id, _checked(queries))
        case _:
            number, (query_id,) = fields
            request_id = RequestId(number, tag, began)
            return Unsubscribe(request_id, query_id, send_dropped_rows=True)


def _check_flags(flags: int, most: int) -> None:
    if flags > most:
        raise DecodeError(f"unknown call flags {flags}")


def _checked(queries: list[str]) -> tuple[str, ...]:
    if len(queries) > SUBSCRIBE_QUERIES_MAX:
        raise DecodeError(f"{len(queries)} query strings are too many")
    return tuple(queries)
