"""Commands of a server on this machine: it runs, or one sees whether it could."""

from __future__ import annotations

from typing import Annotated

import typer

from server.cli.options import SETTING_OPTIONS, AsJson, Chosen, takes_settings

# ruff: noqa: PLC0415 - commands are imported when they run: a start pays for what it uses

__all__ = ["config", "doctor", "migrate", "serve"]

config = typer.Typer(help="Settings.", no_args_is_help=True)
migrate = typer.Typer(help="A module over the data of another version.", no_args_is_help=True)


@takes_settings(*SETTING_OPTIONS)
def serve(
    *,
    chosen: Chosen,
    reset: Annotated[bool, typer.Option("--reset", help="Empty the data folder first.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Answer --reset's question.")] = False,
) -> None:
    """Serve a module until a signal ends it; prints one line when it is ready."""
    from server.commands.serve import run_server

    loaded = chosen.load()
    if reset and not yes:
        typer.confirm(f"Delete everything in {loaded.settings.data_dir}?", abort=True)
    run_server(loaded, reset=reset)


@takes_settings("config", "host", "port", "data_dir", "store", "module")
def doctor(*, chosen: Chosen, as_json: AsJson = False) -> None:
    """Check everything that a server needs, and say what to do; exits 1 on errors."""
    from server.commands.doctor import run_doctor

    if not run_doctor(chosen.config, chosen.flags, as_json=as_json):
        raise typer.Exit(1)


@config.command("show")
@takes_settings("config")
def show_config(*, chosen: Chosen, as_json: AsJson = False) -> None:
    """Print every effective setting and where its value came from."""
    from server.commands.show_config import print_settings

    print_settings(chosen.load(), as_json=as_json)


@migrate.command("plan")
@takes_settings("module", "data_dir", "store", "database", "dev_fixtures", "config")
def migrate_plan(*, chosen: Chosen, as_json: AsJson = False) -> None:
    """Tell what a start would make of the store; exits 3 when it would be refused."""
    from server.commands.migrate import print_plan
    from server.errors import EXIT_SCHEMA

    if not print_plan(chosen.load().settings, as_json=as_json):
        raise typer.Exit(EXIT_SCHEMA)
