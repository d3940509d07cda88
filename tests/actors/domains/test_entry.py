from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from user_bench import MODULE, claims, only

from actors.claims import Claims
from actors.domains.entry import ModuleMeta
from actors.domains.kinds import CATALOG, USER
from actors.domains.runtime.account import ClientPresence, UserAccount
from actors.domains.runtime.directory_entry import DirectoryState, SessionDirectoryEntry
from actors.domains.runtime.wallet import ProfileWalletLedger
from actors.errors import ReducerError
from actors.host import Caller, Host
from actors.keys import user_id_of
from actors.module.types import ConnectionId
from persistence import MemoryDisk, MemoryStore
from protocol.bsatn import compile_codec
from protocol.messages import V2


class Clock:
    """A clock of microseconds that moves with every look."""

    def __init__(self) -> None:
        self.micros = 1_700_000_000_000_000

    def __call__(self) -> int:
        self.micros += 1_000
        return self.micros


class Silence:
    def deliver(self, messages: list[bytes]) -> None:
        """Nobody reads what is sent here."""

    def abort(self, close_code: int, reason: str) -> None:
        raise AssertionError(f"closed with {close_code}: {reason}")


@asynccontextmanager
async def running(disk: MemoryDisk, clock: Clock) -> AsyncIterator[Host]:
    store = MemoryStore(disk)
    await store.open()
    host = Host(MODULE, store, secret=bytes(32), clock=clock)
    await host.start()
    try:
        yield host
    finally:
        await host.stop()
        await store.close()


async def connected(host: Host, who: Claims, connection: int) -> Any:
    session = host.open_session(
        claims=who,
        connection_id=ConnectionId(connection),
        token="",
        wire=V2,
        confirmed=True,
        sink=Silence(),
    )
    await session.connect()
    return session


async def procedure(host: Host, who: Claims, name: str, *fields: object) -> Any:
    endpoint = host.catalogue.procedures[name]
    parameters = MODULE.procedures[name].parameters
    args = compile_codec(parameters).encode((fields,))
    return await host.procedures.run(endpoint, Caller(who, ConnectionId(1)), args)


def rows(host: Host, key: Any, table: type) -> list[Any]:
    return list(host.core(key).database[table])


async def test_an_empty_store_gets_the_modules_row_once() -> None:
    disk, clock = MemoryDisk(), Clock()
    async with running(disk, clock) as host:
        first = only(rows(host, CATALOG.key("0"), ModuleMeta))
        assert (first.schema_version, first.ruleset_version) == (1, 1)
    async with running(disk, clock) as host:
        assert only(rows(host, CATALOG.key("0"), ModuleMeta)) == first


async def test_users_come_and_go_by_their_connections() -> None:
    who = claims(1)
    key = USER.key(user_id_of(who.identity))
    async with running(MemoryDisk(), Clock()) as host:
        session = await connected(host, who, 7)
        assert only(rows(host, key, ClientPresence)).connection_key == f"{7:032x}"
        assert only(rows(host, key, UserAccount)).identity == who.identity
        await session.disconnect()
        await host.durable()
        assert rows(host, key, ClientPresence) == []


async def test_connections_of_a_server_that_died_are_not_present() -> None:
    who, disk, clock = claims(1), MemoryDisk(), Clock()
    key = USER.key(user_id_of(who.identity))
    store = MemoryStore(disk)
    await store.open()
    crashed = Host(MODULE, store, secret=bytes(32), clock=clock)
    await crashed.start()
    await connected(crashed, who, 7)
    await crashed.durable()
    async with running(disk, clock) as host:
        await connected(host, who, 8)
        assert only(rows(host, key, ClientPresence)).connection_key == f"{8:032x}"
        assert len(rows(host, key, ProfileWalletLedger)) == 1


async def test_a_story_in_no_world_is_refused_with_the_reason() -> None:
    who = claims(1)
    key = USER.key(user_id_of(who.identity))
    async with running(MemoryDisk(), Clock()) as host:
        await connected(host, who, 7)
        with pytest.raises(ReducerError, match=r"^world\.not_found"):
            await procedure(
                host, who, "begin_story_session_and_return", "cwp_none", "hero", None, "r1"
            )
        entry = only(rows(host, key, SessionDirectoryEntry))
        assert entry.state is DirectoryState.ARCHIVED
        assert host.core(key).attached() == ()
