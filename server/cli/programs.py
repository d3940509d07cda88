"""Commands that hand the line on to a program of its own, and what this program is."""

from __future__ import annotations

import sys

import typer

# ruff: noqa: PLC0415 - commands are imported when they run: a start pays for what it uses

__all__ = ["admin", "loadtest", "version"]


def admin(context: typer.Context) -> None:
    """Look at a running server and act on it."""
    from server.commands.admin import run_admin

    run_admin(context.args)


def loadtest(context: typer.Context) -> None:
    """Put load on a server, and report what it did."""
    import os

    os.execv(sys.executable, [sys.executable, "-m", "loadtest", *context.args])  # noqa: S606


def version() -> None:
    """Print the versions of server, Python and protocol."""
    import platform

    from protocol.upgrade import SUPPORTED
    from server import __version__

    protocols = ", ".join(protocol.value for protocol in SUPPORTED)
    typer.echo(f"genarrative-server {__version__}, Python {platform.python_version()}, {protocols}")
