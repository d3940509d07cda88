"""Older SDKs hear what a host said, and hold after each message what a fresh query would answer.

The host runs in this process, so that the queries are of the same moment; the SDKs' own code
decodes every frame, those among them that no SDK asks for.
"""

from __future__ import annotations

import asyncio
import json
import random
import time
from pathlib import Path
from typing import Any

import pytest
import shapes_module
from host_bench import Bench, Peer, claims
from node_programs import run_alone
from shapes_module import Layer, Tag
from v1_peer import OldPeer, enter_old

from actors.module.module import Module
from protocol.messages import Wires
from protocol.messages.v1_types import ServerTag
from protocol.upgrade import Subprotocol

pytestmark = [pytest.mark.node, pytest.mark.usefixtures("node")]

STEPS = 250
MEANS = {
    "SELECT * FROM layer": ("layer", lambda rows: rows["layer"]),
    "SELECT * FROM tag": ("tag", lambda rows: rows["tag"]),
    "SELECT * FROM shown_layer": (
        "shown_layer",
        lambda rows: [layer for layer in rows["layer"] if layer.is_shown],
    ),
    "SELECT * FROM layer WHERE id < 3": (
        "layer",
        lambda rows: [layer for layer in rows["layer"] if layer.id < 3],
    ),
    "SELECT layer.* FROM layer JOIN tag ON layer.id = tag.layer_id": (
        "layer",
        lambda rows: [
            layer for layer in rows["layer"] for tag in rows["tag"] if tag.layer_id == layer.id
        ],
    ),
}


class Recorder:
    """One connection whose every frame is written down, with the rows that it should leave."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.bench = Bench(Module("shapes", [shapes_module]))
        self.frames: list[dict[str, Any]] = []
        self.subscriptions: list[list[str]] = []
        self.peer: OldPeer
        self.other: Peer

    async def record(self) -> None:
        wires = Wires(self.bench.module.schema, time.perf_counter)
        await self.bench.start()
        self.other = await self.bench.enter(claims(2))
        self.peer = await enter_old(
            self.bench, wires, claims(1), 9, Subprotocol.V1_BSATN, heard=self.heard
        )
        for _ in range(STEPS):
            self.step()
            await self.bench.settle()
        # What the SDKs never ask for: they have no code but to decode it.
        self.peer.subscribe_single(4_000, "SELECT * FROM tag")
        self.peer.unsubscribe(4_000, single=True)
        self.peer.subscribe(4_001, "SELECT * FROM nowhere")
        await self.bench.settle()
        await self.bench.stop()

    def step(self) -> None:
        chance, peer = self.chance, self.peer
        number, word = chance.randrange(5), f"t{chance.randrange(3)}"
        match chance.randrange(10):
            case 0 | 1:
                queries = chance.sample(sorted(MEANS), chance.randrange(1, 4))
                peer.subscribe(len(self.subscriptions), *queries)
                self.subscriptions.append(queries)
            case 2 | 3 if peer.sets:
                peer.unsubscribe(chance.choice(sorted(peer.sets)))
            case 4:
                peer.call("refuse_after_writing", quiet=chance.random() < 0.5)
            case 5:
                peer.send_call("nothing", b"", "")
            case kind:
                caller = peer if kind % 2 else self.other
                call = chance.choice(
                    [
                        ("put_layer", number, word, chance.random() < 0.5),
                        ("put_layer", number, word, chance.random() < 0.5),
                        ("drop_layer", number),
                        ("put_tag", number, word),
                        ("drop_tag", number, word),
                    ]
                )
                caller.call(*call)

    def heard(self, peer: OldPeer) -> None:
        tag, _ = peer.raw[-1]
        is_for_sdk = tag not in (ServerTag.SUBSCRIBE_APPLIED, ServerTag.UNSUBSCRIBE_APPLIED)
        self.frames.append(
            {"frame": peer.frames[-1][1:].hex(), "rows": self.rows() if is_for_sdk else None}
        )

    def rows(self) -> dict[str, list[dict[str, object]]]:
        """What a cache holds, each row once, as the bindings name its columns."""
        peer = getattr(self, "peer", None)
        tables = {"layer": self.table(Layer), "tag": self.table(Tag)}
        held: dict[str, dict[tuple, Any]] = {"layer": {}, "tag": {}, "shown_layer": {}}
        for queries in peer.sets.values() if peer else ():
            for text in queries:
                name, means = MEANS[text]
                held[name].update((tuple(row), row) for row in means(tables))
        return {name: [named(row) for row in rows.values()] for name, rows in held.items()}

    def table(self, row: type) -> list[Any]:
        return self.bench.rows("database/0", row)


def named(row: Any) -> dict[str, object]:
    names = {"layer_id": "layerId", "is_shown": "isShown"}
    return {names.get(name, name): value for name, value in zip(row._fields, row, strict=True)}


@pytest.mark.parametrize("program", ["sdk_1_12", "sdk_1_3"])
def test_caches_hold_what_the_queries_answer_after_every_message(tmp_path: Path, program):
    seed = random.randrange(2**31)
    print("seed", seed)
    recorder = Recorder(seed)
    asyncio.run(recorder.record())
    path = tmp_path / "recorded.json"
    path.write_text(
        json.dumps({"subscriptions": recorder.subscriptions, "frames": recorder.frames})
    )
    nowhere = {"URI": "ws://127.0.0.1:9", "DATABASE": "nobody", "SEED": "1"}
    heard = run_alone(program, RECORDED=str(path), **nowhere)
    assert heard == len(recorder.frames) > STEPS // 2
