"""Roster: who takes part in the comparison, and how each is started and spoken to."""

from __future__ import annotations

import re
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from loadtest.peers.colyseus_dialect import ColyseusDialect
from loadtest.peers.dialect import Dialect
from loadtest.peers.json_dialect import JsonDialect
from loadtest.peers.launch import Command, running
from loadtest.peers.own_dialect import OwnDialect
from loadtest.peers.socketio_dialect import SocketIoDialect
from loadtest.peers.toolbox import Toolbox

__all__ = ["REFERENCE", "Peer", "others", "ours"]

REFERENCE = "ours, in memory"
"""Whom costs are compared with: like the others it keeps nothing."""

_PACKAGES = ("server", "actors", "persistence", "protocol")
_COMPILED = re.compile(r"\bcompiled\b")


@dataclass(frozen=True, slots=True)
class Peer:
    """One server.

    Attributes:
        name: for the command line and the report.
        dialect: what it speaks.
        command: starts it.
    """

    name: str
    dialect: Dialect
    command: Command


def others(toolbox: Toolbox) -> list[Peer]:
    """Servers written with other libraries; all of them keep everything in memory."""
    node, python = toolbox.node_command, toolbox.python_command
    return [
        Peer("ws", JsonDialect(), Command(node("ws_server.mjs"))),
        Peer("socket.io", SocketIoDialect(), Command(node("socketio_server.mjs"))),
        Peer("colyseus", ColyseusDialect(), Command(node("colyseus_server.mjs"))),
        Peer("python-socketio", SocketIoDialect(), Command(python("socketio_server.py"))),
        Peer("websockets + pykka", JsonDialect(), Command(python("pykka_server.py"))),
    ]


async def ours(checkout: Path, cache: Path, modules: Path) -> list[Peer]:
    """Our server, durable and in memory; compiled as well where it says that it is.

    Args:
        checkout: where its packages are.
        cache: folder for a copy of their sources, which runs beside them when they are compiled.
        modules: folder of the module that is served; like the others an absolute path.
    """
    installed = _own("ours", checkout, modules)
    async with running(installed[-1].command, None) as server:
        if _COMPILED.search(server.ready_line) is None:
            return installed
    sources = cache / "sources"
    shutil.rmtree(sources, ignore_errors=True)
    for package in _PACKAGES:
        native = shutil.ignore_patterns("*.so", "__pycache__")
        shutil.copytree(checkout / package, sources / package, ignore=native)
    return [*_own("ours, compiled", checkout, modules), *_own("ours", sources, modules)]


def _own(name: str, folder: Path, modules: Path) -> list[Peer]:
    """Our server from the packages of a folder."""

    def command(store: str) -> Command:
        words = (
            *(sys.executable, "-m", "server", "serve", "--port", "0"),
            *("--data-dir", "{folder}/data", "--store", store, "--no-admin"),
            *("--module", "tally_module", "--database", "tally"),
            *("--no-rate-limits", "--log-level", "warning"),
        )
        return Command(words, {"PYTHONPATH": str(modules)}, folder)

    return [
        Peer(f"{name}, durable", OwnDialect(confirmed=True), command("sqlite")),
        Peer(f"{name}, in memory", OwnDialect(confirmed=False), command("memory:")),
    ]
