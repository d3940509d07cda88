"""A websocket client with no manners of its own: every byte is its user's."""

from __future__ import annotations

import random
import socket
import struct
import zlib
from collections.abc import Iterator
from typing import NamedTuple

ANSWER_SECONDS_MAX = 20.0
"""An answer that takes longer is none."""

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
FINAL, COMPRESSED = 0x80, 0x40
_TAIL = b"\x00\x00\xff\xff"


class Fault(Exception):
    """The server did what it must not do."""


class Ended(NamedTuple):
    """How a connection ended: the server's close frame, or nothing but the end of its bytes."""

    code: int | None
    reason: str


def frame(
    chance: random.Random, opcode: int, payload: bytes, *, head: int = FINAL, masked: bool = True
) -> bytes:
    """A client's frame; ``head`` has the bits beside the opcode."""
    size = len(payload)
    mask_bit = 0x80 if masked else 0
    if size < 126:
        begin = bytes((head | opcode, mask_bit | size))
    elif size < 65_536:
        begin = struct.pack(">BBH", head | opcode, mask_bit | 126, size)
    else:
        begin = struct.pack(">BBQ", head | opcode, mask_bit | 127, size)
    if not masked:
        return begin + payload
    mask = chance.randbytes(4)
    repeated = (mask * (size // 4 + 1))[:size]
    hidden = int.from_bytes(payload, "big") ^ int.from_bytes(repeated, "big")
    return begin + mask + hidden.to_bytes(size, "big")


def deflated(payload: bytes) -> bytes:
    """A message's payload as permessage-deflate has it."""
    deflater = zlib.compressobj(9, zlib.DEFLATED, -15)
    return (deflater.compress(payload) + deflater.flush(zlib.Z_SYNC_FLUSH))[: -len(_TAIL)]


def message(chance: random.Random, opcode: int, payload: bytes, *, deflate: bool) -> bytes:
    """A message in a form that any client may choose: whole, in pieces, compressed, pinged into."""
    first = FINAL
    if deflate and chance.random() < 0.3:
        payload, first = deflated(payload), FINAL | COMPRESSED
    if chance.random() < 0.9:
        return frame(chance, opcode, payload, head=first)
    pieces = []
    count = chance.randrange(2, 6)
    step = len(payload) // count + 1
    for index in range(count):
        head = (first & COMPRESSED if index == 0 else 0) | (FINAL if index == count - 1 else 0)
        piece = payload[index * step : (index + 1) * step]
        pieces.append(frame(chance, opcode if index == 0 else 0, piece, head=head))
        if chance.random() < 0.3:
            pieces.append(frame(chance, chance.choice((PING, PONG)), b"between"))
    return b"".join(pieces)


class RawSocket:
    """One connection; what comes is taken apart and held to the rules for servers."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), ANSWER_SECONDS_MAX)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._rest = b""

    def upgrade(self, path: str, *headers: str) -> None:
        """Become a websocket; Fault if the server does not want to."""
        lines = (
            f"GET {path} HTTP/1.1",
            "Host: 127.0.0.1",
            "Upgrade: websocket",
            "Connection: Upgrade",
            "Sec-WebSocket-Version: 13",
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
            *headers,
        )
        self.send("\r\n".join((*lines, "", "")).encode())
        while b"\r\n\r\n" not in self._rest:
            if not self._read_more():
                raise Fault(f"the upgrade was not answered: {self._rest!r}")
        head, _, self._rest = self._rest.partition(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 101 "):
            raise Fault(f"the upgrade was refused: {head!r}")

    def send(self, data: bytes) -> None:
        """Send bytes; who has closed already may have them or not."""
        try:
            self.socket.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            return
        except TimeoutError:
            raise Fault("nothing is read any more") from None

    def payloads(self) -> Iterator[bytes | Ended]:
        """Messages until the end, which is the last thing."""
        while True:
            first, payload = self._frame()
            if first is None:
                yield Ended(None, "")
                return
            opcode = first & 0x0F
            if opcode == CLOSE:
                code = int.from_bytes(payload[:2], "big") if payload else None
                yield Ended(code, payload[2:].decode())
                return
            if opcode in (PING, PONG):
                continue
            if opcode not in (TEXT, BINARY) or not first & FINAL:
                raise Fault(f"a frame that begins with {first:#x}")
            if first & COMPRESSED:
                payload = zlib.decompressobj(-15).decompress(payload + _TAIL)
            yield payload

    def ending(self) -> Ended:
        """How it ends, whatever comes before."""
        for payload in self.payloads():
            if isinstance(payload, Ended):
                return payload
        raise AssertionError("payloads end with the end")

    def finish_writing(self) -> None:
        """Write no more."""
        try:
            self.socket.shutdown(socket.SHUT_WR)
        except OSError:
            return

    def reset(self) -> None:
        """Vanish, without the courtesy of TCP."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def close(self) -> None:
        """Let go."""
        self.socket.close()

    def _frame(self) -> tuple[int | None, bytes]:
        if not self._have(2):
            return None, b""
        first, size = self._rest[0], self._rest[1]
        if size & 0x80:
            raise Fault("the server masks its frames")
        start = 2 + {126: 2, 127: 8}.get(size, 0)
        if start > 2:
            if not self._have(start):
                return None, b""
            size = int.from_bytes(self._rest[2:start], "big")
        if not self._have(start + size):
            return None, b""
        payload = self._rest[start : start + size]
        self._rest = self._rest[start + size :]
        return first, payload

    def _have(self, size: int) -> bool:
        while len(self._rest) < size:
            if not self._read_more():
                return False
        return True

    def _read_more(self) -> bool:
        try:
            data = self.socket.recv(262_144)
        except ConnectionResetError:
            return False
        except TimeoutError:
            raise Fault("no answer") from None
        self._rest += data
        return bool(data)
