"""Courses: how the flows of the crash matrix are set up and compared."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

from scripted_model import ScriptedModel
from vale_bench import Vale

__all__ = ["Course", "Step"]

Step = Callable[[Vale], Awaitable[None]]
"""Plays what goes before a flow, marks, and sets it going."""


class Course(NamedTuple):
    """What of a flow does not follow from its step.

    Attributes:
        by_chance: columns and tables that depend on draws or ids of the flow itself.
        people: how many are connected while it runs, the service not counted.
        world: changes the document of Test Vale before it is published.
        told: makes the text model that the step plays with; the flow's own one by default.
        is_race: the calls may take effect in turn as well, each after all that follows from the
            one before: a crash can decide about that.

    The others are those of ``Flow``.
    """

    by_chance: frozenset[str] = frozenset()
    people: int = 1
    world: Callable[[dict[str, Any]], None] | None = None
    model: Callable[[], ScriptedModel] | None = None
    told: Callable[[], ScriptedModel] | None = None
    waits: tuple[int, ...] = ()
    is_race: bool = False
    is_parting: bool = False
    is_replay: bool = False
    is_parked: bool = False
