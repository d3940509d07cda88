"""Progression over HTTP: levels, chapters, benchmarks and plans (domain 11.3)."""

from __future__ import annotations

from actors import Access, ProcedureContext, Route, struct
from actors.domains.domain_types import (
    ChapterProgressionPlan,
    ChapterProgressionSnapshot,
    LevelBenchmark,
    PlayerProgressionSnapshot,
)
from actors.domains.gameplay.benchmark import get_level_benchmark, plan_chapter_progression
from actors.domains.gameplay.chapter import (
    ChapterDeviationReport,
    get_chapter_deviation_report,
    get_chapter_progression,
    list_chapter_progression,
)
from actors.domains.gameplay.progression import (
    AcknowledgeLevelUps,
    acknowledge_level_ups,
    get_player_progression_or_default,
    grant_player_progression_experience,
    progression_of,
)
from actors.domains.kinds import USER

__all__ = ["ROUTES"]

_PATH = "/api/runtime/progression"


@struct
class ProgressionAnswer:
    """A user's level."""

    progression: PlayerProgressionSnapshot


@struct
class ChapterAnswer:
    """Plan and ledger of a chapter."""

    chapter: ChapterProgressionSnapshot


@struct
class DeviationAnswer:
    """How far a chapter is from its plan."""

    report: ChapterDeviationReport


@struct
class BenchmarkAnswer:
    """What a level costs, and how strong it is."""

    benchmark: LevelBenchmark


@struct
class ChapterPage:
    """The user's chapters of a world; all of them."""

    items: list[ChapterProgressionSnapshot]
    next_cursor: str | None = None


@struct
class PlanPage:
    """The plans of a world's chapters; all of them."""

    items: list[ChapterProgressionPlan]
    next_cursor: str | None = None


async def acknowledge(ctx: ProcedureContext, input: AcknowledgeLevelUps) -> ProgressionAnswer:
    """Count level-ups as seen, and answer what is left."""
    await ctx.call(acknowledge_level_ups, input)
    after = await ctx.read(USER.key(ctx.user_id), lambda view: progression_of(view.db, ctx.user_id))
    return ProgressionAnswer(after)


ROUTES = (
    Route("GET", _PATH, get_player_progression_or_default, ProgressionAnswer),
    Route("POST", f"{_PATH}/ack", acknowledge),
    Route("GET", f"{_PATH}/chapters", list_chapter_progression, ChapterPage),
    Route("GET", f"{_PATH}/chapters/{{chapter_id}}", get_chapter_progression, ChapterAnswer),
    Route(
        "GET",
        f"{_PATH}/chapters/{{chapter_id}}/deviation",
        get_chapter_deviation_report,
        DeviationAnswer,
    ),
    Route(
        "GET",
        f"{_PATH}/benchmarks/{{level}}",
        get_level_benchmark,
        BenchmarkAnswer,
        access=Access.ANYONE,
    ),
    Route("POST", f"{_PATH}/plan", plan_chapter_progression, PlanPage, access=Access.ANYONE),
    Route(
        "POST",
        f"{_PATH}/grants",
        grant_player_progression_experience,
        ProgressionAnswer,
        roles=frozenset({"service"}),
    ),
)
