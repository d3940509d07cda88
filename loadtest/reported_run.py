"""Reported run: one load, shown while it runs, and its report in the end."""

from __future__ import annotations

import time
from datetime import UTC, datetime

from rich.console import Console

from loadtest.engine.plan import Plan
from loadtest.reports.live import LiveView
from loadtest.reports.publishing import Publication, publish
from loadtest.run import OwnServer, RunningServer, run_load

__all__ = ["run_and_publish"]


async def run_and_publish(
    plan: Plan, place: RunningServer | OwnServer, publication: Publication, console: Console
) -> int:
    """Run a load and report it.

    Returns:
        The exit code.

    Raises:
        LoadTestError: it cannot begin, a process of it broke down, or its report cannot be
            written.
    """
    earlier = publication.earlier()
    began = datetime.fromtimestamp(time.time(), UTC)
    pace = f"{plan.rate:,.6g} calls/s" if plan.is_open else "a closed loop"
    title = f"{plan.scenario}: {plan.users:,} users, {pace}"
    with LiveView(console, title, plan.warm_up, plan.duration) as view:
        outcome = await run_load(plan, place, view.show)
    return publish(outcome, began, publication, earlier, console)
