"""What tests of metrics and traces ask a running server, and how they read its answers."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Mapping

from prometheus_client.parser import text_string_to_metric_families

from loadtest.bot import Bot
from loadtest.connection import Address
from server.app import Ready


def address(ready: Ready) -> Address:
    return Address(ready.host, ready.port, ready.database)


def text_argument(text: str) -> bytes:
    data = text.encode()
    return struct.pack("<I", len(data)) + data


async def exchange(ready: Ready, *, calls: int) -> None:
    """Write notes on the board, one after the other."""
    bot = await Bot.connect(address(ready))
    for number in range(calls):
        await bot.call("write_note", text_argument(f"note {number}"))
    await bot.close()


async def get(ready: Ready, path: str, headers: Mapping[str, str] | None = None) -> str:
    """The body of an answer; the connection is closed after it."""
    reader, writer = await asyncio.open_connection(ready.host, ready.port)
    lines = [f"GET {path} HTTP/1.1", "host: test", "connection: close"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    writer.write("\r\n".join([*lines, "", ""]).encode())
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    return answer.partition(b"\r\n\r\n")[2].decode()


async def scrape(ready: Ready) -> str:
    return await get(ready, "/metrics")


def value_of(text: str, name: str, labels: Mapping[str, str] | None = None) -> float | None:
    """A sample's value; None when there is no such sample."""
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            if sample.name == name and sample.labels == (labels or {}):
                return sample.value
    return None
