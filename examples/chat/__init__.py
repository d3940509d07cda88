"""Chat: who is here, and what they say. Clients subscribe to both tables."""

from __future__ import annotations

from actors import (
    Identity,
    ReducerContext,
    ReducerError,
    Timestamp,
    client_connected,
    client_disconnected,
    reducer,
    replace,
    table,
)


@table(public=True, primary_key="identity")
class User:
    identity: Identity
    name: str | None
    online: bool


@table(public=True)
class Message:
    sender: Identity
    sent: Timestamp
    text: str


@reducer
def set_name(ctx: ReducerContext, name: str) -> None:
    if not name:
        raise ReducerError("Names must not be empty")
    users = ctx.db[User]
    users.update(replace(users.get(ctx.sender), name=name))


@reducer
def send_message(ctx: ReducerContext, text: str) -> None:
    if not text:
        raise ReducerError("Messages must not be empty")
    ctx.db[Message].insert(Message(ctx.sender, ctx.timestamp, text))


@client_connected
def on_connect(ctx: ReducerContext) -> None:
    users = ctx.db[User]
    user = users.find(ctx.sender) or User(ctx.sender, None, online=True)
    users.upsert(replace(user, online=True))


@client_disconnected
def on_disconnect(ctx: ReducerContext) -> None:
    users = ctx.db[User]
    users.update(replace(users.get(ctx.sender), online=False))
