from __future__ import annotations

from pathlib import Path

from server.cli import app
from server.commands.cli_page import cli_page

PAGE = Path(__file__).parents[3] / "docs" / "cli.md"


def test_the_page_is_what_the_commands_say():
    assert PAGE.read_text() == cli_page(app), "genarrative docs cli > docs/cli.md"


def test_the_page_has_every_command_and_option():
    text = cli_page(app)
    for heading in ("serve", "call", "sql", "subscribe", "logs", "schema export", "config show"):
        assert f"\n## genarrative {heading}\n" in text
    for option in ("`--num-updates`, `-n`", "`--json`", "`--token-file`", "`ARGUMENTS...`"):
        assert option in text
    assert "genarrative admin\n" not in text
