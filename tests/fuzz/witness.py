"""A well-behaved client beside the attackers: all its calls answered, its rows exact, all along."""

from __future__ import annotations

import threading
import time

import fuzzed_module
from fuzzed_module import MARKS_PER_LANE, Mark
from raw_socket import ANSWER_SECONDS_MAX, Fault
from websockets.sync.client import ClientConnection, connect

from actors.module.module import Module
from protocol.bsatn import compile_codec
from protocol.client import Client
from protocol.client_cache import ClientCache
from protocol.messages import OneOffQueryResult, ReducerOk, ReducerResult, ServerMessage
from protocol.upgrade import Subprotocol

PAUSE_SECONDS = 0.02
"""Between two calls: so many witnesses are no load."""

_MODULE = Module("fuzzed", [fuzzed_module])
_arguments = compile_codec(_MODULE.reducers["leave_mark"].parameters).encode


class Witness(threading.Thread):
    """Calls in one lane of the table ``mark``, and watches a table that attackers write.

    Attributes:
        latencies: of its calls, in seconds.
        failure: what went wrong; None as long as nothing has.
    """

    def __init__(self, port: int, lane: int, subprotocol: Subprotocol) -> None:
        super().__init__(name=f"witness {subprotocol.value}", daemon=True)
        self.latencies: list[float] = []
        self.failure: BaseException | None = None
        self._uri = f"ws://127.0.0.1:{port}/v1/database/e2e/subscribe"
        self._lane = lane
        self._subprotocol = subprotocol
        self._cache = ClientCache(_MODULE.schema)
        self._client = Client(subprotocol, self._cache, _MODULE.schema)
        self._marks: dict[int, Mark] = {}
        self._finish = threading.Event()

    def run(self) -> None:
        """Call until told to finish."""
        try:
            with connect(
                self._uri,
                subprotocols=[self._subprotocol.value],  # type: ignore[list-item]
                compression=None,
                max_size=None,
                proxy=None,
            ) as socket:
                self._testify(socket)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is told
            self.failure = error

    def finish(self) -> None:
        """End after a last look; Fault with what went wrong, if anything did."""
        self._finish.set()
        self.join(ANSWER_SECONDS_MAX * 2)
        if self.is_alive():
            raise Fault(f"{self.name} does not come to an end")
        if self.failure is not None:
            raise Fault(f"{self.name}: {self.failure!r}") from self.failure

    def _testify(self, socket: ClientConnection) -> None:
        queries = (f"SELECT * FROM mark WHERE lane = {self._lane}", "SELECT * FROM tag")
        self._ask(socket, self._client.subscribe(queries))
        number = 0
        while not self._finish.wait(PAUSE_SECONDS):
            began = time.perf_counter()
            call = self._client.call_reducer("leave_mark", _arguments((self._lane, number)))
            answer = self._ask(socket, call)
            self.latencies.append(time.perf_counter() - began)
            if not isinstance(answer, ReducerResult) or not isinstance(answer.outcome, ReducerOk):
                raise Fault(f"a call was answered {answer}")
            self._expect_mark(number)
            number += 1
        self._compare_with_a_query(socket)

    def _expect_mark(self, number: int) -> None:
        key = self._lane * MARKS_PER_LANE + number % MARKS_PER_LANE
        if number % 5 == 4 and key in self._marks:
            del self._marks[key]
        else:
            self._marks[key] = Mark(key, self._lane, number)
        held = self._cache.table("mark").values()
        if sorted(held, key=lambda mark: mark.key) != [  # type: ignore[attr-defined]
            self._marks[key] for key in sorted(self._marks)
        ]:
            raise Fault(f"marks are {held}, not {self._marks}")
        if faults := self._cache.faults():
            raise Fault(f"rows do not balance: {faults[:3]}")

    def _compare_with_a_query(self, socket: ClientConnection) -> None:
        answer = self._ask(socket, self._client.query("SELECT * FROM tag"))
        assert isinstance(answer, OneOffQueryResult)
        fresh = sorted(row for table in answer.tables for row in table.rows)
        if fresh != sorted(self._cache.table("tag").rows()):
            raise Fault("rows that were updated are not those of a fresh query")

    def _ask(self, socket: ClientConnection, request_id: int) -> ServerMessage:
        """Send what is queued and take messages until the request is answered."""
        for frame in self._client.frames():
            socket.send(frame.decode() if self._client.is_text else frame)
        answer: ServerMessage | None = None
        while request_id in self._client.pending:
            data = socket.recv(ANSWER_SECONDS_MAX)
            payload = data.encode() if isinstance(data, str) else data
            for message in self._client.receive_frame(payload):
                if getattr(message, "request_id", None) == request_id:
                    answer = message
        assert answer is not None
        return answer
