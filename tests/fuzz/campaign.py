"""A campaign: attackers in processes of their own, witnesses here, one server, and a verdict."""

from __future__ import annotations

import multiprocessing
import random
import statistics
import threading
import time
import traceback
import urllib.request
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from itertools import islice
from typing import NamedTuple

import http_attack
import socket_attack
from raw_socket import Fault, RawSocket
from witness import Witness

from protocol.upgrade import Subprotocol

HTTP_SHARE = 0.25
"""Connections that speak HTTP; the others become websockets."""

THREADS = 4
"""Connections of one process at the same time."""

CHUNK_CASES = 4_000
"""Cases of one task; between tasks the memory of the server is looked at."""

CHUNKS_MIN = 10
"""Tasks of a short campaign, so that there is something to compare."""

GROWTH_MAX = 1.1
"""How much memory may be at the end, measured by what it was after the warm-up."""

WARM_UP_SHARE = 0.2
_FAULTS_MAX = 4


class Task(NamedTuple):
    """Part of a campaign: everything in it follows from these."""

    port: int
    seed: str
    number: int
    cases: int
    tokens: list[str]


class Verdict(NamedTuple):
    """What came of a campaign. Memory is in bytes, latencies are in seconds."""

    cases: int
    seconds: float
    faults: list[str]
    memory_warm: float
    memory_end: float
    latencies: list[float]

    def __str__(self) -> str:
        cuts = statistics.quantiles(self.latencies, n=100)
        return (
            f"{self.cases:,} cases in {self.seconds:.0f} s, {len(self.faults)} faults; "
            f"memory {self.memory_warm / 2**20:.1f} MiB after the warm-up, "
            f"{self.memory_end / 2**20:.1f} MiB in the end; well-behaved clients: "
            f"{len(self.latencies):,} calls, p50 {cuts[49] * 1e3:.1f} ms, "
            f"p99 {cuts[98] * 1e3:.1f} ms, longest {max(self.latencies) * 1e3:.0f} ms"
        )


def run_task(task: Task) -> tuple[int, list[str]]:
    """Attack from several threads until there were enough cases; how many, and the faults."""
    numbers = iter(range(1_000_000_000))
    done = [0] * THREADS
    faults: list[str] = []
    held: deque[RawSocket] = deque()

    def attack(thread: int) -> None:
        while sum(done) < task.cases and len(faults) < _FAULTS_MAX:
            name = f"{task.seed}:{task.number}:{next(numbers)}"
            try:
                done[thread] += attack_once(task, name, held)
            except Exception as error:  # noqa: BLE001 - whatever it is, it is told
                kind = "" if isinstance(error, Fault) else traceback.format_exc()
                faults.append(f"{name}: {error} {kind}")

    threads = [threading.Thread(target=attack, args=(one,)) for one in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for raw in held:
        raw.close()
    return sum(done), faults


def attack_once(task: Task, name: str, held: deque[RawSocket]) -> int:
    """The attack of one name: the same bytes each time, save for the tokens."""
    chance = random.Random(name)
    if chance.random() < HTTP_SHARE:
        return http_attack.attack(task.port, chance, task.tokens)
    return socket_attack.attack(task.port, chance, task.tokens, held)


def memory(port: int) -> float:
    """Bytes of memory that the server's process has."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=30) as answer:
        for line in answer.read().decode().splitlines():
            if line.startswith("process_resident_memory_bytes "):
                return float(line.split()[1])
    raise AssertionError("the server does not say")


def run_campaign(
    port: int,
    tokens: list[str],
    *,
    seed: str,
    cases: int,
    seconds: float,
    processes: int,
    say: Callable[[str], None] = lambda _: None,
) -> Verdict:
    """Run until there were enough cases, or for so long, or until there are too many faults."""
    witnesses = [Witness(port, lane, version) for lane, version in enumerate(Subprotocol)]
    for witness in witnesses:
        witness.start()
    began = time.monotonic()
    done = 0
    faults: list[str] = []
    memories: list[tuple[int, float]] = []
    chunk = min(CHUNK_CASES, -(-cases // CHUNKS_MIN))
    tasks = iter(Task(port, seed, number, chunk, tokens) for number in range(-(-cases // chunk)))
    for count, found in _results(tasks, processes):
        done += count
        faults += found
        memories.append((done, memory(port)))
        seconds_so_far = time.monotonic() - began
        say(f"{done:,} cases, {seconds_so_far:.0f} s, {memories[-1][1] / 2**20:.1f} MiB")
        if len(faults) >= _FAULTS_MAX or seconds_so_far > seconds:
            break
    for witness in witnesses:
        try:
            witness.finish()
        except Fault as fault:
            faults.append(str(fault))
    warm = next(amount for at, amount in memories if at >= done * WARM_UP_SHARE)
    latencies = [latency for witness in witnesses for latency in witness.latencies]
    return Verdict(done, time.monotonic() - began, faults, warm, memories[-1][1], latencies)


def _results(tasks: Iterator[Task], processes: int) -> Iterator[tuple[int, list[str]]]:
    """Results as they come; a new task begins when one has ended, so that any may be the last."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, mp_context=context) as pool:
        running = {pool.submit(run_task, task) for task in islice(tasks, processes)}
        while running:
            ended = next(as_completed(running))
            running.remove(ended)
            try:
                yield ended.result()
            except GeneratorExit:
                pool.shutdown(wait=True, cancel_futures=True)
                raise
            task = next(tasks, None)
            if task is not None:
                running.add(pool.submit(run_task, task))


def faults_of_log(log: str) -> list[str]:
    """Lines of a server's log that must not be there whatever clients do."""
    return [
        line
        for line in log.splitlines()
        if "Traceback" in line or "[error" in line or "[critical" in line
    ]
