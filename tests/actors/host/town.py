"""The town on a bench."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import town_module
from host_bench import Bench, claims

from actors.keys import ActorKey, user_id_of
from actors.module.module import Module
from persistence.memory import MemoryDisk

MODULE = Module("town", [town_module])
PEOPLE = [claims(number) for number in range(1, 4)]
NAMES = [user_id_of(who.identity) for who in PEOPLE]
ACTORS = [ActorKey(f"person/{name}") for name in NAMES]


def new_town(disk: MemoryDisk | None = None, providers: dict[type, object] | None = None) -> Bench:
    return Bench(MODULE, disk, providers)


def texts(bench: Bench, person: int) -> list[str]:
    """What a person's journal of life says."""
    return [entry.text for entry in bench.rows(ACTORS[person], town_module.Entry)]


def coins(bench: Bench, person: int) -> int:
    purses = bench.rows(ACTORS[person], town_module.Purse)
    return purses[0].coins if purses else 0


def run(scenario: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """For properties, whose functions cannot wait."""
    asyncio.run(scenario())
