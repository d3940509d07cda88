"""Demonstration: a bot plays a story against a real server, and its screen is printed."""

from __future__ import annotations

import tempfile
from pathlib import Path

from rich.console import Console

from loadtest.connection import Address
from loadtest.player import Player
from loadtest.schema_reader import fetch_schema
from loadtest.screen import Screen
from loadtest.server_process import running_server, service_token
from loadtest.story import Hero, load_fixture_world

__all__ = ["play_here", "play_spawned"]


async def play_here(address: Address, data_dir: Path, console: Console) -> None:
    """Play on a running server, which must allow fixtures.

    Args:
        address: of its database.
        data_dir: its data folder, whose key signs the token of the service that loads the world.
        console: the screen.

    Raises:
        LoadTestError: no server, no fixtures, or the story goes another way.
    """
    await load_fixture_world(address, await service_token(data_dir))
    schema = await fetch_schema(address)
    player = await Player.enter(address, schema)
    screen = Screen(console, player.rows, player.user_id)
    player.watch(screen.show)
    try:
        await Hero(player, screen).play()
    finally:
        await player.leave()
    screen.say("\n[bold green]The story went as it should.[/bold green]")


async def play_spawned(console: Console) -> None:
    """Play on a server of its own, in a temporary folder."""
    with tempfile.TemporaryDirectory(prefix="genarrative-demo-") as folder:
        data_dir = Path(folder) / "data"
        arguments = ("--dev-fixtures", "--log-level", "warning")
        async with running_server(*arguments, data_dir=data_dir) as server:
            await play_here(server.address, data_dir, console)
