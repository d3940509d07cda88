"""Author: somebody who makes a world with the creation agent, by calls and subscribed rows."""

from __future__ import annotations

import json
from typing import Any

from loadtest.connection import Address
from loadtest.errors import CheckError
from loadtest.limits import OPERATION_SECONDS_MAX
from loadtest.player import Player
from protocol.schema import ModuleSchema

__all__ = ["TABLES", "Author"]

TABLES = (
    "ai_text_chunk",
    "custom_world_agent_session",
    "custom_world_agent_message",
    "custom_world_agent_operation",
    "custom_world_agent_finding",
    "custom_world_draft_card",
    "custom_world_result_preview",
)
"""What an author sees of a session."""

_OVER = {"Succeeded", "Failed", "Cancelled"}


class Author:
    """One creation session and its user. Made by :meth:`begin`.

    Attributes:
        player: the user's connection.
        session_id: of the creation session.
    """

    def __init__(self, player: Player, session_id: str) -> None:
        self.player = player
        self.session_id = session_id
        self._said = 0

    @classmethod
    async def begin(
        cls, address: Address, schema: ModuleSchema, *tables: str, locale: str = "en"
    ) -> Author:
        """Connect anonymously, begin a session, and follow it.

        Args:
            address: of the server.
            schema: of its module.
            *tables: what is followed.
            locale: the language that is spoken.
        """
        player = await Player.enter(address, schema)
        begun = await player.ask("create_custom_world_agent_session_and_return", locale=locale)
        await player.subscribe(*tables)
        return cls(player, begun.session.agent_session_id)

    async def say(self, text: str) -> str:
        """Say something; returns the id of the message that answers it, once that is begun.

        Raises:
            RefusedError: with the game's error code.
        """
        self._said += 1
        turn = await self.player.ask(
            "submit_custom_world_agent_message_and_return",
            agent_session_id=self.session_id,
            text=text,
            client_message_id=f"said-{self._said}",
        )
        message_id: str = turn.assistant_message.message_id
        return message_id

    def message(self, message_id: str) -> Any:
        """A message of the session, or None when it is not there yet."""
        rows = self.player.rows("custom_world_agent_message")
        return next((row for row in rows if row.message_id == message_id), None)

    async def answered(self, message_id: str) -> Any:
        """A message once it is whole; raises CheckError when it never becomes that."""

        def end() -> Any:
            message = self.message(message_id)
            is_open = message is None or message.status.name in {"Pending", "Streaming"}
            return None if is_open else message

        await self.player.until(lambda: end() is not None, OPERATION_SECONDS_MAX)
        message = end()
        if message.status.name != "Complete":
            raise CheckError(f"a reply is {message.status.name}: {message.error_code}")
        return message

    async def act(self, action: str, **payload: object) -> Any:
        """Ask for an action, and wait for its end; the operation.

        Raises:
            RefusedError: it is not possible now.
            CheckError: it failed.
        """
        asked = await self.player.ask(
            "execute_custom_world_agent_action_and_return",
            agent_session_id=self.session_id,
            action=action,
            payload_json=json.dumps(payload),
        )

        def end() -> Any:
            rows = self.player.rows("custom_world_agent_operation")
            return next(
                (
                    row
                    for row in rows
                    if row.operation_id == asked.operation_id and row.status.name in _OVER
                ),
                None,
            )

        await self.player.until(lambda: end() is not None, OPERATION_SECONDS_MAX)
        operation = end()
        if operation.status.name != "Succeeded":
            raise CheckError(f"{action} {operation.status.name}: {operation.error_code}")
        return operation

    def session(self) -> Any:
        """How the session stands."""
        (session,) = self.player.rows("custom_world_agent_session")
        return session

    def cards(self, kind: str) -> list[Any]:
        """The cards of a kind, in order."""
        rows = self.player.rows("custom_world_draft_card")
        found = [row for row in rows if row.kind.name == kind]
        return sorted(found, key=lambda row: row.order_index)

    async def leave(self) -> None:
        """End the connection."""
        await self.player.leave()
