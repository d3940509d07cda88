"""Scenarios: what a load can play, each in a file of its own with its rules."""

from __future__ import annotations

from loadtest.engine.scenario import Scenario
from loadtest.scenarios.admin_watch import ADMIN_WATCH
from loadtest.scenarios.bank import BANK
from loadtest.scenarios.battle import BATTLE
from loadtest.scenarios.chat import CHAT
from loadtest.scenarios.churn import CHURN
from loadtest.scenarios.fanout import FANOUT
from loadtest.scenarios.private_rows import PRIVATE_ROWS
from loadtest.scenarios.progression import PROGRESSION
from loadtest.scenarios.soak import SOAK
from loadtest.scenarios.story import STORY

__all__ = ["SCENARIOS"]

SCENARIOS: dict[str, Scenario] = {
    scenario.name: scenario
    for scenario in (
        STORY,
        BATTLE,
        PROGRESSION,
        CHAT,
        BANK,
        FANOUT,
        PRIVATE_ROWS,
        CHURN,
        SOAK,
        ADMIN_WATCH,
    )
}
"""By name, in the order in which they are told."""
