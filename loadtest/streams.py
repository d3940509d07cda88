"""Streams: many authors are answered at once by a model, while many players play.

Each reply tells its own times (``loadtest.stream_model``), so an author knows how long each piece
took from the model to its subscription, and that none is missing.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console

from loadtest.author import Author
from loadtest.connection import Address, allow_connections
from loadtest.errors import CheckError, LoadTestError, expect
from loadtest.latency import Latencies
from loadtest.limits import CONNECTS_AT_ONCE, STREAM_PIECES_MAX
from loadtest.party import play_together
from loadtest.playthrough_report import errors_in
from loadtest.profile import Profile, read_profile
from loadtest.sampler import BEGIN, END
from loadtest.schema_reader import fetch_schema
from loadtest.seat import Seat, turns_of_its_own
from loadtest.server_process import ServerProcess, pinned_cores, running_server, service_token
from loadtest.story import load_fixture_world
from loadtest.stream_model import PacedText, running_stream_model
from loadtest.tally import Tally
from protocol.schema import ModuleSchema

__all__ = ["StreamOptions", "StreamOutcome", "stream_on_own_server"]

_TABLES = ("ai_text_chunk", "custom_world_agent_message")
_WORDS = "Tell me more of the drowned kingdom, and of whoever keeps its last light."
_CHAPTERS = 5


@dataclass(frozen=True, slots=True)
class StreamOptions:
    """What load, for how long.

    Attributes:
        authors: sessions that are answered at once.
        per_second: pieces of each answer.
        users: players beside them.
        think_seconds: pause of a player before each call.
        seconds: measured time.
        store: of the server.
        profiled: whether the server runs under the sampler.
    """

    authors: int
    per_second: float
    users: int
    think_seconds: float
    seconds: float
    store: str = "sqlite"
    profiled: bool = False


@dataclass(slots=True)
class StreamOutcome:
    """What the load showed in the measured time.

    Attributes:
        pieces: of the model that arrived at subscribers.
        chunks: rows that they arrived in.
        replies: that came to their end, whole.
        latencies: from when a piece was due to its arrival.
        tally: of the players.
        failures: what went wrong, by reason.
        server_share: of one core.
        client_share: likewise, of this process.
        resident_bytes: of the server, in the end.
        seconds: measured time.
        log: the server's warnings and errors.
        profile: of the server, if it was profiled.
    """

    tally: Tally
    pieces: int = 0
    chunks: int = 0
    replies: int = 0
    latencies: Latencies = field(default_factory=Latencies)
    failures: Counter[str] = field(default_factory=Counter)
    server_share: float = 0.0
    resident_bytes: int = 0
    client_share: float = 0.0
    seconds: float = 0.0
    log: list[str] = field(default_factory=list)
    profile: Profile | None = None

    @property
    def is_good(self) -> bool:
        """Whether nothing was lost, nobody failed, and the server logged no error."""
        return not (self.failures or self.tally.violations or self.errors)

    @property
    def errors(self) -> list[str]:
        """Lines of the log that are no mere warnings."""
        return errors_in(self.log)

    def begin(self) -> None:
        """What came before was warm-up."""
        self.pieces = self.chunks = self.replies = 0
        self.latencies.clear()
        self.tally.calls = 0
        for latencies in self.tally.latencies.values():
            latencies.clear()


class _Reader:
    """Reads an author's replies from its rows, as they come. ``watch`` is a player's watcher."""

    def __init__(self, outcome: StreamOutcome, interval_nanos: int) -> None:
        self._outcome = outcome
        self._interval_nanos = interval_nanos
        self._replies: dict[str, PacedText] = {}
        self._texts: dict[str, str] = {}
        self._sequences = Counter[str]()
        self.failure: CheckError | None = None

    def watch(self, deltas: Any) -> None:
        """Take the chunks of a commit."""
        came, _ = deltas.get("ai_text_chunk", ((), ()))
        try:
            for chunk in sorted(came, key=lambda row: row.sequence):
                self._take(chunk)
        except CheckError as error:
            self.failure = self.failure or error

    def _take(self, chunk: Any) -> None:
        message_id = chunk.message_id
        expect("the chunk's sequence", chunk.sequence, self._sequences[message_id])
        self._sequences[message_id] += 1
        self._texts[message_id] = self._texts.get(message_id, "") + chunk.delta_text
        reply = self._replies.setdefault(message_id, PacedText(self._interval_nanos))
        now = time.monotonic_ns()
        outcome = self._outcome
        outcome.chunks += 1
        for due in reply.feed(chunk.delta_text):
            outcome.pieces += 1
            outcome.latencies.record(now - due)

    def check(self, message: Any) -> None:
        """Check a whole reply: it is what was streamed, and that is all that the model said.

        Raises:
            CheckError: something is missing.
        """
        if self.failure is not None:
            raise self.failure
        expect("the reply's text", self._texts.get(message.message_id), message.text)
        expect("the reply's source", message.text_source.name, "Llm")
        expect("pieces of a reply", self._replies[message.message_id].pieces, STREAM_PIECES_MAX)


async def stream_on_own_server(options: StreamOptions, console: Console) -> StreamOutcome:
    """Measure on a server that is started for it, one core for it and one for everybody else.

    Raises:
        LoadTestError: the server or the model does not start or stop as it should. What goes wrong
            for single authors and players is in the outcome.
    """
    allow_connections(2 * options.authors + options.users)
    cores = pinned_cores()
    server_cores = None
    if cores is not None:
        server_cores, client_cores = cores
        os.sched_setaffinity(0, client_cores)
    with tempfile.TemporaryDirectory(prefix="genarrative-streams-") as folder:
        data_dir, samples = Path(folder) / "data", Path(folder) / "samples.json"
        config = Path(folder) / "genarrative.toml"
        launcher = ("loadtest.sampler", str(samples)) if options.profiled else ("server",)
        async with running_stream_model(options.per_second, STREAM_PIECES_MAX) as url:
            config.write_text(
                f'text_models = ["{url}#local"]\n'
                f"text_model_requests_max = {max(16, options.authors)}\n"
            )
            arguments = (
                *("--config", str(config), "--dev-fixtures", "--store", options.store),
                *("--no-rate-limits", "--log-level", "warning"),
            )
            async with running_server(
                *arguments, data_dir=data_dir, cores=server_cores, launcher=launcher
            ) as server:
                outcome = await _measure(server, data_dir, options, console)
        if options.profiled:
            outcome.profile = read_profile(samples)
    return outcome


async def _measure(
    server: ServerProcess, data_dir: Path, options: StreamOptions, console: Console
) -> StreamOutcome:
    await load_fixture_world(server.address, await service_token(data_dir))
    schema = await fetch_schema(server.address)
    outcome = StreamOutcome(Tally())
    gate = asyncio.Semaphore(CONNECTS_AT_ONCE)
    begun: list[asyncio.Event] = []
    tasks: list[asyncio.Task[None]] = []
    for work, count in ((_play, options.users), (_write, options.authors)):
        for _ in range(count):
            has_begun = asyncio.Event()
            begun.append(has_begun)
            guarded = _guarded(
                work(server.address, schema, options, outcome, gate, has_begun), outcome, has_begun
            )
            tasks.append(asyncio.create_task(guarded))
    await asyncio.gather(*(event.wait() for event in begun))
    console.print(f"{options.users:,} players play, {options.authors:,} authors are answered")
    if options.profiled:
        server.signal(BEGIN)
    outcome.begin()
    began, used, own = time.perf_counter(), server.cpu_seconds(), time.process_time()
    await asyncio.sleep(options.seconds)
    outcome.seconds = time.perf_counter() - began
    outcome.server_share = (server.cpu_seconds() - used) / outcome.seconds
    outcome.client_share = (time.process_time() - own) / outcome.seconds
    if options.profiled:
        server.signal(END)
    outcome.resident_bytes = server.resident_bytes()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    outcome.log = server.log_lines()
    return outcome


async def _guarded(work: Any, outcome: StreamOutcome, has_begun: asyncio.Event) -> None:
    """Do somebody's work; what goes wrong ends it, and is noted."""
    try:
        await work
    except (LoadTestError, TimeoutError, OSError) as error:
        outcome.failures[f"{type(error).__name__}: {error}"] += 1
    finally:
        has_begun.set()


async def _play(
    address: Address,
    schema: ModuleSchema,
    options: StreamOptions,
    outcome: StreamOutcome,
    gate: asyncio.Semaphore,
    has_begun: asyncio.Event,
) -> None:
    """Play one story after the other."""
    while True:
        async with gate:
            seat = await Seat.take(
                address, schema, outcome.tally, turns_of_its_own(options.think_seconds)
            )
        try:
            has_begun.set()
            await play_together([seat], _CHAPTERS)
            outcome.tally.finished += 1
        finally:
            await seat.leave()


async def _write(
    address: Address,
    schema: ModuleSchema,
    options: StreamOptions,
    outcome: StreamOutcome,
    gate: asyncio.Semaphore,
    has_begun: asyncio.Event,
) -> None:
    """Say something as soon as the last answer is whole."""
    async with gate:
        author = await Author.begin(address, schema, *_TABLES)
    reader = _Reader(outcome, round(1e9 / options.per_second))
    author.player.watch(reader.watch)
    try:
        while True:
            message_id = await author.say(_WORDS)
            has_begun.set()
            reader.check(await author.answered(message_id))
            outcome.replies += 1
    finally:
        await author.leave()
