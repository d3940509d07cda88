"""The chat of the examples but for one rule; which, says the environment variable ``CROOKED``."""

from __future__ import annotations

import os

from actors import ReducerContext, client_disconnected, reducer
from examples import chat
from examples.chat import Message, User, on_connect

__all__ = ["Message", "User", "on_connect", "on_disconnect", "send_message", "set_name"]

FAULT = os.environ.get("CROOKED", "")
EVERY = 10
COUNT = {"messages": 0}


@reducer
def set_name(ctx: ReducerContext, name: str) -> None:
    if FAULT != "forget names":
        chat.set_name(ctx, name)


@reducer
def send_message(ctx: ReducerContext, text: str) -> None:
    COUNT["messages"] += 1
    if FAULT != "lose messages" or COUNT["messages"] % EVERY:
        chat.send_message(ctx, text)


@client_disconnected
def on_disconnect(ctx: ReducerContext) -> None:
    if FAULT != "show ghosts":
        chat.on_disconnect(ctx)
