"""Catalogue: every command that this server has, by name."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from server.admin import (
    actor_commands,
    announcement_commands,
    audit_commands,
    call_commands,
    connection_commands,
    letter_commands,
    log_commands,
    moderation_commands,
    server_commands,
    subscription_commands,
    tail_commands,
)
from server.admin.commands import Command, commands_of

__all__ = ["COMMANDS"]

_MODULES = (
    server_commands,
    connection_commands,
    actor_commands,
    subscription_commands,
    letter_commands,
    call_commands,
    moderation_commands,
    announcement_commands,
    audit_commands,
    tail_commands,
    log_commands,
)
"""Modules whose commands operators have, in the order of the documentation."""


def _by_name() -> dict[str, Command]:
    commands: dict[str, Command] = {}
    for command in commands_of(_MODULES):
        assert commands.setdefault(command.name, command) is command, f"{command.name} twice"
    return commands


COMMANDS: Mapping[str, Command] = MappingProxyType(_by_name())
"""All commands by name; those of one group stand together."""
