from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from server.admin.catalogue import COMMANDS
from server.canary import Part
from server.commands.admin_options import OPTION_NAMES

DOCS = Path(__file__).parents[3] / "docs"
PAGE = (DOCS / "operations.md").read_text()
ALERTS = re.findall(r"- alert: (\w+)", (DOCS / "operations/alerts.yml").read_text())
TYPED = sorted(
    {
        line.partition(" #")[0].partition(" >")[0].strip()
        for line in re.findall(r"genarrative admin [a-z][^\n`|;]*", PAGE)
    }
)


def test_every_alert_says_what_to_do():
    rows = re.findall(r"^\| `(Genarrative\w+)` \| .+ \| .+ \|$", PAGE, re.MULTILINE)
    assert sorted(rows) == sorted(ALERTS)


def test_every_part_says_where_to_look():
    rows = re.findall(r"^\| `(\w+)` \| .+ \| .+ \|$", PAGE, re.MULTILINE)
    assert {part.name.lower() for part in Part} <= set(rows)


@pytest.mark.parametrize("typed", [line for line in TYPED if "mint-token" not in line])
def test_what_is_to_be_typed_can_be(typed):
    group, verb, *rest = shlex.split(typed)[2:]
    command = COMMANDS[f"{group}.{verb}"]
    known = {f"--{name.replace('_', '-')}" for name in command.params.model_fields}
    given = {word for word in rest if word.startswith("--")}
    assert given <= known | set(OPTION_NAMES.values())


def test_there_is_something_to_type():
    assert len(TYPED) > 30
