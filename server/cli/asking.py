"""Commands that ask a server, wherever it is, over its HTTP API."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from server.cli.options import AsJson, Asked, Confirmed, asks_server

# ruff: noqa: PLC0415 - commands are imported when they run: a start pays for what it uses

__all__ = ["call", "describe", "logs", "sql", "subscribe"]


@asks_server
def describe(
    *,
    kind: Annotated[
        Literal["table", "view", "reducer", "procedure", "type"] | None,
        typer.Argument(help="Of what to tell alone."),
    ] = None,
    name: Annotated[str | None, typer.Argument(help="Its name.")] = None,
    asked: Asked,
    as_json: AsJson = False,
) -> None:
    """Describe what a database publishes."""
    from server.commands.describe import describe_database
    from server.errors import StartError

    if kind is not None and name is None:
        raise StartError(f"which {kind}?")
    describe_database(asked.target(), kind, name, as_json=as_json)


@asks_server
def call(
    *,
    function: Annotated[str, typer.Argument(help="Reducer or procedure.")],
    arguments: Annotated[
        list[str] | None, typer.Argument(help="JSON in order; texts need no quotes.")
    ] = None,
    asked: Asked,
    as_json: AsJson = False,
) -> None:
    """Call a reducer or a procedure; prints what a procedure answers."""
    from server.commands.call import call_function

    call_function(asked.target(), function, arguments or [], as_json=as_json)


@asks_server
def sql(
    *,
    query: Annotated[str, typer.Argument(help="One statement.")],
    confirmed: Confirmed = None,
    asked: Asked,
    as_json: AsJson = False,
) -> None:
    """Run a SQL statement."""
    from server.commands.sql import run_sql

    run_sql(asked.target(), query, as_json=as_json, confirmed=confirmed)


@asks_server
def subscribe(
    *,
    queries: Annotated[list[str], typer.Argument(help="SQL queries, one subscription.")],
    num_updates: Annotated[
        int | None, typer.Option("--num-updates", "-n", help="End after so many updates.", min=0)
    ] = None,
    timeout: Annotated[
        float | None, typer.Option("--timeout", "-t", help="End after so many seconds.", min=0)
    ] = None,
    print_initial_update: Annotated[
        bool, typer.Option("--print-initial-update", help="Print what is there first.")
    ] = False,
    confirmed: Confirmed = None,
    asked: Asked,
    as_json: AsJson = False,
) -> None:
    """Subscribe to queries, and print each update as a line of JSON."""
    from server.commands.subscribe import Wish, print_updates

    del as_json  # there is no other form
    wish = Wish(queries, num_updates, timeout, print_initial_update, confirmed)
    print_updates(asked.target(), wish)


@asks_server
def logs(
    *,
    num_lines: Annotated[
        int | None, typer.Option("--num-lines", "-n", help="Only the last ones.", min=0)
    ] = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on as they come.")] = False,
    level: Annotated[
        Literal["trace", "debug", "info", "warn", "error", "panic"],
        typer.Option("--level", "-l", help="The least severe to show."),
    ] = "trace",
    asked: Asked,
    as_json: AsJson = False,
) -> None:
    """Print a server's logs; needs the role service or admin."""
    from server.commands.logs import print_logs

    print_logs(asked.target(), count=num_lines, follow=follow, level=level, as_json=as_json)
