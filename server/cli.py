"""Command line: parses arguments, calls one command, turns expected errors into exit codes.

Exit codes: 0 done, or stopped by a signal; 1 a server or the user said no, or a defect; 2 settings,
data folder, port or arguments do not allow it, or no server is there; 3 the store holds another
schema (domain 1.11, 1.13).
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

# ruff: noqa: PLC0415 - commands are imported when they run: a start pays for what it uses

__all__ = ["app", "main"]

app = typer.Typer(
    name="genarrative",
    help="Realtime actor server for narrative games that speaks the SpacetimeDB wire protocol.",
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
_config = typer.Typer(help="Settings.", no_args_is_help=True)
app.add_typer(_config, name="config")

_schema = typer.Typer(help="A module's definition.", no_args_is_help=True)
app.add_typer(_schema, name="schema")

_migrate = typer.Typer(help="A module over the data of another version.", no_args_is_help=True)
app.add_typer(_migrate, name="migrate")

_keys = typer.Typer(help="What signs the tokens of a data folder.", no_args_is_help=True)
app.add_typer(_keys, name="keys")

_Config = Annotated[
    Path | None, typer.Option("--config", help="Settings file [default: ./genarrative.toml].")
]
_Host = Annotated[str | None, typer.Option(help="Address to listen on.")]
_Port = Annotated[int | None, typer.Option(help="Port; 0 takes any free one.")]
_DataDir = Annotated[Path | None, typer.Option(help="Folder of journal, keys and lock.")]
_Store = Annotated[
    str | None, typer.Option(help="sqlite, sqlite:///PATH, redis://HOST:PORT/DB or memory:")
]
_Retention = Annotated[
    str | None, typer.Option(help="History kept, as in records=1000,bytes=1MiB,age=7d;story:full")
]
_Module = Annotated[str | None, typer.Option(help="Python module to serve.")]
_Database = Annotated[str | None, typer.Option(help="Name of the database in addresses.")]
_PublicBind = Annotated[
    bool | None, typer.Option("--allow-public-bind", help="Permit a non-loopback address.")
]
_Admin = Annotated[bool | None, typer.Option("--admin/--no-admin", help="Let operators in.")]
_AdminHost = Annotated[str | None, typer.Option(help="Address for operators.")]
_AdminPort = Annotated[
    int | None, typer.Option(help="Port for operators; the one after the server's when absent.")
]
_AdminPublicBind = Annotated[
    bool | None,
    typer.Option("--admin-allow-public-bind", help="Permit a non-loopback address for operators."),
]
_RateLimits = Annotated[
    bool | None, typer.Option("--rate-limits/--no-rate-limits", help="Limit calls per user.")
]
_MemoryBudget = Annotated[
    str | None, typer.Option(help="What actors may take in memory, as in 512MiB.")
]
_DevFixtures = Annotated[
    bool | None,
    typer.Option("--dev-fixtures/--no-dev-fixtures", help="Allow the fixture world."),
]
_LogLevel = Annotated[str | None, typer.Option(help="debug, info, warning or error.")]
_LogFormat = Annotated[str | None, typer.Option(help="pretty or json.")]
_Server = Annotated[
    str | None, typer.Option(help="Server's URL; the local one of the settings when absent.")
]
_Asked = Annotated[
    str | None, typer.Option("--database", help="Name or identity; the settings' when absent.")
]
_TokenFile = Annotated[
    Path | None, typer.Option(help="Has the caller's token; else GENARRATIVE_TOKEN may.")
]
_Confirmed = Annotated[
    bool | None, typer.Option("--confirmed/--no-confirmed", help="Wait until it is durable.")
]
_AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def _given(**flags: object) -> dict[str, object]:
    """Keep the settings that the command line really named."""
    return {key: value for key, value in flags.items() if value is not None}


@app.command()
def serve(
    *,
    config: _Config = None,
    host: _Host = None,
    port: _Port = None,
    data_dir: _DataDir = None,
    store: _Store = None,
    retention: _Retention = None,
    module: _Module = None,
    database: _Database = None,
    allow_public_bind: _PublicBind = None,
    admin: _Admin = None,
    admin_host: _AdminHost = None,
    admin_port: _AdminPort = None,
    admin_allow_public_bind: _AdminPublicBind = None,
    rate_limits: _RateLimits = None,
    memory_budget: _MemoryBudget = None,
    dev_fixtures: _DevFixtures = None,
    log_level: _LogLevel = None,
    log_format: _LogFormat = None,
    reset: Annotated[bool, typer.Option("--reset", help="Empty the data folder first.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Answer --reset's question.")] = False,
) -> None:
    """Serve a module until a signal ends it; prints one line when it is ready."""
    from server.commands.serve import run_server
    from server.settings import load_settings

    flags = _given(
        host=host,
        port=port,
        data_dir=data_dir,
        store=store,
        retention=retention,
        module=module,
        database=database,
        allow_public_bind=allow_public_bind,
        admin=admin,
        admin_host=admin_host,
        admin_port=admin_port,
        admin_allow_public_bind=admin_allow_public_bind,
        rate_limits=rate_limits,
        memory_budget=memory_budget,
        dev_fixtures=dev_fixtures,
        log_level=log_level,
        log_format=log_format,
    )
    loaded = load_settings(flags, config)
    if reset and not yes:
        typer.confirm(f"Delete everything in {loaded.settings.data_dir}?", abort=True)
    run_server(loaded, reset=reset)


@_config.command("show")
def show_config(
    *,
    config: _Config = None,
    as_json: _AsJson = False,
) -> None:
    """Print every effective setting and where its value came from."""
    from server.commands.show_config import print_settings
    from server.settings import load_settings

    print_settings(load_settings({}, config), as_json=as_json)


@app.command()
def generate(
    *,
    out: Annotated[Path, typer.Option(help="Folder for bindings; file for a JSON Schema.")],
    lang: Annotated[
        Literal["typescript", "json-schema"], typer.Option(help="What to generate.")
    ] = "typescript",
    module: _Module = None,
    announcements: Annotated[
        bool, typer.Option("--announcements", help="Include what operators announce.")
    ] = False,
    config: _Config = None,
) -> None:
    """Generate client bindings of a module, or its JSON Schema."""
    from server.commands.generate import generate_bindings, generate_json_schema
    from server.settings import load_settings

    settings = load_settings(_given(module=module), config).settings
    write = generate_bindings if lang == "typescript" else generate_json_schema
    lines = write(settings.module, out, fixtures=settings.dev_fixtures, announced=announcements)
    for line in lines:
        typer.echo(line)


@_schema.command("export")
def schema_export(
    *,
    version: Annotated[Literal["9", "10"], typer.Option(help="Version of the format.")] = "10",
    out: Annotated[Path | None, typer.Option(help="File; standard output when absent.")] = None,
    module: _Module = None,
    config: _Config = None,
) -> None:
    """Print a module's definition as `spacetime generate --module-def` takes it."""
    from server.commands.schema import export_schema
    from server.settings import load_settings

    settings = load_settings(_given(module=module), config).settings
    export_schema(settings.module, int(version), out, fixtures=settings.dev_fixtures)


@app.command()
def describe(
    *,
    kind: Annotated[
        Literal["table", "view", "reducer", "procedure", "type"] | None,
        typer.Argument(help="Of what to tell alone."),
    ] = None,
    name: Annotated[str | None, typer.Argument(help="Its name.")] = None,
    server: _Server = None,
    database: _Asked = None,
    token_file: _TokenFile = None,
    config: _Config = None,
    as_json: _AsJson = False,
) -> None:
    """Describe what a database publishes."""
    from server.commands.client_link import find_target
    from server.commands.describe import describe_database
    from server.errors import StartError

    if kind is not None and name is None:
        raise StartError(f"which {kind}?")
    target = find_target(server, database, token_file, config)
    describe_database(target, kind, name, as_json=as_json)


@app.command(context_settings={"ignore_unknown_options": True})
def call(
    *,
    function: Annotated[str, typer.Argument(help="Reducer or procedure.")],
    arguments: Annotated[
        list[str] | None, typer.Argument(help="JSON in order; texts need no quotes.")
    ] = None,
    server: _Server = None,
    database: _Asked = None,
    token_file: _TokenFile = None,
    config: _Config = None,
    as_json: _AsJson = False,
) -> None:
    """Call a reducer or a procedure; prints what a procedure answers."""
    from server.commands.call import call_function
    from server.commands.client_link import find_target

    target = find_target(server, database, token_file, config)
    call_function(target, function, arguments or [], as_json=as_json)


@app.command()
def sql(
    *,
    query: Annotated[str, typer.Argument(help="One statement.")],
    confirmed: _Confirmed = None,
    server: _Server = None,
    database: _Asked = None,
    token_file: _TokenFile = None,
    config: _Config = None,
    as_json: _AsJson = False,
) -> None:
    """Run a SQL statement."""
    from server.commands.client_link import find_target
    from server.commands.sql import run_sql

    target = find_target(server, database, token_file, config)
    run_sql(target, query, as_json=as_json, confirmed=confirmed)


@app.command()
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
    confirmed: _Confirmed = None,
    server: _Server = None,
    database: _Asked = None,
    token_file: _TokenFile = None,
    config: _Config = None,
    as_json: _AsJson = False,
) -> None:
    """Subscribe to queries, and print each update as a line of JSON."""
    from server.commands.client_link import find_target
    from server.commands.subscribe import Wish, print_updates

    del as_json  # there is no other form
    target = find_target(server, database, token_file, config)
    wish = Wish(queries, num_updates, timeout, print_initial_update, confirmed)
    print_updates(target, wish)


@app.command()
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
    server: _Server = None,
    database: _Asked = None,
    token_file: _TokenFile = None,
    config: _Config = None,
    as_json: _AsJson = False,
) -> None:
    """Print a server's logs; needs the role service or admin."""
    from server.commands.client_link import find_target
    from server.commands.logs import print_logs

    target = find_target(server, database, token_file, config)
    print_logs(target, count=num_lines, follow=follow, level=level, as_json=as_json)


@_migrate.command("plan")
def migrate_plan(
    *,
    module: _Module = None,
    data_dir: _DataDir = None,
    store: _Store = None,
    database: _Database = None,
    dev_fixtures: _DevFixtures = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    config: _Config = None,
) -> None:
    """Tell what a start would make of the store; exits 3 when it would be refused."""
    from server.commands.migrate import print_plan
    from server.errors import EXIT_SCHEMA
    from server.settings import load_settings

    flags = _given(
        module=module,
        data_dir=data_dir,
        store=store,
        database=database,
        dev_fixtures=dev_fixtures,
    )
    if not print_plan(load_settings(flags, config).settings, as_json=as_json):
        raise typer.Exit(EXIT_SCHEMA)


@app.command()
def token(
    role: Annotated[list[str], typer.Option(help="Role to carry; may be repeated.")],
    subject: Annotated[str, typer.Option(help="Subject [default: the roles].")] = "",
    expires_in: Annotated[int, typer.Option(help="Seconds of life.", min=1)] = 86_400,
    data_dir: _DataDir = None,
    config: _Config = None,
) -> None:
    """Print a token that is signed by the key of the data folder."""
    from server.commands.mint_token import mint_token
    from server.settings import load_settings

    settings = load_settings(_given(data_dir=data_dir), config).settings
    typer.echo(mint_token(settings.data_dir, role, subject or "+".join(role), expires_in))


@_keys.command("list")
def keys_list(
    *, data_dir: _DataDir = None, config: _Config = None, as_json: _AsJson = False
) -> None:
    """List the keys, newest first: it signs, and all of them verify."""
    from server.commands.keys import list_keys
    from server.settings import load_settings

    settings = load_settings(_given(data_dir=data_dir), config).settings
    list_keys(settings.data_dir, as_json=as_json)


@_keys.command("rotate")
def keys_rotate(
    *, data_dir: _DataDir = None, config: _Config = None, as_json: _AsJson = False
) -> None:
    """Make a key that signs from now on; tokens of the others stay good."""
    from server.commands.keys import rotate_keys
    from server.settings import load_settings

    settings = load_settings(_given(data_dir=data_dir), config).settings
    rotate_keys(settings.data_dir, as_json=as_json)


@_keys.command("retire")
def keys_retire(
    *,
    kid: Annotated[str, typer.Argument(help="Key id, as `keys list` shows it.")],
    yes: Annotated[bool, typer.Option("--yes", help="Answer the question.")] = False,
    data_dir: _DataDir = None,
    config: _Config = None,
) -> None:
    """Delete a key: every token that it signed is refused from now on."""
    from server.commands.keys import retire_key
    from server.settings import load_settings

    settings = load_settings(_given(data_dir=data_dir), config).settings
    if not yes:
        typer.confirm(f"Refuse every token that {kid} signed?", abort=True)
    retire_key(settings.data_dir, kid)


@app.command()
def docs(
    page: Annotated[Literal["admin", "cli", "metrics"], typer.Argument(help="Which page.")],
) -> None:
    """Print a page of the documentation that is made from the code."""
    from server.commands.docs import page_text

    typer.echo(page_text(page, app), nl=False)


@app.command()
def doctor(
    *,
    config: _Config = None,
    host: _Host = None,
    port: _Port = None,
    data_dir: _DataDir = None,
    store: _Store = None,
    module: _Module = None,
    as_json: _AsJson = False,
) -> None:
    """Check everything that a server needs, and say what to do; exits 1 on errors."""
    from server.commands.doctor import run_doctor

    flags = _given(host=host, port=port, data_dir=data_dir, store=store, module=module)
    if not run_doctor(config, flags, as_json=as_json):
        raise typer.Exit(1)


@app.command(
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
    add_help_option=False,
    help="Look at a running server and act on it.",
)
def admin(context: typer.Context) -> None:
    """Hand the rest of the line to the operators' commands, which know their own options."""
    from server.commands.admin import run_admin

    run_admin(context.args)


@app.command(
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
    add_help_option=False,
    help="Put load on a server, and report what it did.",
)
def loadtest(context: typer.Context) -> None:
    """Hand the rest of the line to the load tests, which are a program of their own."""
    import os

    os.execv(sys.executable, [sys.executable, "-m", "loadtest", *context.args])  # noqa: S606


@app.command()
def version() -> None:
    """Print the versions of server, Python and protocol."""
    import platform

    from protocol.upgrade import SUPPORTED
    from server import __version__

    protocols = ", ".join(protocol.value for protocol in SUPPORTED)
    typer.echo(f"genarrative-server {__version__}, Python {platform.python_version()}, {protocols}")


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
