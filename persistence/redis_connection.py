"""Redis connection: reaches the server that has our keys, as owner, and asks how it is set up."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

from redis.asyncio.connection import Connection, SSLConnection
from redis.exceptions import NoPermissionError, RedisError, ResponseError

from persistence.errors import FencedError, StoreFormatError, StoreRefusedError
from persistence.redis_calls import Link
from persistence.redis_faults import RedisOutage, outage_of, reason_of, refused_opening
from persistence.redis_keys import RedisKeys
from persistence.redis_library import Argument, command, function_call, library_text
from persistence.redis_url import RedisAddress

__all__ = ["Attached", "RedisConnector", "check_disks", "wait_for_disks"]

_FORMAT = "2"
_VERSION_MIN = (7, 0)
_WAITAOF_VERSION_MIN = (7, 2)
_NO_FUNCTION = "Function not found"
_NO_COMMAND = "unknown command"
_WRONG_TYPE = "WRONGTYPE"


class Attached(NamedTuple):
    """A connection on which this owner may write; ``batch`` is the last one written."""

    connection: Connection
    link: Link
    batch: int


class RedisConnector:
    """Connects to one node after the other, and to where a node says that the keys are."""

    def __init__(self, address: RedisAddress) -> None:
        self._address = address
        self._keys = RedisKeys(address.name)
        self._nodes = list(address.nodes)
        self._moved_to: tuple[str, int] | None = None

    async def open(self) -> Attached:
        """Connect as a new owner.

        Raises RedisOutage when it may work later, else StoreRefusedError, StoreFormatError.
        """
        location = str(self._address)
        try:
            connection, reply = await self._attach("open", _FORMAT)
        except RedisOutage as outage:
            if outage.reason.startswith(_WRONG_TYPE):
                raise StoreFormatError(location, "the keys are another program's") from outage
            if _NO_COMMAND in outage.reason:
                reason = f"needs Redis 7.0 or newer ({outage.reason.strip()})"
                raise StoreRefusedError(location, reason) from outage
            if refused_opening(outage.cause):
                raise StoreRefusedError(location, outage.reason) from outage
            raise
        if reply[0] == b"format":
            await connection.disconnect(nowait=True)
            reason = f"format {_text(reply[1])}, this program knows {_FORMAT}"
            raise StoreFormatError(location, reason)
        _, epoch, number, batch = reply
        return Attached(connection, Link(_int(epoch), _int(number)), _int(batch))

    async def attach(self, epoch: int) -> Attached:
        """Connect again as the owner of an epoch. Raises RedisOutage, FencedError."""
        connection, reply = await self._attach("attach", epoch)
        if reply[0] == b"fenced":
            await connection.disconnect(nowait=True)
            raise FencedError(epoch, _int(reply[1]))
        _, number, batch = reply
        return Attached(connection, Link(epoch, _int(number)), _int(batch))

    async def _attach(self, function: str, argument: Argument) -> tuple[Connection, list[object]]:
        node, self._moved_to = self._moved_to or self._nodes[0], None
        connection = self._connection(*node)
        try:
            await connection.connect_check_health()
            call = function_call(function, (self._keys.owner,), argument)
            try:
                reply = await _ask(connection, call)
            except ResponseError as error:
                if _NO_FUNCTION not in str(error):
                    raise
                await _ask(connection, command("FUNCTION", "LOAD", library_text()))
                reply = await _ask(connection, call)
            if function == "attach" and self._address.sync is not None:
                # What an earlier connection wrote and was not told of is waited for as well.
                sync = wait_for_disks(self._address)
                check_disks(self._address, await _ask(connection, sync))
        except BaseException as error:
            await connection.disconnect(nowait=True)
            if not isinstance(error, RedisError | OSError):
                raise
            outage = outage_of(error) or RedisOutage(reason_of(error), error)
            self._choose_node(outage, node)
            raise outage from error
        assert isinstance(reply, list)
        return connection, reply

    def _choose_node(self, outage: RedisOutage, node: tuple[str, int]) -> None:
        if outage.moved_to is not None:
            host, port = outage.moved_to
            self._moved_to = host or node[0], port
        else:
            self._nodes.append(self._nodes.pop(0))

    def _connection(self, host: str, port: int) -> Connection:
        address = self._address
        made: Callable[..., Connection] = Connection
        if address.is_tls:
            made = partial(SSLConnection, ssl_ca_certs=address.ca_file)
        return made(
            host=host,
            port=port,
            db=address.db,
            username=address.username,
            password=address.password,
            socket_timeout=address.reply_seconds,
            socket_connect_timeout=address.reply_seconds,
            protocol=2,
        )

    async def describe(self, connection: Connection) -> tuple[str, str]:
        """What the server's live settings say: its durability, and what can be lost.

        Raises StoreRefusedError when it is too old; RedisOutage when it went away.
        """
        try:
            server = _fields(await _ask(connection, command("INFO", "server")))
            replication = _fields(await _ask(connection, command("INFO", "replication")))
            try:
                words = ("CONFIG", "GET", "append*", "maxmemory*")
                settings = _pairs(await _ask(connection, command(*words)))
            except NoPermissionError:
                settings = {}
        except ResponseError as error:
            raise StoreRefusedError(str(self._address), reason_of(error)) from error
        except (RedisError, OSError) as error:
            raise RedisOutage(reason_of(error), error) from error
        self._check_version(server.get("redis_version", "0"))
        replicas = int(replication.get("connected_slaves", "0"))
        if self._address.sync is not None and settings.get("appendonly") == "no":
            raise StoreRefusedError(str(self._address), "waitaof needs appendonly, which is off")
        return _durability(settings, replicas, self._address.sync), _risk(settings, self._address)

    def _check_version(self, version: str) -> None:
        found = tuple(int(part) for part in version.split(".")[:2] if part.isdigit())
        location = str(self._address)
        if found < _VERSION_MIN:
            raise StoreRefusedError(location, f"needs Redis 7.0 or newer, this is {version}")
        if self._address.sync is not None and found < _WAITAOF_VERSION_MIN:
            raise StoreRefusedError(location, f"waitaof needs Redis 7.2, this is {version}")


def wait_for_disks(address: RedisAddress) -> bytes:
    """The command that waits until what was written on its connection is on the disks asked for."""
    assert address.sync is not None
    patience_ms = int(address.reply_seconds * 800)
    return command("WAITAOF", *address.sync, patience_ms)


def check_disks(address: RedisAddress, reply: object) -> None:
    """Raise RedisOutage when fewer disks than asked for have what was written."""
    assert address.sync is not None
    assert isinstance(reply, list)
    here, replicas = reply
    if here < address.sync[0] or replicas < address.sync[1]:
        raise RedisOutage(f"WAITAOF, on {here} disks here and {replicas} of replicas")


def _durability(settings: dict[str, str], replicas: int, sync: tuple[int, int] | None) -> str:
    append_only = settings.get("appendonly", "unknown")
    words = [f"appendonly={append_only}"]
    if append_only != "no":
        words.append(f"appendfsync={settings.get('appendfsync', 'unknown')}")
    words.append(f"replicas={replicas}")
    if sync is not None:
        words.append(f"waitaof={sync[0]},{sync[1]}")
    return ", ".join(words)


def _risk(settings: dict[str, str], address: RedisAddress) -> str:
    if not settings:
        return "unknown, the server does not tell its settings"
    policy = settings["maxmemory-policy"]
    if settings["maxmemory"] != "0" and policy.startswith("allkeys"):
        return f"any key, when memory is short (maxmemory-policy is {policy})"
    if address.sync is not None:
        return ""
    if settings["appendonly"] == "no":
        return "everything since the server's last snapshot, when it stops (appendonly is off)"
    return {
        "always": "",
        "everysec": "up to about one second, when the server stops (appendfsync is everysec)",
    }.get(settings["appendfsync"], "what its system has not written yet (appendfsync is no)")


async def _ask(connection: Connection, packed: bytes) -> object:
    await connection.send_packed_command(packed, check_health=False)
    reply: object = await connection.read_response()
    return reply


def _fields(reply: object) -> dict[str, str]:
    lines = _text(reply).splitlines()
    return dict(line.split(":", 1) for line in lines if ":" in line)


def _pairs(reply: object) -> dict[str, str]:
    assert isinstance(reply, list)
    words: Sequence[str] = [_text(word) for word in reply]
    return dict(zip(words[::2], words[1::2], strict=True))


def _text(value: object) -> str:
    assert isinstance(value, bytes)
    return value.decode()


def _int(value: object) -> int:
    assert isinstance(value, bytes | int)
    return int(value)
