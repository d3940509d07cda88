"""Command line: parses arguments, calls one command, turns expected errors into exit codes.

Exit codes: 0 done, or stopped by a signal; 1 a server or the user said no, or a defect; 2 settings,
data folder, port or arguments do not allow it, or no server is there; 3 the store holds another
schema (domain 1.11, 1.13).
"""

from __future__ import annotations

import sys
from typing import Annotated, Literal

import typer

from server.cli.asking import call, describe, logs, sql, subscribe
from server.cli.describing import generate, schema
from server.cli.programs import admin, loadtest, version
from server.cli.serving import config, doctor, migrate, serve
from server.cli.signing import keys, token

# ruff: noqa: PLC0415 - commands are imported when they run: a start pays for what it uses

__all__ = ["app", "main"]


def docs(
    page: Annotated[Literal["admin", "cli", "metrics"], typer.Argument(help="Which page.")],
) -> None:
    """Print a page of the documentation that is made from the code."""
    from server.commands.docs import page_text

    typer.echo(page_text(page, app), nl=False)


app = typer.Typer(
    name="genarrative",
    help="Realtime actor server for narrative games that speaks the SpacetimeDB wire protocol.",
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.command()(serve)
app.command()(generate)
app.command()(describe)
app.command(context_settings={"ignore_unknown_options": True})(call)
app.command()(sql)
app.command()(subscribe)
app.command()(logs)
app.command()(token)
app.command()(docs)
app.command()(doctor)
for program in (admin, loadtest):  # they read the rest of the line, ``--help`` too
    app.command(
        context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
        add_help_option=False,
    )(program)
app.command()(version)
app.add_typer(config, name="config")
app.add_typer(schema, name="schema")
app.add_typer(migrate, name="migrate")
app.add_typer(keys, name="keys")


def _exit_code(error: Exception) -> int | None:
    """Say with which code an expected error ends the process; None for a defect."""
    from actors.errors import ActorError, SchemaMismatchError
    from persistence.errors import StoreError, StoreFormatError
    from server.errors import EXIT_FAILED, EXIT_REFUSED, EXIT_SCHEMA, RefusedError, ServerError

    if isinstance(error, SchemaMismatchError | StoreFormatError):
        return EXIT_SCHEMA
    if isinstance(error, RefusedError):
        return EXIT_FAILED
    if isinstance(error, ServerError | ActorError | StoreError | OSError):
        return EXIT_REFUSED
    return None


def main() -> None:
    """Run the command line; expected errors are one line on standard error."""
    try:
        app()
    except Exception as error:
        code = _exit_code(error)
        if code is None:
            raise
        typer.echo(f"genarrative: {error}", err=True)
        sys.exit(code)
