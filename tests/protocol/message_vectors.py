"""The vector tables C01 to C06 and S01 to S20 of the wire spec, section 6."""

from __future__ import annotations

import struct

from protocol.messages import (
    V2,
    CallProcedure,
    CallReducer,
    ClientMessage,
    InitialConnection,
    OneOffQuery,
    OneOffQueryResult,
    ProcedureResult,
    QuerySetUpdate,
    ReducerErr,
    ReducerInternalError,
    ReducerOk,
    ReducerOkEmpty,
    ReducerResult,
    ServerMessage,
    Subscribe,
    SubscribeApplied,
    SubscriptionError,
    TableRows,
    TableUpdate,
    TableUpdateRows,
    TransactionUpdate,
    Unsubscribe,
    UnsubscribeApplied,
)
from protocol.values import ConnectionId, Identity

IDENTITY = Identity.from_hex("c200b3ce65d91b79ecfb7d881cd65bf8da2f647d590af1474ad19faa7aa87e38")
CONNECTION = ConnectionId.from_hex("00112233445566778899aabbccddeeff")
MOMENT = 1_739_788_245_123_456
EVERYTHING = "SELECT * FROM item"


def item(key: int, name: str, quantity: int) -> bytes:
    return struct.pack("<QI", key, len(name)) + name.encode() + struct.pack("<i", quantity)


AXE = item(1, "axe", 3)
AXE_4 = item(1, "axe", 4)
CROSSBOW = item(2, "crossbow", 5)
BOOM = struct.pack("<II", 7, 5) + b"boom!"

CLIENT: dict[str, tuple[ClientMessage, str]] = {
    "C01": (
        Subscribe(0, 0, (EVERYTHING,)),
        "000000000000000000010000001200000053454c454354202a2046524f4d206974656d",
    ),
    "C02": (
        CallReducer(1, "add_item", bytes.fromhex("0300000061786503000000")),
        "030100000000080000006164645f6974656d0b0000000300000061786503000000",
    ),
    "C03": (Unsubscribe(2, 0, send_dropped_rows=True), "01020000000000000001"),
    "C04": (
        CallProcedure(3, "add_two", struct.pack("<QQ", 40, 2)),
        "040300000000070000006164645f74776f1000000028000000000000000200000000000000",
    ),
    "C06": (
        OneOffQuery(9, EVERYTHING),
        "02090000001200000053454c454354202a2046524f4d206974656d",
    ),
}
C05 = (
    [CallReducer(4, "noop", b""), CallReducer(5, "noop", b"")],
    "030400000000040000006e6f6f7000000000030500000000040000006e6f6f7000000000",
)


def _body(inserts: list[bytes], deletes: list[bytes], *, event: bool = False) -> bytes:
    table = "boom" if event else "item"
    update = V2.dialect.table_update(
        table, [V2.dialect.table_rows(table, inserts, deletes, event=event)]
    )
    return V2.dialect.transaction_body([V2.dialect.query_set_update(0, [update])])


def _update(
    inserts: list[bytes], deletes: list[bytes], *, event: bool = False
) -> TransactionUpdate:
    rows = TableUpdateRows(inserts, deletes, event)
    table = "boom" if event else "item"
    return TransactionUpdate([QuerySetUpdate(0, [TableUpdate(table, [rows])])])


_APPLIED = [("item", V2.dialect.row_list("item", [AXE]))]
_ROWS = [TableRows("item", [AXE])]
_S08 = "060100000080c15504542e0600000000000000000000"
_S05 = (
    "04010000000000000001000000040000006974656d01000000000018001800000002000000000000000800000063"
    "726f7373626f7705000000010000000000000000"
)

SERVER: dict[str, tuple[bytes, ServerMessage, str]] = {
    "S01": (
        V2.initial_connection(IDENTITY, CONNECTION, "tok"),
        InitialConnection(IDENTITY, CONNECTION, "tok"),
        (
            "00387ea87aaa9fd14a47f10a597d642fdaf85bd61c887dfbec791bd965ceb300c2"
            "ffeeddccbbaa9988776655443322110003000000746f6b"
        ),
    ),
    "S02": (
        V2.subscribe_applied(0, 0, _APPLIED),
        SubscribeApplied(0, 0, _ROWS),
        (
            "01000000000000000001000000040000006974656d0013001300000001000000000000000300000061786503"
            "000000"
        ),
    ),
    "S03": (
        V2.subscribe_applied(0, 0, []),
        SubscribeApplied(0, 0, []),
        "01000000000000000000000000",
    ),
    "S04": (
        V2.subscribe_applied(0, 0, [("item", V2.dialect.row_list("item", [AXE, CROSSBOW]))]),
        SubscribeApplied(0, 0, [TableRows("item", [AXE, CROSSBOW])]),
        (
            "01000000000000000001000000040000006974656d0102000000000000000000000013000000000000002b00"
            "00000100000000000000030000006178650300000002000000000000000800000063726f7373626f77050000"
            "00"
        ),
    ),
    "S05": (
        V2.dialect.transaction_update(_body([CROSSBOW], []), 0),
        _update([CROSSBOW], []),
        _S05,
    ),
    "S06": (
        V2.dialect.transaction_update(_body([AXE_4], [AXE]), 0),
        _update([AXE_4], [AXE]),
        (
            "04010000000000000001000000040000006974656d0100000000001300130000000100000000000000030000"
            "00617865040000000013001300000001000000000000000300000061786503000000"
        ),
    ),
    "S07": (
        V2.dialect.transaction_update(_body([BOOM], [], event=True), 0),
        _update([BOOM], [], event=True),
        (
            "0401000000000000000100000004000000626f6f6d0100000001000d000d0000000700000005000000626f6f"
            "6d21"
        ),
    ),
    "S08": (
        V2.reducer_ok(1, MOMENT, V2.dialect.transaction_body([])),
        ReducerResult(1, MOMENT, ReducerOk(b"", TransactionUpdate([]))),
        _S08,
    ),
    "S10": (
        V2.reducer_err(1, MOMENT, "nope"),
        ReducerResult(1, MOMENT, ReducerErr("nope")),
        "060100000080c15504542e06000208000000040000006e6f7065",
    ),
    "S11": (
        V2.reducer_internal_error(1, MOMENT, "no such reducer"),
        ReducerResult(1, MOMENT, ReducerInternalError("no such reducer")),
        "060100000080c15504542e0600030f0000006e6f20737563682072656475636572",
    ),
    "S12": (
        V2.unsubscribe_applied(2, 0, None),
        UnsubscribeApplied(2, 0, None),
        "02020000000000000001",
    ),
    "S13": (
        V2.unsubscribe_applied(2, 0, _APPLIED),
        UnsubscribeApplied(2, 0, _ROWS),
        (
            "0202000000000000000001000000040000006974656d00130013000000010000000000000003000000617865"
            "03000000"
        ),
    ),
    "S14": (
        V2.subscription_error(0, 0, "bad"),
        SubscriptionError(0, 0, "bad"),
        "0300000000000000000003000000626164",
    ),
    "S15": (
        V2.subscription_error(None, 0, "bad"),
        SubscriptionError(None, 0, "bad"),
        "03010000000003000000626164",
    ),
    "S16": (
        V2.procedure_returned(3, MOMENT, 5, struct.pack("<Q", 42)),
        ProcedureResult(3, MOMENT, 5, struct.pack("<Q", 42), None),
        "0700080000002a0000000000000080c15504542e0600050000000000000003000000",
    ),
    "S17": (
        V2.procedure_error(3, "No such procedure"),
        ProcedureResult(3, 0, 0, b"", "No such procedure"),
        "0701110000004e6f20737563682070726f6365647572650000000000000000000000000000000003000000",
    ),
    "S18": (
        V2.one_off_query_result(9, "item", V2.dialect.row_list("item", [AXE])),
        OneOffQueryResult(9, _ROWS, None),
        "05090000000001000000040000006974656d0013001300000001000000000000000300000061786503000000",
    ),
    "S19": (
        V2.one_off_query_error(9, "bad"),
        OneOffQueryResult(9, [], "bad"),
        "05090000000103000000626164",
    ),
}
S09 = (
    ReducerResult(1, MOMENT, ReducerOkEmpty()),
    "060100000080c15504542e060001",
)
"""The short form of an empty Ok: decoded by clients, never sent by our server."""

S20 = ([SERVER["S08"], SERVER["S05"]], _S08 + _S05)
