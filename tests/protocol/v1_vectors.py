"""The vector tables U01 to U07 and V01 to V09 of the wire spec, section 7, and the JSON of 7.4.

Requests and answers are given by name, so that both spellings can be held to them.
"""

from __future__ import annotations

import struct
from collections.abc import Callable

from message_vectors import AXE, AXE_4, CONNECTION, CROSSBOW, EVERYTHING, IDENTITY, MOMENT

from protocol.messages import (
    CallProcedure,
    CallReducer,
    ClientMessage,
    InitialConnection,
    OneOffQuery,
    OneOffQueryResult,
    ProcedureResult,
    QuerySetUpdate,
    ReducerErr,
    ReducerOk,
    ReducerResult,
    ServerMessage,
    Subscribe,
    SubscribeApplied,
    SubscribeLegacy,
    SubscriptionError,
    TableRows,
    TableUpdate,
    TableUpdateRows,
    TransactionUpdate,
    Unsubscribe,
    UnsubscribeApplied,
    Wires,
)
from protocol.messages.v1 import V1Wire
from protocol.schema import FunctionSchema, ModuleSchema, TableSchema
from protocol.types import I32, STRING, U64, ArrayType, Field, OptionType, ProductType, SumType
from protocol.upgrade import Subprotocol

ITEM = ProductType((Field("id", U64), Field("name", STRING), Field("qty", I32)), "Item")
SHAPE = SumType((Field("Dot", ProductType(())), Field("Tags", ArrayType(STRING))), "Shape")
NOTE = ProductType((Field("key", U64), Field("text", OptionType(STRING)), Field("shape", SHAPE)))

SCHEMA = ModuleSchema(
    tables=(
        TableSchema("note", NOTE, primary_key=0),
        TableSchema("item", ITEM, primary_key=0),
    ),
    reducers=(
        FunctionSchema("init"),
        FunctionSchema("noop"),
        FunctionSchema("add_item", ProductType((Field("name", STRING), Field("qty", I32)))),
    ),
    procedures=(
        FunctionSchema("add_two", ProductType((Field("a", U64), Field("b", U64))), U64),
        FunctionSchema("forget"),
    ),
)
"""``item`` is the second table, 4098, and ``add_item`` the third reducer, as in the vectors."""

ADD_AXE = bytes.fromhex("0300000061786503000000")
ADD_TWO = struct.pack("<QQ", 40, 2)

REQUESTS: dict[str, tuple[ClientMessage, str, str]] = {
    "U01": (
        Subscribe(0, 0, (EVERYTHING,)),
        "04010000001200000053454c454354202a2046524f4d206974656d0000000000000000",
        (
            '{"SubscribeMulti":{"query_strings":["SELECT * FROM item"],"request_id":0,'
            '"query_id":{"id":0}}}'
        ),
    ),
    "U02": (
        CallReducer(0, "add_item", ADD_AXE),
        "00080000006164645f6974656d0b00000003000000617865030000000000000000",
        ('{"CallReducer":{"reducer":"add_item","args":"[\\"axe\\",3]","request_id":0,"flags":0}}'),
    ),
    "U03": (
        CallReducer(0, "noop", b""),
        "00040000006e6f6f70000000000000000001",
        '{"CallReducer":{"reducer":"noop","args":"[]","request_id":0,"flags":1}}',
    ),
    "U04": (
        Unsubscribe(0, 0, send_dropped_rows=True),
        "060000000000000000",
        '{"UnsubscribeMulti":{"request_id":0,"query_id":{"id":0}}}',
    ),
    "U05": (
        CallProcedure(0, "add_two", ADD_TWO),
        "07070000006164645f74776f10000000280000000000000002000000000000000000000000",
        '{"CallProcedure":{"procedure":"add_two","args":"[40,2]","request_id":0,"flags":0}}',
    ),
    "U06": (
        SubscribeLegacy(7, (EVERYTHING,)),
        "01010000001200000053454c454354202a2046524f4d206974656d07000000",
        '{"Subscribe":{"query_strings":["SELECT * FROM item"],"request_id":7}}',
    ),
    "U07": (
        OneOffQuery(0, EVERYTHING),
        "020200000001021200000053454c454354202a2046524f4d206974656d",
        '{"OneOffQuery":{"message_id":"0102","query_string":"SELECT * FROM item"}}',
    ),
    "single": (
        Subscribe(5, 6, (EVERYTHING,)),
        "031200000053454c454354202a2046524f4d206974656d0500000006000000",
        '{"SubscribeSingle":{"query":"SELECT * FROM item","request_id":5,"query_id":{"id":6}}}',
    ),
    "end of single": (
        Unsubscribe(5, 6, send_dropped_rows=True),
        "050500000006000000",
        '{"Unsubscribe":{"request_id":5,"query_id":{"id":6}}}',
    ),
}


class Watch:
    """Seconds that a test moves on."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Talk:
    """One connection's wire in one spelling: requests by name, and what is answered.

    Answers take ``micros`` each.
    """

    def __init__(self, subprotocol: Subprotocol) -> None:
        self.subprotocol = subprotocol
        self._watch = Watch()
        wire = Wires(SCHEMA, self._watch).open(subprotocol)
        assert isinstance(wire, V1Wire)
        self.wire = wire
        self.greeting = wire.initial_connection(IDENTITY, CONNECTION, "tok")

    def ask(self, name: str, micros: int = 0) -> int:
        """Decode a request; its id, so many micros later."""
        _, as_bsatn, as_json = REQUESTS[name]
        is_text = self.subprotocol is Subprotocol.V1_JSON
        data = as_json.encode() if is_text else bytes.fromhex(as_bsatn)
        message, end = self.wire.decode_client_message(data)
        assert end == len(data)
        self._watch.now += micros / 1_000_000
        return message.request_id

    def body(self, inserts: list[bytes], deletes: list[bytes]) -> bytes:
        """The transaction body of a change of ``item``."""
        dialect = self.wire.dialect
        rows = dialect.table_rows("item", inserts, deletes)
        update = dialect.query_set_update(0, [dialect.table_update("item", [rows])])
        return dialect.transaction_body([update])

    def listed(self, *rows: bytes) -> list[tuple[str, bytes]]:
        """First rows of ``item``."""
        return [("item", self.wire.dialect.row_list("item", rows))]


def _v03(talk: Talk) -> bytes | None:
    request_id = talk.ask("U02", 5)
    return talk.wire.reducer_ok(request_id, MOMENT, talk.body([AXE_4], [AXE]))


def _changed(inserts: list[bytes], deletes: list[bytes]) -> TransactionUpdate:
    rows = TableUpdateRows(inserts, deletes, is_event=False)
    return TransactionUpdate([QuerySetUpdate(0, [TableUpdate("item", [rows])])])


def _table(deletes: str, inserts: str) -> str:
    count = bool(deletes) + bool(inserts)
    return (
        f'{{"table_id":4098,"table_name":"item","num_rows":{count},'
        f'"updates":[{{"deletes":[{deletes}],"inserts":[{inserts}]}}]}}'
    )


def _database(deletes: str, inserts: str) -> str:
    return f'{{"tables":[{_table(deletes, inserts)}]}}'


def _multi(kind: str, database: str) -> str:
    return (
        f'{{"{kind}":{{"request_id":0,"total_host_execution_duration_micros":1,'
        f'"query_id":{{"id":0}},"update":{database}}}}}'
    )


def _single(kind: str, micros: int, table: str) -> str:
    return (
        f'{{"{kind}":{{"request_id":5,"total_host_execution_duration_micros":{micros},'
        f'"query_id":{{"id":6}},'
        f'"rows":{{"table_id":4098,"table_name":"item","table_rows":{table}}}}}}}'
    )


_AXE_OBJECT = r'"{\"id\":1,\"name\":\"axe\",\"qty\":3}"'
_CALL = (
    '"timestamp":{"__timestamp_micros_since_unix_epoch__":1739788245123456},'
    '"caller_identity":{"__identity__":'
    '"0xc200b3ce65d91b79ecfb7d881cd65bf8da2f647d590af1474ad19faa7aa87e38"},'
    '"caller_connection_id":{"__connection_id__":88962710306127702866241727433142015},'
    r'"reducer_call":{"reducer_name":"add_item","reducer_id":2,"args":"[\"axe\",3]","request_id":0},'
    '"energy_quanta_used":{"quanta":0},'
    '"total_host_execution_duration":{"__time_duration_micros__":5}}}'
)

ANSWERS: dict[str, tuple[Callable[[Talk], bytes | None], ServerMessage, str, str]] = {
    "V01": (
        lambda talk: talk.greeting,
        InitialConnection(IDENTITY, CONNECTION, "tok"),
        (
            "03387ea87aaa9fd14a47f10a597d642fdaf85bd61c887dfbec791bd965ceb300c203000000746f6b"
            "ffeeddccbbaa99887766554433221100"
        ),
        (
            '{"IdentityToken":{"identity":{"__identity__":'
            '"0xc200b3ce65d91b79ecfb7d881cd65bf8da2f647d590af1474ad19faa7aa87e38"},"token":"tok",'
            '"connection_id":{"__connection_id__":88962710306127702866241727433142015}}}'
        ),
    ),
    "V02": (
        lambda talk: talk.wire.subscribe_applied(talk.ask("U01", 1), 0, talk.listed(AXE)),
        SubscribeApplied(0, 0, [TableRows("item", [AXE])]),
        (
            "08000000000100000000000000000000000100000002100000040000006974656d010000000000000001000000"
            "000100000000000000000013001300000001000000000000000300000061786503000000"
        ),
        _multi("SubscribeMultiApplied", _database("", _AXE_OBJECT)),
    ),
    "V03": (
        _v03,
        ReducerResult(0, MOMENT, ReducerOk(b"", _changed([AXE_4], [AXE]))),
        (
            "01000100000002100000040000006974656d0200000000000000010000000000130013000000010000000000"
            "00000300000061786503000000001300130000000100000000000000030000006178650400000080c1550454"
            "2e0600387ea87aaa9fd14a47f10a597d642fdaf85bd61c887dfbec791bd965ceb300c2ffeeddccbbaa998877"
            "66554433221100080000006164645f6974656d020000000b0000000300000061786503000000000000000000"
            "00000000000000000000000000000500000000000000"
        ),
        (
            '{"TransactionUpdate":{"status":{"Committed":'
            + _database(r'"[1,\"axe\",3]"', r'"[1,\"axe\",4]"')
            + "},"
            + _CALL
        ),
    ),
    "V04": (
        lambda talk: talk.wire.reducer_err(talk.ask("U02", 5), MOMENT, "nope"),
        ReducerResult(0, MOMENT, ReducerErr("nope")),
        (
            "0101040000006e6f706580c15504542e0600387ea87aaa9fd14a47f10a597d642fdaf85bd61c887dfbec791b"
            "d965ceb300c2ffeeddccbbaa99887766554433221100080000006164645f6974656d020000000b0000000300"
            "00006178650300000000000000000000000000000000000000000000000500000000000000"
        ),
        '{"TransactionUpdate":{"status":{"Failed":"nope"},' + _CALL,
    ),
    "V05": (
        lambda talk: talk.wire.dialect.transaction_update(talk.body([CROSSBOW], []), 0),
        _changed([CROSSBOW], []),
        (
            "02000000000100000002100000040000006974656d0100000000000000010000000001000000000000000000"
            "18001800000002000000000000000800000063726f7373626f7705000000"
        ),
        (
            '{"TransactionUpdateLight":{"request_id":0,"update":'
            + _database("", r'"[2,\"crossbow\",5]"')
            + "}}"
        ),
    ),
    "V06": (
        lambda talk: talk.wire.unsubscribe_applied(talk.ask("U04", 1), 0, talk.listed(AXE_4)),
        UnsubscribeApplied(0, 0, [TableRows("item", [AXE_4])]),
        (
            "09000000000100000000000000000000000100000002100000040000006974656d0100000000000000010000"
            "00000013001300000001000000000000000300000061786504000000010000000000000000"
        ),
        _multi("UnsubscribeMultiApplied", _database(_AXE_OBJECT.replace("3}", "4}"), "")),
    ),
    "V07": (
        lambda talk: talk.wire.subscription_error(talk.ask("U01", 1), 0, "bad"),
        SubscriptionError(0, 0, "bad"),
        "070100000000000000000000000000000000000103000000626164",
        (
            '{"SubscriptionError":{"total_host_execution_duration_micros":1,"request_id":{"some":0},'
            '"query_id":{"some":0},"table_id":{"none":[]},"error":"bad"}}'
        ),
    ),
    "V08": (
        lambda talk: talk.wire.procedure_returned(
            talk.ask("U05"), MOMENT, 5, struct.pack("<Q", 42)
        ),
        ProcedureResult(0, MOMENT, 5, struct.pack("<Q", 42), None),
        "0a00080000002a0000000000000080c15504542e0600050000000000000000000000",
        (
            '{"ProcedureResult":{"status":{"Returned":"42"},'
            '"timestamp":{"__timestamp_micros_since_unix_epoch__":1739788245123456},'
            '"total_host_execution_duration":{"__time_duration_micros__":5},"request_id":0}}'
        ),
    ),
    "V09": (
        lambda talk: talk.wire.subscribe_applied(talk.ask("U06", 1), 0, talk.listed(AXE)),
        SubscribeApplied(7, 0, [TableRows("item", [AXE])]),
        (
            "000100000002100000040000006974656d010000000000000001000000000100000000000000000013001300"
            "000001000000000000000300000061786503000000070000000100000000000000"
        ),
        (
            '{"InitialSubscription":{"database_update":' + _database("", _AXE_OBJECT) + ","
            '"request_id":7,"total_host_execution_duration":{"__time_duration_micros__":1}}}'
        ),
    ),
    "single": (
        lambda talk: talk.wire.subscribe_applied(talk.ask("single", 1), 6, talk.listed(AXE)),
        SubscribeApplied(5, 6, [TableRows("item", [AXE])]),
        (
            "0505000000010000000000000006000000"
            "02100000040000006974656d02100000040000006974656d0100000000000000010000000001000000000000"
            "00000013001300000001000000000000000300000061786503000000"
        ),
        _single("SubscribeApplied", 1, _table("", _AXE_OBJECT)),
    ),
    "end of single": (
        lambda talk: talk.wire.unsubscribe_applied(talk.ask("end of single"), 6, talk.listed()),
        UnsubscribeApplied(5, 6, [TableRows("item", [])]),
        (
            "0605000000000000000000000006000000"
            "02100000040000006974656d02100000040000006974656d0000000000000000010000000001000000000000"
            "0000010000000000000000"
        ),
        _single("UnsubscribeApplied", 0, _table("", "")),
    ),
    "failed procedure": (
        lambda talk: talk.wire.procedure_error(talk.ask("U05"), "No such procedure"),
        ProcedureResult(0, 0, 0, b"", "No such procedure"),
        ("0a02110000004e6f20737563682070726f6365647572650000000000000000000000000000000000000000"),
        (
            '{"ProcedureResult":{"status":{"InternalError":"No such procedure"},'
            '"timestamp":{"__timestamp_micros_since_unix_epoch__":0},'
            '"total_host_execution_duration":{"__time_duration_micros__":0},"request_id":0}}'
        ),
    ),
}

ONE_OFF = {
    "rows": (
        OneOffQueryResult(0x0201, [TableRows("item", [AXE])], None),
        (
            "0404000000010200000101000000040000006974656d001300130000000100000000000000030000006178"
            "65030000000000000000000000"
        ),
    ),
    "error": (
        OneOffQueryResult(0x0201, [], "bad"),
        "0404000000010200000003000000626164000000000000000000000000",
    ),
}
"""Answers to a one-off query under the message id 01020000, without any duration."""
