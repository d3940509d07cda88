"""A program that speaks v1.json with a websocket library and the JSON of its language.

Nothing of the server is imported. What goes wrong ends it with 1; it prints the rows that it holds.
"""

from __future__ import annotations

import itertools
import json
import os
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from websockets.sync.client import ClientConnection, connect

SECONDS = 20
ALL = ["SELECT * FROM layer", "SELECT * FROM tag"]


class Program:
    """One connection; requests are numbered, and what comes is kept as it came."""

    def __init__(self, socket: ClientConnection) -> None:
        assert socket.subprotocol == "v1.json.spacetimedb"
        self.socket = socket
        self.numbers = itertools.count(1)
        self.rows: dict[str, Counter[str]] = {"layer": Counter(), "tag": Counter()}
        self.hello = self.hear("IdentityToken")

    def hear(self, kind: str) -> Any:
        """The next message, which has to be of a kind; its rows are applied."""
        text = self.socket.recv(SECONDS)
        assert isinstance(text, str), "v1.json has text frames"
        ((heard, message),) = json.loads(text).items()
        assert heard == kind, text
        if kind == "TransactionUpdate":
            self.apply(message["status"].get("Committed", {"tables": []}))
        elif kind == "TransactionUpdateLight":
            self.apply(message["update"])
        elif kind in ("SubscribeMultiApplied", "UnsubscribeMultiApplied"):
            self.apply(message["update"], is_initial=True)
        return message

    def apply(self, update: dict[str, Any], *, is_initial: bool = False) -> None:
        for table in update["tables"]:
            rows = self.rows[table["table_name"]]
            count = 0
            for change in table["updates"]:
                inserts = [self.row(row, is_initial=is_initial) for row in change["inserts"]]
                deletes = [self.row(row, is_initial=is_initial) for row in change["deletes"]]
                rows.update(inserts)
                rows.subtract(deletes)
                count += len(inserts) + len(deletes)
            assert count == table["num_rows"]
            assert min(rows.values(), default=0) >= 0
            self.rows[table["table_name"]] = +rows

    @staticmethod
    def row(text: str, *, is_initial: bool) -> str:
        """A row as its values: it comes as an object at first, and as an array in updates."""
        row = json.loads(text)
        assert isinstance(row, dict if is_initial else list), text
        return json.dumps(list(row.values()) if is_initial else row)

    def send(self, kind: str, **fields: Any) -> int:
        number = next(self.numbers)
        self.socket.send(json.dumps({kind: fields | {"request_id": number}}))
        return number

    def call(self, reducer: str, *args: Any, flags: int = 0) -> int:
        return self.send("CallReducer", reducer=reducer, args=json.dumps(args), flags=flags)

    def committed(self, reducer: str, *args: Any) -> Any:
        number = self.call(reducer, *args)
        update = self.hear("TransactionUpdate")
        assert "Committed" in update["status"], update
        call = update["reducer_call"]
        assert (call["reducer_name"], call["request_id"]) == (reducer, number)
        assert json.loads(call["args"]) == list(args)
        assert update["caller_identity"] == self.hello["identity"]
        assert update["caller_connection_id"] == self.hello["connection_id"]
        return update

    def failed(self, reducer: str, *args: Any) -> Any:
        self.call(reducer, *args)
        update = self.hear("TransactionUpdate")
        assert update["reducer_call"]["reducer_name"] == reducer
        return update["status"]["Failed"]

    def subscribe(self, query_id: int, *queries: str) -> Any:
        number = self.send("SubscribeMulti", query_strings=queries, query_id={"id": query_id})
        applied = self.hear("SubscribeMultiApplied")
        assert (applied["request_id"], applied["query_id"]) == (number, {"id": query_id})
        return applied

    def unsubscribe(self, query_id: int) -> Any:
        self.send("UnsubscribeMulti", query_id={"id": query_id})
        return self.hear("UnsubscribeMultiApplied")

    def query(self, text: str) -> Any:
        number = next(self.numbers)
        asked = {"message_id": f"{number:04x}", "query_string": text}
        self.socket.send(json.dumps({"OneOffQuery": asked}))
        answer = self.hear("OneOffQueryResponse")
        assert answer["message_id"] == f"{number:04x}"
        return answer

    def procedure(self, name: str, *args: Any) -> Any:
        number = self.send("CallProcedure", procedure=name, args=json.dumps(args), flags=0)
        result = self.hear("ProcedureResult")
        assert result["request_id"] == number
        return result["status"]


@contextmanager
def opened(query: str = "") -> Iterator[Program]:
    """A new connection with these parameters."""
    uri = f"{os.environ['URI']}/v1/database/{os.environ['DATABASE']}/subscribe{query}"
    with connect(uri, subprotocols=["v1.json.spacetimedb"], proxy=None) as socket:
        yield Program(socket)


def story(one: Program, other: Program) -> None:
    assert one.hello["identity"]["__identity__"].startswith("0xc200")
    assert one.hello["connection_id"]["__connection_id__"] > 0
    with opened(f"?token={one.hello['token']}") as again:
        assert again.hello["identity"] == one.hello["identity"]

    one.subscribe(1, *ALL)
    other.subscribe(1, *ALL)
    one.committed("put_layer", 1, "one", True)
    one.committed("put_layer", 1, "uno", False)
    for _ in range(2):
        light = other.hear("TransactionUpdateLight")
        assert light["request_id"] > 0
    assert other.rows == one.rows == {"layer": Counter(['[1, "uno", false]']), "tag": Counter()}

    assert one.failed("refuse_after_writing") == "shapes.refused: as asked"
    assert one.failed("break_down") == "The instance encountered a fatal error."
    assert one.failed("nothing") == "no such reducer"
    for args in ([], [1, "x"], [1, "x", 7], [-1, "x", True], ["1", "x", True]):
        assert one.failed("put_layer", *args).startswith(
            "invalid arguments for reducer put_layer: "
        )

    one.call("put_tag", 7, "quiet", flags=1)
    one.hear("TransactionUpdateLight")
    other.hear("TransactionUpdateLight")
    one.call("refuse_after_writing", flags=1)  # of which nothing is heard
    everything(one)

    applied = one.subscribe(2, "SELECT * FROM tag", "SELECT * FROM layer WHERE is_shown = FALSE")
    (shown,) = applied["update"]["tables"]
    assert (shown["table_name"], shown["num_rows"]) == ("layer", 1), "the tag is held already"
    assert one.unsubscribe(1)["update"]["tables"][0]["num_rows"] == 1
    assert +one.rows["layer"] == +other.rows["layer"]
    one.send("SubscribeSingle", query="SELECT * FROM drawn", query_id={"id": 3})
    error = one.hear("SubscriptionError")
    assert error["query_id"] == {"some": 3}
    assert error["error"].startswith("Subscribing to event tables requires WebSocket v2.")

    assert one.procedure("add_two", 40, 2) == {"Returned": "42"}
    assert one.procedure("add_two", 2**63, 5) == {"Returned": str(2**63 + 5)}
    assert "InternalError" in one.procedure("divide", 1, 0)
    assert one.procedure("nothing") == {"InternalError": "No such procedure"}

    (table,) = one.query("SELECT * FROM layer WHERE id = 1")["tables"]
    assert [json.loads(row) for row in table["rows"]] == [
        {"id": 1, "name": "uno", "is_shown": False}
    ]
    assert one.query("SELECT * FROM draft")["error"]["some"].startswith("no such table: `draft`")

    one.send("Subscribe", query_strings=["SELECT * FROM layer"])
    assert one.hear("InitialSubscription")["database_update"]["tables"][0]["num_rows"] == 1
    print(json.dumps({name: sorted(rows) for name, rows in other.rows.items()}))


def everything(one: Program) -> None:
    """Draw a shape with a column of every kind, and look at it in both forms."""
    one.send("SubscribeMulti", query_strings=["SELECT * FROM shape"], query_id={"id": 9})
    one.hear("SubscribeMultiApplied")
    one.rows["shape"] = Counter()
    outline = {"Polygon": {"corners": [{"x": 2**62, "y": -1}]}}
    one.committed(
        *("draw", "all", 3, {"Blue": []}, outline, {"some": "nick"}, [-1, 2], "00ff", 1.5, 0.25),
        *(2**127, f"-0x{2**200:x}", {"__uuid__": 5}, {"__time_duration_micros__": -7}),
    )
    (row,) = map(json.loads, one.rows["shape"])
    assert row[1] == "all"
    assert row[2] == [one.hello["identity"]["__identity__"]]
    assert row[3:14] == [
        *(3, [2, []], [1, [[[2**62, -1]]]], [0, "nick"], [-1, 2], "00ff", 1.5, 0.25),
        *(2**127, f"-0x{2**200:x}", [5]),
    ]
    assert row[15:] == [[-7], [one.hello["connection_id"]["__connection_id__"]], False]
    (table,) = one.query("SELECT * FROM shape")["tables"]
    shape = json.loads(table["rows"][0])
    assert shape["outline"] == [1, {"corners": [{"x": 2**62, "y": -1}]}]
    assert shape["owner"] == one.hello["identity"]
    assert shape["nickname"] == [0, "nick"]
    one.committed("erase", "all")
    one.unsubscribe(9)


if __name__ == "__main__":
    with opened() as first, opened("?confirmed=true&light=true&compression=None") as second:
        story(first, second)
