"""A chat that keeps its rules but one; which, says the environment variable ``CROOKED``."""

from __future__ import annotations

import os

from actors import (
    Identity,
    ReducerContext,
    Timestamp,
    client_connected,
    client_disconnected,
    reducer,
    replace,
    table,
)

FAULT = os.environ.get("CROOKED", "")
EVERY = 10


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


COUNT = {"messages": 0}


@reducer
def set_name(ctx: ReducerContext, name: str) -> None:
    users = ctx.db[User]
    if FAULT != "forget names":
        users.update(replace(users.get(ctx.sender), name=name))


@reducer
def send_message(ctx: ReducerContext, text: str) -> None:
    COUNT["messages"] += 1
    if FAULT != "lose messages" or COUNT["messages"] % EVERY:
        ctx.db[Message].insert(Message(ctx.sender, ctx.timestamp, text))


@client_connected
def on_connect(ctx: ReducerContext) -> None:
    users = ctx.db[User]
    user = users.find(ctx.sender) or User(ctx.sender, None, online=True)
    users.upsert(replace(user, online=True))


@client_disconnected
def on_disconnect(ctx: ReducerContext) -> None:
    users = ctx.db[User]
    if FAULT != "show ghosts":
        users.update(replace(users.get(ctx.sender), online=False))
