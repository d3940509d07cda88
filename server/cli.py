"""Command line: parses arguments, calls one command, turns expected errors into exit codes.

Exit codes: 0 done, or stopped by a signal; 1 the user said no, or a defect; 2 settings, data
folder, port or arguments do not allow it; 3 the store holds another schema (domain 1.11, 1.13).
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
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Print every effective setting and where its value came from."""
    from server.commands.show_config import print_settings
    from server.settings import load_settings

    print_settings(load_settings({}, config), as_json=as_json)


@app.command()
def generate(
    *,
    out: Annotated[Path, typer.Option(help="Folder for the generated files.")],
    lang: Annotated[Literal["typescript"], typer.Option(help="Language.")] = "typescript",
    module: _Module = None,
    announcements: Annotated[
        bool, typer.Option("--announcements", help="Include what operators announce.")
    ] = False,
    config: _Config = None,
) -> None:
    """Generate client bindings of a module."""
    from server.commands.generate import generate_bindings
    from server.settings import load_settings

    assert lang == "typescript", "typer lets nothing else through"
    settings = load_settings(_given(module=module), config).settings
    lines = generate_bindings(
        settings.module, out, fixtures=settings.dev_fixtures, announced=announcements
    )
    for line in lines:
        typer.echo(line)


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


@app.command()
def docs(
    page: Annotated[Literal["admin", "metrics"], typer.Argument(help="Which page.")],
) -> None:
    """Print a page of the documentation that is made from the code."""
    from server.commands.docs import page_text

    typer.echo(page_text(page), nl=False)


@app.command()
def doctor(
    *,
    config: _Config = None,
    host: _Host = None,
    port: _Port = None,
    data_dir: _DataDir = None,
    store: _Store = None,
    module: _Module = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
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
    from server.errors import EXIT_REFUSED, EXIT_SCHEMA, ServerError

    if isinstance(error, SchemaMismatchError | StoreFormatError):
        return EXIT_SCHEMA
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
