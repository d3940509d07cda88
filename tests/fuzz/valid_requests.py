"""What well-behaved clients say, in every version: where all mutations begin."""

from __future__ import annotations

import random
import time
from typing import Any

import fuzzed_module
from fuzzed_module import Detail, Dot, Hue, Path
from message_vectors import C05, CLIENT
from mutations import mutate, mutate_json, mutate_query
from v1_vectors import REQUESTS

from actors.module.module import Module
from actors.module.schema import module_procedures
from actors.module.types import UUID, Identity, ScheduleInterval, TimeDuration
from protocol.bsatn import compile_codec
from protocol.connection import Connection
from protocol.messages import (
    CallProcedure,
    CallReducer,
    OneOffQuery,
    Request,
    Subscribe,
    Unsubscribe,
    Wires,
    encode_client_message,
)
from protocol.messages.lexicon import Lexicon
from protocol.messages.v1_client import V1BsatnClient, V1JsonClient
from protocol.upgrade import Subprotocol

QUERIES = (
    "SELECT * FROM item",
    "SELECT * FROM *",
    'SELECT * FROM "item" WHERE ("item"."qty" >= 10) AND ("item"."qty" < 50)',
    "SELECT * FROM item WHERE name = 'O''Neil' OR NOT (id <> 3)",
    "SELECT item.* FROM item JOIN tag ON item.id = tag.item_id WHERE tag.text = 't1'",
    "SELECT t.* FROM tag t JOIN detail AS d ON t.item_id = d.item_id WHERE d.owner = :sender",
    "SELECT * FROM item WHERE qty > -3 ORDER BY qty DESC, name LIMIT 5",
    "SELECT * FROM detail WHERE weight <= 1.5e3 AND tally <> 7 AND picture = 0xABCD",
    "SELECT * FROM detail WHERE mark = '00112233-4455-6677-8899-aabbccddeeff'",
    "SELECT * FROM my_detail",
    "SELECT * FROM full_item WHERE TRUE = TRUE",
    "SELECT * FROM boom",
    "SELECT * FROM seen WHERE is_here = TRUE",
    "SELECT * FROM mark WHERE lane = 2",
    "SELECT * FROM secret",
)
"""Mostly good ones, of every form that the grammar has."""

_MODULE = Module("fuzzed", [fuzzed_module])
_LEXICON = Lexicon(_MODULE.schema)
_FUNCTIONS = _MODULE.reducers | module_procedures(_MODULE)
_ENCODE = {name: compile_codec(one.parameters).encode for name, one in _FUNCTIONS.items()}
_PROCEDURES = ("add_two", "echo")


def some_detail(chance: random.Random) -> Detail:
    """A row with something in every kind of column."""
    return Detail(
        key=chance.randrange(64),
        item_id=chance.randrange(32),
        hue=chance.choice(list(Hue)),
        outline=chance.choice([Dot(1, -1), Path([Dot(2**31 - 1, -(2**31)), Dot(0, 0)])]),
        note=chance.choice([None, "", "héllo", "x" * 200]),
        grades=[-128, 0, 127],
        picture=chance.randbytes(chance.randrange(40)),
        weight=chance.choice([0.0, -1.5, float("inf")]),
        tally=chance.getrandbits(128),
        debt=-chance.getrandbits(255),
        mark=UUID(int=chance.getrandbits(128)),
        span=TimeDuration(-5),
        due=ScheduleInterval(1_000),
        owner=Identity(chance.getrandbits(256)),
    )


def some_call(chance: random.Random) -> tuple[str, tuple[Any, ...]]:
    """Name and arguments of a reducer or procedure."""
    number, text = chance.randrange(40), "wort " * chance.randrange(9)
    return chance.choice(
        [
            ("noop", ()),
            ("add_item", (text, number - 20)),
            ("add_item", (text, number - 20)),
            ("drop_item", (number,)),
            ("put_detail", (some_detail(chance),)),
            ("put_tag", (number, text)),
            ("drop_tag", (number, text)),
            ("refuse", (text,)),
            ("add_two", (number, 2**63)),
            ("echo", (some_detail(chance),)),
        ]
    )


def call(name: str, args: tuple[Any, ...], number: int) -> Request:
    """A call as a request."""
    kind = CallProcedure if name in _PROCEDURES else CallReducer
    return kind(number, name, _ENCODE[name](args))


def some_request(chance: random.Random, number: int) -> Request:
    """Any request of a session."""
    match chance.randrange(8):
        case 0:
            queries = chance.sample(QUERIES, chance.randrange(1, 4))
            return Subscribe(number, chance.randrange(6), tuple(queries))
        case 1:
            return Unsubscribe(number, chance.randrange(6), chance.random() < 0.5)
        case 2 | 3:
            return OneOffQuery(number, chance.choice(QUERIES))
        case _:
            return call(*some_call(chance), number)


class Speech:
    """One version of the wire: how requests are spelt in it, and what the server must make of it.

    Attributes:
        golden: the vectors of the wire's specification.
    """

    def __init__(self, subprotocol: Subprotocol) -> None:
        self.subprotocol = subprotocol
        self.is_text = subprotocol is Subprotocol.V1_JSON
        self.joins = subprotocol is Subprotocol.V3_BSATN
        self.is_v2 = subprotocol in (Subprotocol.V3_BSATN, Subprotocol.V2_BSATN)
        self._wires = Wires(_MODULE.schema, time.perf_counter)
        if self.is_v2:
            self.spell = encode_client_message
            self.golden = [bytes.fromhex(text) for _, text in CLIENT.values()]
            if self.joins:
                self.golden.append(bytes.fromhex(C05[1]))
            return
        client = V1JsonClient({}, _LEXICON) if self.is_text else V1BsatnClient({})
        self.spell = client.encode_client_message
        self.golden = [
            as_json.encode() if self.is_text else bytes.fromhex(as_bsatn)
            for _, as_bsatn, as_json in REQUESTS.values()
        ]

    def judge(self) -> Connection:
        """What a fresh connection of this version decodes, without a socket."""
        return Connection(self.subprotocol, self._wires.open(self.subprotocol))

    def wrong(self, chance: random.Random, number: int) -> bytes:
        """A message of the right form that says something wrong."""
        request = some_request(chance, chance.choice((number, number, 0, 2**32 - 1)))
        if self.is_text and chance.random() < 0.7:
            return mutate_json(chance, self.spell(request))
        if isinstance(request, OneOffQuery):
            request = request._replace(query=mutate_query(chance, request.query))
        elif isinstance(request, Subscribe):
            queries = tuple(mutate_query(chance, query) for query in request.queries)
            request = request._replace(queries=queries * chance.choice((1, 1, 1, 40)))
        elif isinstance(request, CallReducer | CallProcedure) and not self.is_text:
            args = mutate(chance, request.args, [request.args])
            if isinstance(request, CallReducer):
                request = CallReducer(request.request_id, request.reducer, args)
            else:
                request = request._replace(args=args)
        return self.spell(request)

    def session(self, chance: random.Random, length: int) -> list[bytes]:
        """Messages of one well-behaved user."""
        if chance.random() < 0.1:
            return chance.choices(self.golden, k=length)
        return [self.spell(some_request(chance, number)) for number in range(1, length + 1)]


SPEECHES = tuple(map(Speech, Subprotocol))
