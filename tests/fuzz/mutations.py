"""Mutations: something wrong about bytes that were right; each knows what this wire's bytes are."""

from __future__ import annotations

import json
import random
import struct
from collections.abc import Callable, Sequence
from typing import Any

Mutation = Callable[[random.Random, bytes, Sequence[bytes]], bytes]

SIZES = (0, 1, 2, 0x7F, 0x80, 0xFF, 0xFFFF, 0x10000, 2**31 - 1, 2**31, 2**32 - 1)
NUMBERS = (*SIZES, 2**63 - 1, 2**63, 2**64 - 1)
WORDS = (
    *(b"SELECT", b"*", b"FROM", b"WHERE", b"AND", b"OR", b"NOT", b"JOIN", b"ON", b"LIMIT"),
    *(b"ORDER BY", b"item", b"secret", b"tag", b"item.id", b"tag.item_id", b"qty", b"name"),
    *(b"=", b"<>", b"<=", b">", b"'", b"''", b'"', b"(", b")", b",", b".", b";", b"--", b"/*"),
    *(b":sender", b"0x", b"X'AB'", b"1e400", b"-1", b"99999999999999999999999", b"TRUE", b"NULL"),
    *(b"COUNT(*) AS n", b"AS", b"CROSS", b"DELETE FROM item", b"INSERT INTO", b"SET", b"SHOW"),
)
JSON = (
    *(b"null", b"[]", b"{}", b"-0", b"1e999", b"NaN", b'"', b'""', b"\\", b"\\u0000", b"\\ud800"),
    *(b'{"some":[]}', b'{"none":[]}', b"[0,[]]", b"[255,null]", b"1" * 400, b"0.1", b"true"),
    *(b'"request_id":-1', b'"query_id":{"id":4294967296}', b'"flags":2', b'"args":"[["', b","),
)
ODD: tuple[Any, ...] = (
    *(
        None,
        True,
        -1,
        0,
        1.5,
        2**32,
        2**64,
        2**256,
        "",
        "x" * 2_000,
        "0x2a",
        "\0",
        "\ud800",
        [],
        {},
    ),
    *([[]], [0, []], [255, None], {"some": []}, {"none": []}, {"Red": [], "Green": []}, [1] * 300),
)
"""Values that hardly any type of a message has."""

TEXTS = (
    b"\x00",
    b"\xff\xfe",
    b"\xed\xa0\x80",
    "\U0001d518\u202e".encode(),
    b"%s%n",
    b"../../etc/passwd",
)


def _place(chance: random.Random, data: bytes) -> int:
    return chance.randrange(len(data) + 1)


def flip(chance: random.Random, data: bytes, _others: Sequence[bytes]) -> bytes:
    """Turn one to four bits around."""
    mutable = bytearray(data)
    for _ in range(chance.randrange(1, 5)):
        mutable[chance.randrange(len(mutable))] ^= 1 << chance.randrange(8)
    return bytes(mutable)


def cut(chance: random.Random, data: bytes, _others: Sequence[bytes]) -> bytes:
    """Keep the beginning, or all but a piece."""
    start = _place(chance, data)
    if chance.random() < 0.5:
        return data[:start]
    return data[:start] + data[start + chance.randrange(9) :]


def put_in(chance: random.Random, data: bytes, _others: Sequence[bytes]) -> bytes:
    """Insert noise, a word of SQL or JSON, or a text that is none."""
    place = _place(chance, data)
    word = chance.choice((chance.randbytes(chance.randrange(9)), *WORDS, *JSON, *TEXTS))
    return data[:place] + word + data[place:]


def trade_words(chance: random.Random, data: bytes, _others: Sequence[bytes]) -> bytes:
    """Put other words for some of the query's, within the same length where that is a message."""
    words = data.split(b" ")
    place = chance.randrange(len(words))
    size = len(words[place])
    words[place] = chance.choice(WORDS)[:size].ljust(size)
    return b" ".join(words)


def lie(chance: random.Random, data: bytes, _others: Sequence[bytes]) -> bytes:
    """Change what may be a length or a count: four bytes whose number fits into what follows."""
    places = [
        place
        for place in range(len(data) - 3)
        if 0 < int.from_bytes(data[place : place + 4], "little") <= len(data) - place
    ]
    if not places:
        return flip(chance, data, ())
    place = chance.choice(places)
    size = int.from_bytes(data[place : place + 4], "little")
    told = chance.choice((size + 1, size - 1, size * 2, *SIZES)) % 2**32
    return data[:place] + told.to_bytes(4, "little") + data[place + 4 :]


def number(chance: random.Random, data: bytes, _others: Sequence[bytes]) -> bytes:
    """Put a number from the edge of some type somewhere."""
    place = _place(chance, data)
    width = chance.choice((1, 2, 4, 8))
    value = chance.choice(NUMBERS) % 2 ** (8 * width)
    return data[:place] + value.to_bytes(width, "little") + data[place + width :]


def huge_count(chance: random.Random, data: bytes, _others: Sequence[bytes]) -> bytes:
    """Promise far more than comes, at the place where counts are in most messages."""
    place = chance.choice((1, 5, 9, 13))
    return data[:place] + struct.pack("<I", chance.choice((10**6, 2**31, 2**32 - 1))) + data[place:]


def retag(chance: random.Random, data: bytes, _others: Sequence[bytes]) -> bytes:
    """Say that it is another message."""
    return bytes((chance.choice((*range(12), 127, 255)),)) + data[1:]


def splice(chance: random.Random, data: bytes, others: Sequence[bytes]) -> bytes:
    """Begin as one message and end as another."""
    other = chance.choice(others)
    return data[: _place(chance, data)] + other[_place(chance, other) :]


def repeat(chance: random.Random, data: bytes, _others: Sequence[bytes]) -> bytes:
    """Say it, or a piece of it, again and again."""
    if chance.random() < 0.5:
        return data * chance.randrange(2, 9)
    place = _place(chance, data)
    return data[:place] + data[place : place + chance.randrange(1, 9)] * chance.randrange(99)


def nest(chance: random.Random, data: bytes, _others: Sequence[bytes]) -> bytes:
    """Open many brackets."""
    place = _place(chance, data)
    bracket = chance.choice((b"(", b"[", b'{"a":', b"NOT "))
    return data[:place] + bracket * chance.choice((3, 50, 3_000)) + data[place:]


MUTATIONS: tuple[Mutation, ...] = (
    *(flip, cut, put_in, trade_words, lie, number, huge_count, retag, splice, repeat),
    *(flip, lie, trade_words, number),
)


def mutate(chance: random.Random, data: bytes, others: Sequence[bytes]) -> bytes:
    """One to three wrong things."""
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        one = nest if chance.random() < 0.01 else chance.choice(MUTATIONS)
        data = one(chance, data or b"\0", others)
    return data


def mutate_query(chance: random.Random, query: str) -> str:
    """A query with other words in it; a text in any case."""
    words = query.split(" ")
    for _ in range(chance.randrange(1, 4)):
        place = chance.randrange(len(words) + 1)
        word = chance.choice(WORDS).decode()
        match chance.randrange(4):
            case 0:
                words.insert(place, word)
            case 1:
                words[place : place + 1] = [word]
            case 2:
                words[place : place + 1] = []
            case _:
                words.insert(place, chance.choice(words))
    text = " ".join(words)
    if chance.random() < 0.03:
        text = "SELECT * FROM item WHERE " + chance.choice("( -") * chance.choice((99, 49_000))
    return text


def mutate_json(chance: random.Random, data: bytes) -> bytes:
    """The same JSON with one odd value in it, or with a member too many or too few."""
    whole = [json.loads(data)]
    places = _places(whole)
    inside, key = chance.choice(places)
    value = inside[key]
    if isinstance(value, str) and value.startswith("[") and chance.random() < 0.8:
        inside[key] = mutate_json(chance, value.encode()).decode()
    elif isinstance(inside, dict) and chance.random() < 0.2:
        inside.pop(key)
    elif isinstance(inside, dict) and chance.random() < 0.2:
        inside["more"] = value
    else:
        inside[key] = chance.choice(ODD)
    return json.dumps(whole[0]).encode()


def _places(inside: Any) -> list[tuple[Any, Any]]:
    """Every value of a JSON document, as what it is in and under which key."""
    items = inside.items() if isinstance(inside, dict) else enumerate(inside)
    places = []
    for key, value in items:
        places.append((inside, key))
        if isinstance(value, dict | list):
            places += _places(value)
    return places
