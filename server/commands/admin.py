"""Command ``admin``: every command of the admin channel, as the catalogue declares it.

Exit codes: 0 done; 1 the server refuses, or the operator does; 2 the arguments are wrong, or the
server cannot be reached.
"""

from __future__ import annotations

import asyncio
import inspect
import json
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, NoReturn

import typer
from pydantic import ValidationError
from rich.markup import escape

from server.admin.catalogue import COMMANDS
from server.admin.commands import Command
from server.admin.roles import Role
from server.admin.tokens import mint_admin_token
from server.commands.admin_link import AdminAddress, AdminLink, find_address, linked
from server.commands.admin_options import REASON, common_options, field_options, given_params
from server.commands.admin_show import console_for_people, notice_lines, render
from server.commands.admin_values import harmless
from server.errors import EXIT_FAILED, EXIT_REFUSED, CommandError, ServerError, StartError
from server.identity.issuers import TrustedIssuers
from server.identity.signing_keys import SigningKeys
from server.identity.tokens import Authenticator
from server.settings import load_settings

__all__ = ["run_admin"]

_WITHOUT = frozenset({"tail.end"})
"""Commands about the connection itself: here the end of the program is the end of it."""


def run_admin(arguments: Sequence[str]) -> None:
    """Run a command line; ends the process with its exit code.

    Help needs no server: the commands are part of the program.
    """
    app = typer.Typer(
        help="Look at a running server and act on it.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
    )
    groups: dict[str, list[Command]] = {}
    for command in COMMANDS.values():
        if command.name not in _WITHOUT:
            groups.setdefault(command.group, []).append(command)
    for name, commands in groups.items():
        text = ", ".join(command.verb for command in commands)
        group = typer.Typer(help=f"{text[0].upper()}{text[1:]}.", no_args_is_help=True)
        for command in commands:
            group.command(command.verb, help=_help(command))(_function(command))
        app.add_typer(group, name=name)
    app.command("mint-token")(_mint_token)
    app(list(arguments), prog_name="genarrative admin")


def _help(command: Command) -> str:
    paragraphs = [" ".join(part.split()) for part in command.text.split("\n\n")]
    need = f"Needs the role {command.role.claim}."
    return escape("\n\n".join((*paragraphs, need)).replace("``", "`"))


def _function(command: Command) -> Any:
    """A function whose signature is the command's, for the parser to read."""

    def run(**options: Any) -> None:
        _run(command, options)

    parameters = [*field_options(command), *common_options(command)]
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {entry.name: entry.annotation for entry in parameters}
    return run


def _run(command: Command, options: Mapping[str, Any]) -> None:
    try:
        address = _address(options)
        params = _checked(command, options)
        if command.role is Role.DANGER and not options["cli_yes"]:
            _confirm(command, address.url)
        asyncio.run(_talk(command, params, address, options))
    except CommandError as error:
        _end(error, EXIT_FAILED)
    except (ServerError, ValueError) as error:
        _end(error, EXIT_REFUSED)
    except KeyboardInterrupt:
        sys.exit(0)  # how one leaves what goes on


def _address(options: Mapping[str, Any]) -> AdminAddress:
    data_dir, token_file = options["cli_data_dir"], options["cli_token_file"]
    settings = load_settings({} if data_dir is None else {"data_dir": data_dir}).settings
    return find_address(
        settings.data_dir, options["cli_url"], None if token_file is None else Path(token_file)
    )


def _checked(command: Command, options: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters, checked by the command's own model before anybody is asked."""
    params = given_params(command, options)
    if command.mutates and REASON not in params:
        if not sys.stdin.isatty():
            raise StartError(f"{command.name} needs --reason")
        params[REASON] = typer.prompt("Reason", err=True)
    try:
        checked = command.params.model_validate(params)
    except ValidationError as error:
        faults = error.errors(include_url=False, include_context=False)
        texts = [f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in faults]
        raise StartError("; ".join(texts)) from None
    return checked.model_dump(mode="json", exclude_unset=True)


def _confirm(command: Command, url: str) -> None:
    if not sys.stdin.isatty():
        raise StartError(f"{command.name} needs --yes where nobody can be asked")
    question = f"{command.name} on {url}: {command.summary} Go on?"
    if not typer.confirm(question, err=True):
        raise CommandError("operator.refused", "nothing was done")


async def _talk(
    command: Command, params: dict[str, Any], address: AdminAddress, options: Mapping[str, Any]
) -> None:
    async with linked(address) as link:
        if command.event is not None:
            await _follow(command, link, params, options)
            return
        seconds = options.get("cli_watch")
        while True:
            _show(command, await link.call(command.name, params), options)
            if seconds is None:
                return
            await asyncio.sleep(seconds)


def _show(command: Command, answer: dict[str, Any], options: Mapping[str, Any]) -> None:
    is_watched = options.get("cli_watch") is not None
    if options["cli_as_json"]:
        text = json.dumps(answer, ensure_ascii=False, indent=None if is_watched else 2)
        sys.stdout.write(f"{text}\n")
    else:
        console = console_for_people()
        if is_watched:
            console.clear()  # does nothing in a pipe
        console.print(render(command.name, harmless(answer), console))
    sys.stdout.flush()


async def _follow(
    command: Command, link: AdminLink, params: dict[str, Any], options: Mapping[str, Any]
) -> None:
    """Print what comes until there were enough entries, or for ever."""
    console = console_for_people()
    left = options["cli_lines"]
    await link.call(command.name, params)
    async for notice in link.notifications(command.name):
        entries = notice["entries"][:left]
        if options["cli_as_json"]:
            for entry in entries:
                sys.stdout.write(json.dumps(entry, ensure_ascii=False) + "\n")
        else:
            for line in notice_lines(harmless(notice | {"entries": entries})):
                console.print(line, soft_wrap=True)
        sys.stdout.flush()
        if left is not None:
            left -= len(entries)
            if left <= 0:
                return


def _end(error: Exception, code: int) -> NoReturn:
    sys.stderr.write(f"genarrative: {harmless(str(error))}\n")
    sys.exit(code)


def _mint_token(
    role: Annotated[Literal["read", "operate", "danger"], typer.Option(help="What it may do.")],
    name: Annotated[str, typer.Option("--for", help="Who it is for; the audit says so.")],
    expires_in: Annotated[int, typer.Option(help="Seconds of life.", min=1)] = 2_592_000,
    data_dir: Annotated[Path | None, typer.Option(help="Folder of the server's key.")] = None,
) -> None:
    """Print a token for an operator, signed by the key of the data folder; needs no server."""
    folder = load_settings({} if data_dir is None else {"data_dir": data_dir}).settings.data_dir
    issuers = TrustedIssuers((), time.monotonic)
    clock = lambda: time.time_ns() // 1_000  # noqa: E731
    authenticator = Authenticator(SigningKeys.load(folder), issuers, clock=clock)
    found = Role.of_claim(role)
    assert found is not None, "typer lets nothing else through"
    typer.echo(mint_admin_token(authenticator, found, name, expires_in))
