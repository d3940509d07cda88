"""Commands that write what a module is, for those who make its clients; they need no server."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from server.cli.options import Chosen, takes_settings

# ruff: noqa: PLC0415 - commands are imported when they run: a start pays for what it uses

__all__ = ["generate", "schema"]

schema = typer.Typer(help="A module's definition.", no_args_is_help=True)


@takes_settings("module", "config")
def generate(
    *,
    out: Annotated[Path, typer.Option(help="Folder for bindings; file for a JSON Schema.")],
    lang: Annotated[
        Literal["typescript", "json-schema"], typer.Option(help="What to generate.")
    ] = "typescript",
    announcements: Annotated[
        bool, typer.Option("--announcements", help="Include what operators announce.")
    ] = False,
    chosen: Chosen,
) -> None:
    """Generate client bindings of a module, or its JSON Schema."""
    from server.commands.generate import generate_bindings, generate_json_schema

    settings = chosen.load().settings
    write = generate_bindings if lang == "typescript" else generate_json_schema
    lines = write(settings.module, out, fixtures=settings.dev_fixtures, announced=announcements)
    for line in lines:
        typer.echo(line)


@schema.command("export")
@takes_settings("module", "config")
def schema_export(
    *,
    version: Annotated[Literal["9", "10"], typer.Option(help="Version of the format.")] = "10",
    out: Annotated[Path | None, typer.Option(help="File; standard output when absent.")] = None,
    chosen: Chosen,
) -> None:
    """Print a module's definition as `spacetime generate --module-def` takes it."""
    from server.commands.schema import export_schema

    settings = chosen.load().settings
    export_schema(settings.module, int(version), out, fixtures=settings.dev_fixtures)
