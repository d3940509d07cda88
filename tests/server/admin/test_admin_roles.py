from __future__ import annotations

import pytest
from command_samples import sample
from desk import RefusedError

from server.admin.catalogue import COMMANDS
from server.admin.commands import Command
from server.admin.roles import Role


async def outcome(line, command: Command) -> str:
    """The code of the error that a command ends with; empty when it succeeds."""
    try:
        await line.ask(command.name, **sample(command))
    except RefusedError as error:
        return error.code
    return ""


@pytest.mark.parametrize("role", [Role.READ, Role.OPERATE])
async def test_what_a_role_may_not_is_refused_and_leaves_no_trace(desk, role):
    beyond = [command for command in COMMANDS.values() if command.role > role]
    assert beyond
    async with desk.line(desk.token(role)) as line:
        for command in beyond:
            with pytest.raises(RefusedError) as caught:
                await line.ask(command.name, **sample(command))
            assert caught.value.code == "auth.forbidden", command.name
            assert caught.value.data["role"] == command.role.claim
        assert (await line.ask("audit.list"))["records"] == []


async def test_whoever_may_read_may_run_every_command_that_reads(desk):
    async with desk.line(desk.token(Role.READ)) as line:
        for command in COMMANDS.values():
            if command.role is Role.READ:
                code = await outcome(line, command)
                assert code not in {"auth.forbidden", "command.failed"}, command.name
        assert (await line.ask("audit.list"))["records"] == []


def test_a_role_includes_those_before_it():
    assert Role.READ < Role.OPERATE < Role.DANGER
    assert [Role.of_claim(role.claim) for role in Role] == list(Role)
    assert Role.of_claim("king") is None


@pytest.mark.parametrize("command", COMMANDS.values(), ids=lambda command: command.name)
def test_a_command_is_described(command: Command):
    assert command.summary.endswith("."), "one sentence"
    assert len(command.summary) < 100
    assert command.group
    assert command.verb
    models = [command.params, command.result, *([command.event] if command.event else ())]
    for model in models:
        for schema in [model.model_json_schema()]:
            parts = [schema, *schema.get("$defs", {}).values()]
            for part in parts:
                for name, field in part.get("properties", {}).items():
                    assert field.get("description"), f"{model.__name__}.{name}"
    assert command.mutates == ("reason" in command.params.model_fields)
