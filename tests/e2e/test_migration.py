"""A server's module grows: rows and older clients stay; what cannot be taken over is refused."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys

import pytest
from bot import Refused, Words, connected
from served import DATABASE, HERE, Served, environment

from actors.module.module import Module

ONE, TWO = (Words(Module.load(name)) for name in ("garden_one", "garden_two"))


def plan(server: Served, module: str, store: str, *flags: str) -> tuple[int, str]:
    """The exit code and the text of the plan for a module over a server's store."""
    place = ["--data-dir", str(server.data_dir), "--store", store, "--database", DATABASE]
    arguments = ["migrate", "plan", "--module", module, *place, *flags]
    done = subprocess.run(
        [sys.executable, "-m", "server", *arguments],
        cwd=HERE,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert not done.stderr
    return done.returncode, done.stdout


def start(tmp_path, module: str, store: str) -> Served:
    return Served(module, tmp_path / "data", "--store", store, "--no-admin")


def rows(bot, table: str) -> list[tuple]:
    return sorted(tuple(row) for row in bot.rows(table))


@pytest.mark.crash
def test_a_module_grows_over_its_rows_and_older_clients_stay(tmp_path, store):
    async def begin(server: Served) -> str:
        async with connected(ONE, server) as bot:
            await asyncio.gather(*[bot.call("sow", name) for name in ("oak", "rose")])
            await bot.call("dig", 1)
            return bot.token

    async def stay(server: Served, token: str) -> None:
        async with connected(ONE, server, token=token) as bot:
            await bot.call("dig", 3)

    async def go_on(server: Served, token: str) -> None:
        async with connected(TWO, server, token=token) as bot:
            await bot.subscribe("SELECT * FROM plant", "SELECT * FROM seed", "SELECT * FROM bed")
            assert rows(bot, "plant") == [("oak", 1, 3, None), ("rose", 1, 3, None)]
            assert rows(bot, "seed") == [("oak", 1), ("rose", 1)]
            await bot.call("flood", 1)
            await bot.call("grow")
            await bot.call("sow", "sage")

    async def come_back(server: Served, token: str) -> None:
        async with connected(ONE, server, token=token) as old:
            await old.subscribe("SELECT * FROM bed")
            await old.call("dig", 2)
            await old.call("sow", "dill")
            assert rows(old, "bed") == [(1,), (2,), (3,)]
            with pytest.raises(Refused):
                await old.call("dig", 2)
        async with connected(TWO, server, token=token) as bot:
            await bot.subscribe("SELECT * FROM plant WHERE height >= 1", "SELECT * FROM pond")
            assert rows(bot, "plant") == [("oak", 1, 4, None), ("rose", 1, 4, None)]
            assert rows(bot, "pond") == [(1,)]

    first = start(tmp_path, "garden_one", store)
    assert plan(first, "garden_one", store) == (
        0,
        "the store is empty: the module begins in it\n",
    )
    first.start()
    try:
        token = asyncio.run(begin(first))
        # Beside the running server, which nobody disturbs.
        code, text = plan(first, "garden_two", store)
        assert code == 0
        assert "column height is new; rows that are there have its default" in text
        assert "column kind has new variants: Herb" in text
        assert "table pond: is new" in text
        asyncio.run(stay(first, token))
    finally:
        first.kill()
    second = start(tmp_path, "garden_two", store)
    for step in (go_on, come_back):
        second.start()
        try:
            asyncio.run(step(second, token))
        finally:
            second.kill()
    assert plan(second, "garden_two", store)[1].endswith("nothing changes\n")


@pytest.mark.crash
def test_what_cannot_be_taken_over_is_refused_with_the_plan(tmp_path, store):
    server = start(tmp_path, "garden_one", store)
    server.start()
    server.stop()
    other = start(tmp_path, "garden_three", store)
    other.begin()
    assert other.exit_code() == 3
    code, text = plan(other, "garden_three", store)
    assert code == 3
    assert text.startswith("the store holds data of another schema")
    assert "refused  table plant: column kind is gone\n         -> declare it again" in text
    assert "refused  table seed: is gone" in text
    assert f"genarrative: {text}" in other.log()
    code, shown = plan(other, "garden_three", store, "--json")
    assert code == 3
    found = json.loads(shown)
    assert found["refused"]
    assert not found["empty"]
    assert {
        "subject": "table plant",
        "text": "column kind is gone",
        "effect": "refused",
        "advice": found["changes"][0]["advice"],
    } in found["changes"]
    server.start()
    server.stop()
