"""Commands about tokens, and the keys of a data folder that sign them; they need no server."""

from __future__ import annotations

from typing import Annotated

import typer

from server.cli.options import AsJson, Chosen, takes_settings

# ruff: noqa: PLC0415 - commands are imported when they run: a start pays for what it uses

__all__ = ["keys", "token"]

keys = typer.Typer(help="What signs the tokens of a data folder.", no_args_is_help=True)


@takes_settings("data_dir", "config")
def token(
    *,
    role: Annotated[list[str], typer.Option(help="Role to carry; may be repeated.")],
    subject: Annotated[str, typer.Option(help="Subject; the roles when absent.")] = "",
    expires_in: Annotated[int, typer.Option(help="Seconds of life.", min=1)] = 86_400,
    chosen: Chosen,
) -> None:
    """Print a token that is signed by the key of the data folder."""
    from server.commands.mint_token import mint_token

    folder = chosen.load().settings.data_dir
    typer.echo(mint_token(folder, role, subject or "+".join(role), expires_in))


@keys.command("list")
@takes_settings("data_dir", "config")
def keys_list(*, chosen: Chosen, as_json: AsJson = False) -> None:
    """List the keys, newest first: it signs, and all of them verify."""
    from server.commands.keys import list_keys

    list_keys(chosen.load().settings.data_dir, as_json=as_json)


@keys.command("rotate")
@takes_settings("data_dir", "config")
def keys_rotate(*, chosen: Chosen, as_json: AsJson = False) -> None:
    """Make a key that signs from now on; tokens of the others stay good."""
    from server.commands.keys import rotate_keys

    rotate_keys(chosen.load().settings.data_dir, as_json=as_json)


@keys.command("retire")
@takes_settings("data_dir", "config")
def keys_retire(
    *,
    kid: Annotated[str, typer.Argument(help="Key id, as `keys list` shows it.")],
    yes: Annotated[bool, typer.Option("--yes", help="Answer the question.")] = False,
    chosen: Chosen,
) -> None:
    """Delete a key: every token that it signed is refused from now on."""
    from server.commands.keys import retire_key

    folder = chosen.load().settings.data_dir
    if not yes:
        typer.confirm(f"Refuse every token that {kid} signed?", abort=True)
    retire_key(folder, kid)
