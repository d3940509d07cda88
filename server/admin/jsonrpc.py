"""JSON-RPC 2.0: messages of the admin channel, bytes to requests and answers to bytes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Literal, NamedTuple

import orjson
from pydantic import BaseModel, ConfigDict, JsonValue, Strict, StringConstraints, ValidationError

from server.limits import ADMIN_BATCH_MAX

__all__ = [
    "COMMAND_FAILED",
    "INTERNAL_ERROR",
    "INVALID_PARAMS",
    "METHOD_NOT_FOUND",
    "Fault",
    "FaultError",
    "Message",
    "Request",
    "answer_text",
    "fault_text",
    "notification_text",
    "read_message",
]

PARSE_ERROR = -32700
INVALID_REQUEST = -32600
METHOD_NOT_FOUND = -32601
INVALID_PARAMS = -32602
INTERNAL_ERROR = -32603
COMMAND_FAILED = -32000
"""Every refusal of ours; ``data.code`` says which."""

Id = Annotated[str, Strict()] | Annotated[int, Strict()] | None


class Request(BaseModel):
    """One request; a notification when it has no ``id``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    jsonrpc: Literal["2.0"]
    method: Annotated[str, StringConstraints(min_length=1, max_length=100)]
    params: dict[str, JsonValue] = {}
    id: Id = None

    @property
    def is_notification(self) -> bool:
        """Whether nobody waits for an answer."""
        return "id" not in self.model_fields_set


class Fault(NamedTuple):
    """Why a request failed; ``data`` holds ``code``, which stays the same, and facts."""

    code: int
    message: str
    data: Mapping[str, object]


class FaultError(Exception):
    """Ends the handling of a request with a fault."""

    def __init__(self, code: int, message: str, stable: str, **facts: object) -> None:
        super().__init__(message)
        self.fault = Fault(code, message, {"code": stable, **facts})


class Message(NamedTuple):
    """What one frame asks: requests, and faults in place of those that are none."""

    entries: Sequence[Request | Fault]
    is_batch: bool


def read_message(data: str | bytes) -> Message:
    """Read a frame; raises nothing, whatever it holds."""
    try:
        value = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        fault = Fault(PARSE_ERROR, "this is not JSON", {"code": "rpc.parse", "detail": str(error)})
        return Message((fault,), is_batch=False)
    if not isinstance(value, list):
        return Message((_request(value),), is_batch=False)
    if not 0 < len(value) <= ADMIN_BATCH_MAX:
        text = f"a batch has 1 to {ADMIN_BATCH_MAX} requests"
        return Message((Fault(INVALID_REQUEST, text, {"code": "rpc.invalid"}),), is_batch=False)
    return Message(tuple(map(_request, value)), is_batch=True)


def answer_text(request: Request, result: object) -> bytes:
    """Spell the answer to a request."""
    return orjson.dumps({"jsonrpc": "2.0", "id": request.id, "result": result})


def fault_text(request: Request | None, fault: Fault) -> bytes:
    """Spell a fault as the answer to a request, or to what was none."""
    error = {"code": fault.code, "message": fault.message, "data": fault.data}
    identifier = None if request is None else request.id
    return orjson.dumps({"jsonrpc": "2.0", "id": identifier, "error": error}, default=str)


def notification_text(method: str, params: Mapping[str, object]) -> str:
    """Spell a notification of the server."""
    message = {"jsonrpc": "2.0", "method": method, "params": params}
    return orjson.dumps(message).decode()


def _request(value: object) -> Request | Fault:
    try:
        return Request.model_validate(value)
    except ValidationError as error:
        facts = {"code": "rpc.invalid", "errors": faults_of(error)}
        return Fault(INVALID_REQUEST, "this is not a request of JSON-RPC 2.0", facts)


def faults_of(error: ValidationError) -> list[dict[str, str]]:
    """Say of each value that is wrong where it stands, what is wrong, and of which kind that is."""
    return [
        {
            "path": ".".join(map(str, fault["loc"])),
            "message": fault["msg"],
            "kind": fault["type"],
        }
        for fault in error.errors(include_url=False, include_context=False, include_input=False)
    ]
