from __future__ import annotations

import io

import pytest
from rich.console import Console

from loadtest.connection import Address
from loadtest.demo import play_here, play_spawned
from loadtest.errors import LoadTestError, RefusedError
from loadtest.server_process import running_server


async def test_the_story_is_played_and_shown() -> None:
    screen = io.StringIO()
    await play_spawned(Console(file=screen, width=120))
    text = screen.getvalue()
    for expected in (
        "Village Square",
        "Vale Wolf",
        "battle ended: victory",
        "quest Clear the Mill: completed",
        "+24 XP settled",
        "24/100 XP, 24 in all",
        "+438 XP settled",
        "2 level-ups!",
        "The story went as it should.",
    ):
        assert expected in text, expected


async def test_without_fixtures_the_world_is_refused(tmp_path) -> None:
    data_dir = tmp_path / "data"
    arguments = ("--store", "memory:", "--log-level", "warning")
    async with running_server(*arguments, data_dir=data_dir) as server:
        with pytest.raises((RefusedError, LoadTestError), match="load_fixture_world"):
            await play_here(server.address, data_dir, Console(file=io.StringIO()))


async def test_without_a_server_it_says_so(tmp_path, unused_tcp_port_factory) -> None:
    address = Address("127.0.0.1", unused_tcp_port_factory(), "genarrative")
    with pytest.raises(LoadTestError, match="no server at"):
        await play_here(address, tmp_path, Console(file=io.StringIO()))
