"""Benchmark: the level curve and chapter plans for whoever asks; they depend on no row."""

from __future__ import annotations

from actors.domains.domain_types import ChapterProgressionPlan, LevelBenchmark
from actors.domains.kinds import CATALOG
from actors.domains.rules.progression import benchmark, plan_chapter
from actors.module.context import ViewContext
from actors.module.functions import procedure
from actors.module.types import struct, u32

__all__ = ["get_level_benchmark", "plan_chapter_progression"]


@struct
class GetLevelBenchmark:
    """Input of ``get_level_benchmark``."""

    level: u32


@struct
class PlanChapterProgression:
    """Input of ``plan_chapter_progression``: chapters of a world, and the level it starts at."""

    total_chapters: u32
    start_level: u32


@procedure(actor=CATALOG)
def get_level_benchmark(ctx: ViewContext, input: GetLevelBenchmark) -> LevelBenchmark:
    """What a level costs and how strong it is. Raises ``progression.level_out_of_range``."""
    del ctx
    return benchmark(input.level)


@procedure(actor=CATALOG)
def plan_chapter_progression(
    ctx: ViewContext, input: PlanChapterProgression
) -> list[ChapterProgressionPlan]:
    """The plans of all chapters, in order. Raises ``progression.invalid_plan``."""
    del ctx
    # The first plan is made in any case, so that bad bounds are refused.
    first = plan_chapter(input.total_chapters, 1, input.start_level)
    indexes = range(2, input.total_chapters + 1)
    return [first, *(plan_chapter(input.total_chapters, i, input.start_level) for i in indexes)]
