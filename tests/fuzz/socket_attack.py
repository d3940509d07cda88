"""Attacks on one websocket each: mutated requests, broken frames, and how the server takes them.

A judge without a socket, the server's own decoder, says of each frame whether it is a request. So
the test knows which requests have to be answered, and with which words the connection has to end.
"""

from __future__ import annotations

import json
import random
import struct
from collections import Counter, deque

from mutations import mutate
from raw_socket import (
    BINARY,
    CLOSE,
    COMPRESSED,
    FINAL,
    PING,
    TEXT,
    Ended,
    Fault,
    RawSocket,
    deflated,
    frame,
    message,
)
from valid_requests import SPEECHES, Speech

from protocol.bsatn import compile_codec
from protocol.errors import DecodeError, FrameError
from protocol.messages import (
    CallReducer,
    OneOffQuery,
    TransactionUpdate,
    decode_server_message,
)
from protocol.messages.v1_types import SERVER_BSATN

MESSAGE_BYTES_MAX = 1_048_576
FRAMES_MAX = 64
HELD_MAX = 24
SENTINEL = 0x5EA1_7E57
"""Request id of the last request: when it is answered, all others have been."""

_SENTINEL_BYTES = struct.pack("<I", SENTINEL)
_server_v1 = compile_codec(SERVER_BSATN)

CLOSE_CODES = {1000, 1002, 1007, 1009, 1011, 1013}
"""All that a client can bring about (docs/protocols.md)."""


def attack(port: int, chance: random.Random, tokens: list[str], held: deque[RawSocket]) -> int:
    """One connection from its beginning to its end.

    Args:
        port: of the server.
        chance: decides everything.
        tokens: of users who come back; some come without any.
        held: connections that nobody finishes; this one may join them.

    Returns:
        The number of frames and endings that the server had to deal with.

    Raises:
        Fault: the server did something wrong.
    """
    speech = chance.choice(SPEECHES)
    deflate = chance.random() < 0.2
    raw = RawSocket(port)
    try:
        raw.upgrade(_path(chance, tokens), *_headers(speech, deflate))
        return _Attack(speech, chance, raw, deflate=deflate).run(held)
    finally:
        if raw not in held:
            raw.close()


def _path(chance: random.Random, tokens: list[str]) -> str:
    options = []
    if chance.random() < 0.9:
        options.append(f"token={chance.choice(tokens)}")
    for name, values in (
        ("compression", ("None", "Gzip", "Brotli")),
        ("confirmed", ("true", "false")),
        ("light", ("true", "false")),
    ):
        if chance.random() < 0.3:
            options.append(f"{name}={chance.choice(values)}")
    return f"/v1/database/e2e/subscribe?{'&'.join(options)}"


def _headers(speech: Speech, deflate: bool) -> tuple[str, ...]:
    protocol = f"Sec-WebSocket-Protocol: {speech.subprotocol.value}"
    if not deflate:
        return (protocol,)
    return protocol, "Sec-WebSocket-Extensions: permessage-deflate"


class _Attack:
    """What one connection sends, and what it has to hear."""

    def __init__(
        self, speech: Speech, chance: random.Random, raw: RawSocket, *, deflate: bool
    ) -> None:
        self.speech = speech
        self.chance = chance
        self.raw = raw
        self.deflate = deflate
        self.opcode = TEXT if speech.is_text else BINARY
        self.owed: Counter[int] = Counter()
        self.unreadable: tuple[bytes, int, str | None] | None = None

    def run(self, held: deque[RawSocket]) -> int:
        """Send frames, then end in one of many ways."""
        chance = self.chance
        frames = self._frames()
        self.raw.send(b"".join(frames))
        way = chance.random()
        if self.unreadable is not None and way < 0.45:
            self._end_unreadably()
        elif way < 0.6:
            self._end_broken(*self._broken())
        elif way < 0.65:
            self._vanish()
        elif way < 0.67:
            self._stay(held)
        else:
            self._end_well()
        return len(frames) + 1

    def _frames(self) -> list[bytes]:
        """Mutated requests that are requests still; one that is none is kept for the end."""
        chance, speech = self.chance, self.speech
        judge = speech.judge()
        frames = []
        session = speech.session(chance, chance.randrange(1, FRAMES_MAX))
        for number, said in enumerate(session):
            way = chance.random()
            if way < 0.5:
                data = speech.wrong(chance, number)
            elif way < 0.85:
                data = mutate(chance, said, session)
            else:
                data = said
            if len(data) > MESSAGE_BYTES_MAX:
                self.unreadable = (data, 1009, None)
                continue
            try:
                requests = judge.receive_frame(data.decode() if speech.is_text else data)
            except FrameError as error:
                self.unreadable = (data, error.close_code, error.reason)
                judge = speech.judge()
                continue
            except UnicodeDecodeError:
                self.unreadable = (data, 1007, None)
                continue
            if speech.is_v2:
                self.owed.update(request.request_id for request in requests)
            frames.append(message(chance, self.opcode, data, deflate=self.deflate))
        return frames

    # Endings

    def _end_unreadably(self) -> None:
        assert self.unreadable is not None
        data, code, reason = self.unreadable
        self.raw.send(message(self.chance, self.opcode, data, deflate=self.deflate))
        ended = self._last_words()
        if ended.code != code or reason not in (None, ended.reason):
            raise Fault(f"{data[:99]!r} ended in {ended}, not {code} {reason}")

    def _end_broken(self, data: bytes, codes: set[int]) -> None:
        self.raw.send(data)
        self.raw.finish_writing()
        ended = self._last_words()
        if ended.code is None and codes >= CLOSE_CODES:
            return  # it may not have been whole
        if ended.code not in codes:
            raise Fault(f"{data[:99].hex()} ended in {ended}, not in {codes}")

    def _vanish(self) -> None:
        half = message(self.chance, self.opcode, b"half of it" * 9, deflate=False)[:40]
        self.raw.send(half)
        if self.chance.random() < 0.5:
            self.raw.reset()
        else:
            self.raw.finish_writing()
            self._last_words()

    def _stay(self, held: deque[RawSocket]) -> None:
        self.raw.send(frame(self.chance, self.opcode, b"more of it to come" * 9)[:30])
        held.append(self.raw)
        if len(held) > HELD_MAX:
            held.popleft().close()

    def _end_well(self) -> None:
        """Ask one last thing, wait for all answers, and close as clients do."""
        chance, speech = self.chance, self.speech
        request = (
            CallReducer(SENTINEL, "no_such_thing", b"")
            if speech.is_v2
            else OneOffQuery(SENTINEL, "no such thing")
        )
        self.owed[SENTINEL] += 1
        self.raw.send(message(chance, self.opcode, speech.spell(request), deflate=False))
        answered: Counter[int] = Counter()
        payloads = self.raw.payloads()
        while answered[SENTINEL] == 0 or (speech.is_v2 and answered != self.owed):
            payload = next(payloads)
            if isinstance(payload, Ended):
                raise Fault(f"{payload} while {self.owed - answered} had no answer")
            answered.update(self._answers(payload))
            if speech.is_v2 and answered - self.owed:
                raise Fault(f"answers that nobody asked for: {answered - self.owed}")
        self.raw.send(frame(chance, CLOSE, struct.pack(">H", 1000) + b"bye"))
        for payload in payloads:
            if isinstance(payload, Ended) and payload != Ended(1000, "bye"):
                raise Fault(f"our goodbye was answered by {payload}")

    def _last_words(self) -> Ended:
        for payload in self.raw.payloads():
            if isinstance(payload, Ended):
                if payload.code not in CLOSE_CODES | {None}:
                    raise Fault(f"an unknown close code: {payload}")
                return payload
            self._answers(payload)
        raise AssertionError("payloads end with the end")

    def _answers(self, payload: bytes) -> list[int]:
        """Check that messages are messages; the requests that they answer, as far as is known."""
        try:
            if self.speech.is_text:
                ((_, fields),) = json.loads(payload).items()
                said = fields.get("message_id")
                return [SENTINEL] if said == _SENTINEL_BYTES.hex() else []
            if payload[0] != 0:
                raise Fault(f"a frame with the tag {payload[0]}")
            return self._answers_v2(payload) if self.speech.is_v2 else self._answers_v1(payload)
        except (DecodeError, ValueError, IndexError) as error:
            raise Fault(f"{error} in {payload[:99]!r}") from error

    def _answers_v2(self, payload: bytes) -> list[int]:
        answers = []
        end = 1
        while end < len(payload):
            said, end = decode_server_message(payload, end)
            if not isinstance(said, TransactionUpdate):
                answers.append(getattr(said, "request_id", None))
        return [number for number in answers if number is not None]

    @staticmethod
    def _answers_v1(payload: bytes) -> list[int]:
        said, end = _server_v1.decode(payload, 1)
        if end != len(payload):
            raise Fault("bytes after a message")
        return [SENTINEL] if said.tag == 4 and said.value[0] == _SENTINEL_BYTES else []

    def _broken(self) -> tuple[bytes, set[int]]:
        """Bytes that break a rule of RFC 6455 or 7692, and the close codes that fit."""
        chance = self.chance
        word = chance.randbytes(chance.randrange(1, 40))
        ways: list[tuple[bytes, set[int]]] = [
            (frame(chance, BINARY, word, masked=False), {1002}),
            (frame(chance, BINARY, word, head=FINAL | 0x20), {1002}),
            (frame(chance, chance.choice((3, 4, 7, 11, 15)), word), {1002}),
            (frame(chance, PING, b"x" * chance.randrange(126, 70_000)), {1002}),
            (frame(chance, PING, word, head=0), {1002}),
            (frame(chance, 0, word), {1002}),
            (frame(chance, TEXT, word, head=0) + frame(chance, TEXT, word), {1002}),
            (struct.pack(">BBQ", 0x82, 0xFF, chance.choice((2**21, 2**32, 2**63))), {1009}),
            (frame(chance, CLOSE, b"x"), {1002}),
            (frame(chance, CLOSE, struct.pack(">H", chance.choice((0, 999, 1005, 1006)))), {1002}),
            (frame(chance, CLOSE, struct.pack(">H", 1000) + b"\xff"), {1007}),
            (frame(chance, TEXT, b"\xff" + word), {1007}),
            (
                frame(chance, BINARY, bytes(700_000), head=0) + frame(chance, 0, bytes(400_000)),
                {1009},
            ),
            (mutate(chance, frame(chance, BINARY, word), [word]), CLOSE_CODES),
            (chance.randbytes(chance.randrange(1, 200)), CLOSE_CODES),
        ]
        if self.deflate:
            bomb = deflated(bytes(MESSAGE_BYTES_MAX * chance.choice((2, 8))))
            garbage = b"\xff" + word
            zipped = FINAL | COMPRESSED
            ways += [
                (frame(chance, BINARY, bomb, head=zipped), {1009}),
                (frame(chance, BINARY, bomb, head=COMPRESSED) + frame(chance, 0, b""), {1009}),
                (frame(chance, BINARY, garbage, head=zipped), {1007}),
                (frame(chance, BINARY, word, head=0) + frame(chance, 0, word, head=zipped), {1002}),
                (frame(chance, BINARY, mutate(chance, bomb, [word]), head=zipped), CLOSE_CODES),
            ]
        else:
            ways.append((frame(chance, BINARY, word, head=FINAL | COMPRESSED), {1002}))
        return chance.choice(ways)
