"""Command ``docs``: the pages of the documentation that are made from the code."""

from __future__ import annotations

from typing import Literal

import typer

from server.admin.catalogue import COMMANDS
from server.admin.page import admin_page
from server.commands.cli_page import cli_page
from server.telemetry.page import metrics_page

__all__ = ["page_text"]


def page_text(page: Literal["admin", "cli", "metrics"], app: typer.Typer) -> str:
    """A page as Markdown, as it stands in ``docs/``; ``app`` is the command line."""
    if page == "cli":
        return cli_page(app)
    return admin_page(COMMANDS.values()) if page == "admin" else metrics_page()
