"""Player: a bot of the game, who calls by names and reads rows by their columns' names.

Nothing of the game is imported: types come from the server's schema, calls answer the envelope of
domain 1.4, and each call has a request id of its own.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from typing import Any

from loadtest.bot import Bot
from loadtest.connection import Address
from loadtest.errors import LoadTestError, RefusedError
from loadtest.limits import ANSWER_SECONDS_MAX
from protocol.bsatn import compile_codec
from protocol.messages.answers import QuerySetUpdate
from protocol.schema import FunctionSchema, ModuleSchema
from protocol.types import EnumType, OptionType, ProductType
from protocol.upgrade import Subprotocol

__all__ = ["Deltas", "Player"]

Deltas = Mapping[str, tuple[list[Any], list[Any]]]
"""What one commit did to subscribed tables: rows that came and rows that went, by table."""


class Player:
    """A connected user of the game. Made by :meth:`enter`.

    Attributes:
        user_id: as the game knows the user (domain 1.8).
    """

    def __init__(self, bot: Bot, schema: ModuleSchema) -> None:
        self.user_id = f"u_{str(bot.hello.identity)[12:44]}"
        self._bot = bot
        self._procedures = {entry.name: entry for entry in schema.procedures}
        self._reducers = {entry.name: entry for entry in schema.reducers}
        self._rows = {table.name: compile_codec(table.row_type) for table in schema.tables}
        self._rows |= {view.name: compile_codec(view.row_type) for view in schema.views}
        self._decoded_rows: dict[str, dict[bytes, Any]] = {}

    @property
    def token(self) -> str:
        """To come back with as the same user."""
        return self._bot.hello.token

    @classmethod
    async def enter(
        cls,
        address: Address,
        schema: ModuleSchema,
        *,
        token: str | None = None,
        subprotocol: Subprotocol = Subprotocol.V3_BSATN,
    ) -> Player:
        """Connect; anonymous without a token."""
        bot = await Bot.connect(address, schema=schema, token=token, subprotocol=subprotocol)
        return cls(bot, schema)

    async def leave(self) -> None:
        """End the connection."""
        await self._bot.close()

    def cut(self) -> None:
        """Break the connection off without a word."""
        self._bot.cut()

    async def subscribe(self, *tables: str) -> None:
        """Follow whole tables, as far as they are visible to this user."""
        queries = [f"SELECT * FROM {table}" for table in tables]  # noqa: S608 - names of ours
        await self._bot.subscribe(*queries)

    def watch(self, watcher: Callable[[Deltas], None]) -> None:
        """Be told of each commit's deltas, decoded, after :meth:`rows` has them."""
        self._bot.watcher = lambda update: watcher(self._decoded(update))

    def rows(self, table: str) -> list[Any]:
        """Subscribed rows, as named tuples; each is decoded once for as long as it stays."""
        known = self._decoded_rows.get(table, {})
        decode = self._rows[table].decode_all
        rows = {
            row: known[row] if row in known else decode(row)
            for row in self._bot.cache.table(table).rows()
        }
        self._decoded_rows[table] = rows
        return list(rows.values())

    def faults(self) -> list[str]:
        """What the server's deltas did not balance; empty when it kept its promises."""
        return self._bot.cache.faults()

    async def until(
        self, condition: Callable[[], bool], seconds: float = ANSWER_SECONDS_MAX
    ) -> None:
        """Wait until a condition on the rows holds; raises TimeoutError."""
        await self._bot.until(condition, seconds)

    async def ask(self, name: str, request_id: str = "", **fields: object) -> Any:
        """Call a procedure and return its value.

        Args:
            name: of the procedure.
            request_id: for a call that is made again; drawn when empty.
            **fields: of its input, by name; those left out are None. Enumerations by their
                variant's name.

        Raises:
            RefusedError: with the game's error code.
            LoadTestError: the module has no such procedure.
        """
        declared = self._procedures.get(name)
        if declared is None or declared.returns is None:
            raise LoadTestError(f"the module has no procedure {name}")
        args = _encode(declared, fields | {"request_id": request_id or secrets.token_hex(8)})
        value = await self._bot.procedure(name, args)
        envelope: Any = compile_codec(declared.returns).decode_all(value)
        if not envelope.ok:
            raise RefusedError(envelope.error_code, envelope.error_message or "")
        return envelope.value

    def can_ask(self, name: str) -> bool:
        """Whether the module has a procedure of that name."""
        return name in self._procedures

    async def call(self, name: str, **fields: object) -> None:
        """Call a reducer that answers nothing; input and errors as in :meth:`ask`."""
        declared = self._reducers.get(name)
        if declared is None:
            raise LoadTestError(f"the module has no reducer {name}")
        args = _encode(declared, fields | {"request_id": secrets.token_hex(8)})
        await self._bot.call(name, args)

    def _decoded(self, update: Any) -> Deltas:
        deltas: dict[str, tuple[list[Any], list[Any]]] = {}
        query_sets: list[QuerySetUpdate] = update
        for query_set in query_sets:
            for table in query_set.tables:
                decode = self._rows[table.table].decode_all
                came, went = deltas.setdefault(table.table, ([], []))
                for rows in table.rows:
                    came += map(decode, rows.inserts)
                    went += map(decode, rows.deletes)
        return deltas


def _encode(declared: FunctionSchema, fields: Mapping[str, object]) -> bytes:
    """Arguments of a function: one input struct, or nothing (domain 1.4)."""
    if not declared.params.elements:
        return compile_codec(declared.params).encode(())
    input_type = declared.params.elements[0].type
    assert isinstance(input_type, ProductType), "calls take one struct"
    values = []
    for field in input_type.elements:
        value = fields.get(field.name)
        plain = field.type.some if isinstance(field.type, OptionType) else field.type
        if isinstance(plain, EnumType) and isinstance(value, str):
            value = plain.variants.index(value)
        values.append(value)
    return compile_codec(declared.params).encode((tuple(values),))
