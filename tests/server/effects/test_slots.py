from __future__ import annotations

import asyncio

import pytest

from actors.errors import TextModelError
from server.effects.slots import Slots


async def hold(slots: Slots, user: str, gate: asyncio.Event) -> None:
    async with slots.slot(user):
        await gate.wait()


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


@pytest.mark.parametrize(
    ("users", "is_served"),
    [
        (["a", "b"], True),
        (["a", "b", "c", "d"], False),
        (["a", "a"], False),
    ],
)
async def test_only_so_many_wait(users: list[str], *, is_served: bool) -> None:
    slots = Slots(2, waiting_max=2, user_max=2)
    gate = asyncio.Event()
    holders = [asyncio.create_task(hold(slots, user, gate)) for user in users]
    await settle()
    asking = asyncio.create_task(hold(slots, "a", gate))
    await settle()
    if not is_served:
        with pytest.raises(TextModelError) as refused:
            await asking
        assert refused.value.code == "dependency.unavailable"
    gate.set()
    await asyncio.gather(*holders, *([asking] if is_served else []))
    assert (slots.asking, slots.running, slots.user_count) == (0, 0, 0)


async def test_who_gives_up_waiting_leaves_nothing() -> None:
    slots = Slots(1)
    gate = asyncio.Event()
    holder = asyncio.create_task(hold(slots, "a", gate))
    waiting = asyncio.create_task(hold(slots, "b", gate))
    await settle()
    assert (slots.asking, slots.running) == (2, 1)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    assert (slots.asking, slots.user_count) == (1, 1)
    gate.set()
    await holder
