"""Page: the documentation of the admin channel, made from the commands themselves."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any

from pydantic import BaseModel

from protocol.close_codes import CLOSE_BANNED, CLOSE_KICKED
from server.admin.channel import ADMIN_PATH, ADMIN_SUBPROTOCOL, BEARER_PREFIX
from server.admin.commands import Command
from server.admin.tokens import ADMIN_ROLE_CLAIM, ADMIN_TOKEN_FILE
from server.limits import (
    ADMIN_BATCH_MAX,
    ADMIN_CALLS_BURST,
    ADMIN_CALLS_PER_MINUTE,
    ADMIN_CONNECTIONS_MAX,
    ADMIN_MESSAGE_BYTES_MAX,
)

__all__ = ["admin_page"]

_HEAD = f"""\
# Admin channel

Operators talk to the server over a websocket of its own: path `{ADMIN_PATH}`, subprotocol
`{ADMIN_SUBPROTOCOL}`, JSON-RPC 2.0 in text messages, on a listener that only this machine reaches
unless `admin_allow_public_bind` says otherwise. `genarrative admin` is its first client; every
command below is also a command of the command line. This page is made from the code;
`genarrative docs admin` prints it, and `rpc.discover` answers the same as an OpenRPC document.

## Who may come in

A token in the header `Authorization: Bearer`, or, from a browser, as a second subprotocol
`{BEARER_PREFIX}<token>`; never in an address. The first start makes one of the role `danger` in
`{ADMIN_TOKEN_FILE}` of the data folder, for the folder's owner alone; deleting the file and
starting again revokes it. Other tokens are signed by the server's key or by a trusted issuer,
carry the claim `{ADMIN_ROLE_CLAIM}`, and have an end.

| role | may |
|---|---|
| `read` | look at everything |
| `operate` | that, and change what can be changed back |
| `danger` | everything |

A handshake without a good token is answered 401, with one that is no operator's 403, on another
path 404, and 503 when {ADMIN_CONNECTIONS_MAX} operators are there already.

## Messages

Parameters are given by name. A batch has at most {ADMIN_BATCH_MAX} requests, which run one after
the other; a message at most {ADMIN_MESSAGE_BYTES_MAX:,} bytes. An operator may run
{ADMIN_CALLS_BURST} commands at once and {ADMIN_CALLS_PER_MINUTE} a minute. Every command of the
roles `operate` and `danger` needs a `reason` and leaves one audit record, whatever comes of it.
Commands that go on send notifications of their own name.

| error code | `data.code` | when |
|---|---|---|
| -32700 | `rpc.parse` | the message is not JSON |
| -32600 | `rpc.invalid` | it is not a request, or a batch of too many |
| -32601 | `command.not_found` | there is no such command; `data.close` has similar names |
| -32602 | `input.invalid` | the parameters do not fit; `data.errors` says where |
| -32603 | `command.failed` | the command broke; the log says why |
| -32000 | `auth.forbidden` | the command needs another role |
| -32000 | `auth.token_expired` | the operator's token has expired |
| -32000 | `limit.rate_exceeded` | too many commands; `data.retry_after_seconds` |
| -32000 | `command.timeout` | it took too long and was stopped |
| -32000 | others | what the command refuses, such as `connection.not_found` |

Connections of players that operators end are closed with {CLOSE_KICKED} (kicked: may come back) or
{CLOSE_BANNED} (banned: handshakes are answered 403 until the ban ends).

## Audit

A command that changes something is noted before it runs and becomes a record when it has ended; one
that a crash cut off becomes a record with the outcome `unknown` at the next start. Each record
carries the SHA-256 of the one before it, so `audit.verify` finds records that were changed or
removed in the store. Records are never deleted: the newest are in the actor `operations/0`, older
ones in actors `operations_archive/<number of the first>`.
"""

_ANNOUNCEMENTS = """
## Announcements

Clients hear `announcements.send` by subscribing to `SELECT * FROM operations_announcement`, a table
of events that every server offers beside its module: `announced_at`, `level`, `text`.
`genarrative generate --announcements` includes it in a client's bindings.
"""


def admin_page(commands: Iterable[Command]) -> str:
    """The page as Markdown; commands of one group stand together."""
    groups = groupby(commands, key=lambda command: command.group)
    parts = [part for group, members in groups for part in _group(group, members)]
    return "".join((_HEAD, _ANNOUNCEMENTS, *parts))


def _group(group: str, commands: Iterable[Command]) -> Iterator[str]:
    yield f"\n## {group}\n"
    for command in commands:
        text = command.text.replace("``", "`")
        yield f"\n### {command.name}\n\nRole `{command.role.claim}`. {text}\n"
        yield from _model("parameter", command.params)
        yield from _model("result", command.result)
        if command.event is not None:
            yield from _model("notification", command.event)


def _model(title: str, model: type[BaseModel]) -> Iterator[str]:
    """A model's fields, and those of the models that they hold."""
    schema = model.model_json_schema()
    yield from _fields(title, schema)
    for name, nested in schema.get("$defs", {}).items():
        yield from _fields(f"`{name}`", nested)


def _fields(title: str, schema: dict[str, Any]) -> Iterator[str]:
    if not schema.get("properties"):
        return
    yield f"\n| {title} | type | |\n|---|---|---|\n"
    for name, field in schema["properties"].items():
        text = field.get("description", "")
        if title == "parameter" and field.get("default") is not None:
            text += f" Default: `{json.dumps(field['default'])}`."
        yield f"| `{name}` | {_type(field)} | {text} |\n"


def _type(field: dict[str, Any]) -> str:
    """A field's type in a few words."""
    if "anyOf" in field:
        return " or ".join(_type(option) for option in field["anyOf"])
    if "$ref" in field:
        return f"`{field['$ref'].rpartition('/')[2]}`"
    if "enum" in field:
        return ", ".join(f"`{value}`" for value in field["enum"])
    if field.get("type") == "array":
        return f"list of {_type(field.get('items', {}))}"
    return str(field.get("type", "any"))
