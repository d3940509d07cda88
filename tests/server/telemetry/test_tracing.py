from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from telemetry_client import address, exchange, get, text_argument

from loadtest.bot import Bot
from loadtest.connection import Address
from loadtest.errors import LoadTestError
from server.app import Server
from server.errors import StartError
from server.settings import Settings
from server.telemetry import tracing

TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736"
STAGES = ["frame", "mailbox wait", "turn", "append", "durable", "frame out"]


@pytest.fixture
def spans(monkeypatch) -> InMemorySpanExporter:
    """Where the server's spans go, instead of a collector."""
    exporter = InMemorySpanExporter()

    def open_provider(_name: str) -> TracerProvider:
        provider = TracerProvider()
        provider.add_span_processor(SimpleSpanProcessor(exporter))
        return provider

    monkeypatch.setattr(tracing, "open_provider", open_provider)
    return exporter


def traced(board: Settings, share: float = 1.0) -> Settings:
    return board.model_copy(update={"tracing": True, "trace_share": share})


def calls_of(spans: InMemorySpanExporter, name: str) -> list[ReadableSpan]:
    return [span for span in spans.get_finished_spans() if span.name == f"call {name}"]


def stages_of(spans: InMemorySpanExporter, call: ReadableSpan) -> list[ReadableSpan]:
    return [
        span
        for span in spans.get_finished_spans()
        if span.parent is not None and span.parent.span_id == call.context.span_id
    ]


async def test_a_call_is_followed_from_its_frame_to_its_durable_answer(board, spans):
    server = Server(traced(board))
    ready = await server.start()
    try:
        await exchange(ready, calls=1)
    finally:
        await server.stop()
    (call,) = calls_of(spans, "write_note")
    assert call.attributes["genarrative.function"] == "write_note"
    assert call.attributes["genarrative.actor"].endswith("/0")
    assert call.attributes["genarrative.seq"] > 0
    assert call.status.is_unset
    stages = stages_of(spans, call)
    assert [stage.name for stage in stages] == STAGES
    times = [stage.start_time for stage in stages] + [stages[-1].end_time]
    assert times == sorted(times)
    assert times[1:] == [stage.end_time for stage in stages], "one ends where the next begins"
    assert (call.start_time, call.end_time) == (times[0], times[-1])


async def test_a_refused_call_says_why(board, spans):
    server = Server(traced(board))
    ready = await server.start()
    try:
        bot = await Bot.connect(address(ready))
        with pytest.raises(LoadTestError):
            await bot.call("write_note", text_argument(""))
        await bot.close()
    finally:
        await server.stop()
    (call,) = calls_of(spans, "write_note")
    assert call.attributes["error.type"] == "note.text_empty"
    assert not call.status.is_ok
    assert [stage.name for stage in stages_of(spans, call)] == STAGES


async def test_the_share_of_calls_is_followed_evenly(board, spans):
    server = Server(traced(board, 0.25))
    ready = await server.start()
    try:
        await exchange(ready, calls=12)
    finally:
        await server.stop()
    assert len(calls_of(spans, "write_note")) == 3


async def test_nothing_is_followed_when_nobody_wants_it(board, spans):
    server = Server(board)
    ready = await server.start()
    try:
        await exchange(ready, calls=1)
    finally:
        await server.stop()
    assert not spans.get_finished_spans()


@pytest.mark.parametrize(("flags", "is_followed"), [("01", True), ("00", False)])
async def test_a_request_belongs_to_the_trace_that_it_names(board, spans, flags, is_followed):
    parent = f"00-{TRACE_ID}-00f067aa0ba902b7-{flags}"
    server = Server(traced(board, 0.0 if is_followed else 1.0))
    ready = await server.start()
    try:
        await get(ready, "/readyz", {"traceparent": parent})
    finally:
        await server.stop()
    found = [span for span in spans.get_finished_spans() if span.name == "GET /readyz"]
    assert len(found) == is_followed
    for span in found:
        assert format(span.context.trace_id, "032x") == TRACE_ID
        assert span.attributes["http.route"] == "/readyz"
        assert span.attributes["http.response.status_code"] == "200"


async def test_an_exporter_that_is_not_installed_is_refused(board):
    settings = board.model_copy(update={"tracing": True, "trace_exporter": "nowhere"})
    with pytest.raises(StartError, match="nowhere is not installed"):
        await Server(settings).start()


async def test_spans_leave_a_real_server_through_an_installed_exporter(tmp_path):
    environment = {
        **os.environ,
        "GENARRATIVE_TRACING": "true",
        "GENARRATIVE_TRACE_SHARE": "1",
        "GENARRATIVE_TRACE_EXPORTER": "console",
        "GENARRATIVE_DATA_DIR": str(tmp_path),
        "GENARRATIVE_MODULE": "board_module",
        "PYTHONPATH": str(Path(__file__).parents[1]),
    }
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "server", "serve", "--port", "0"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env=environment,
    )
    line = (await process.stdout.readline()).decode()
    port = int(line.split()[1].rpartition(":")[2])
    bot = await Bot.connect(Address("127.0.0.1", port, "genarrative"))
    await bot.call("write_note", text_argument("one"))
    await bot.close()
    process.terminate()
    written, _ = await process.communicate()
    assert process.returncode == 0
    decoder, found, text = json.JSONDecoder(), [], written.decode()
    at = text.index("{")
    while at >= 0:
        span, at = decoder.raw_decode(text, at)
        found.append(span)
        at = text.find("{", at)
    assert {"call write_note", *STAGES} <= {span["name"] for span in found}
    assert {span["resource"]["attributes"]["service.name"] for span in found} == {"genarrative"}
