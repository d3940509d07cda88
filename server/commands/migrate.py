"""Command ``migrate plan``: what a start would make of a store, without a start."""

from __future__ import annotations

import asyncio
import json
import sys
from dataclasses import asdict
from pathlib import Path

from actors.host.numbering import META_KEYS, plan_of
from actors.module import Module
from actors.operations import MODULE as OPERATIONS_MODULE
from persistence.locator import find_place
from persistence.meta_survey import survey_meta
from server.settings import Settings

__all__ = ["print_plan"]


def print_plan(settings: Settings, *, as_json: bool) -> bool:
    """Print how the settings' module differs from what their store was written with.

    A running server is not disturbed, and nothing is written. Answers whether the module can be
    served over the store; if not, a start prints the same text and ends with exit code 3.

    Raises:
        ActorError: the module cannot be loaded.
        StoreError: the store cannot be read.
    """
    sys.path.insert(0, str(Path.cwd()))
    module = Module.load(
        settings.module, fixtures=settings.dev_fixtures, beside=[OPERATIONS_MODULE]
    )
    place = find_place(
        settings.store,
        settings.data_dir,
        name=settings.database,
        redis_password=settings.redis_password.get_secret_value() or None,
    )
    plan = plan_of(module, asyncio.run(survey_meta(place, META_KEYS)))
    if as_json:
        shown = {
            "refused": plan.is_refused,
            "empty": plan.is_first,
            "changes": [asdict(change) for change in plan.changes],
        }
        sys.stdout.write(json.dumps(shown, indent=2) + "\n")
    else:
        sys.stdout.write(f"{plan}\n")
    return not plan.is_refused
