from __future__ import annotations

from pathlib import Path

from server.cli.options import SETTING_OPTIONS, Chosen
from server.settings import Settings


def test_options_are_named_like_the_settings_that_they_set():
    assert set(SETTING_OPTIONS) - {"config"} <= set(Settings.model_fields)


def test_what_the_command_line_does_not_name_is_left_to_other_sources():
    chosen = Chosen.of(config=Path("a.toml"), host=None, port=0, admin=False)
    assert chosen == ({"port": 0, "admin": False}, Path("a.toml"))
