"""Works: an author's creation sessions and library profiles as one list (domain 6.9)."""

from __future__ import annotations

from actors import (
    ReducerContext,
    ReducerError,
    Timestamp,
    ViewContext,
    message,
    procedure,
    replace,
    struct,
    table,
    u32,
    u64,
    view,
)
from actors.domains.custom_world.headers import CustomWorldSession
from actors.domains.custom_world.profile import CustomWorldProfile, find_profile
from actors.domains.custom_world.profile_gates import author_checks, enter_checks, publish_checks
from actors.domains.domain_types import Work
from actors.domains.kinds import USER
from actors.domains.limits import LISTED_ROWS_MAX
from actors.domains.rules.compile.gates import gate_passes
from actors.domains.rules.compile.works import HeaderFacts, ProfileFacts, merge_works
from actors.domains.rules.cursors import read_cursor, write_cursor
from actors.domains.runtime.profile import dashboard_of, save_dashboard
from actors.domains.world_messages import WorkCounters
from actors.module import DatabaseReader

__all__ = [
    "CustomWorldWorksPage",
    "ListCustomWorldWorks",
    "WorkCount",
    "list_custom_world_works",
    "my_custom_world_works",
    "work_counters",
]


@table(primary_key="profile_id", actor=USER)
class WorkCount:
    """How a work of the user stands in the gallery, as the catalog told last."""

    profile_id: str
    like_count: u64
    play_count: u64
    counter_version: u64
    updated_at: Timestamp


@struct
class ListCustomWorldWorks:
    """Input of ``list_custom_world_works``."""

    limit: u32
    cursor: str | None


@struct
class CustomWorldWorksPage:
    """Some works, the last updated first; ``next_cursor`` is None on the last page."""

    items: list[Work]
    next_cursor: str | None


@view(actor=USER)
def my_custom_world_works(ctx: ViewContext) -> list[Work]:
    """The caller's works."""
    return _works(ctx.db)


@procedure(actor=USER)
def list_custom_world_works(ctx: ViewContext, input: ListCustomWorldWorks) -> CustomWorldWorksPage:
    """The caller's works, page by page; raises ``input.out_of_range``, ``input.invalid_cursor``."""
    if not 1 <= input.limit <= LISTED_ROWS_MAX:
        raise ReducerError("input.out_of_range", f"limit must be 1 to {LISTED_ROWS_MAX}")
    works = _works(ctx.db)
    if input.cursor is not None:
        shown = read_cursor(input.cursor, int, str)
        works = [work for work in works if _place(work) > shown]
    page = works[: input.limit]
    next_cursor = write_cursor(*_place(page[-1])) if len(works) > len(page) else None
    return CustomWorldWorksPage(page, next_cursor)


@message(USER)
def work_counters(ctx: ReducerContext, payload: WorkCounters) -> None:
    """Take over a work's numbers; the dashboard adds up those of all works."""
    counts = ctx.db[WorkCount]
    known = counts.find(payload.profile_id)
    if known is not None and known.counter_version >= payload.counter_version:
        return
    likes = 0 if known is None else known.like_count
    plays = 0 if known is None else known.play_count
    counts.upsert(
        WorkCount(
            profile_id=payload.profile_id,
            like_count=payload.like_count,
            play_count=payload.play_count,
            counter_version=payload.counter_version,
            updated_at=ctx.timestamp,
        )
    )
    dashboard = dashboard_of(ctx)
    save_dashboard(
        ctx,
        replace(
            dashboard,
            total_likes_received=dashboard.total_likes_received + payload.like_count - likes,
            total_plays_received=dashboard.total_plays_received + payload.play_count - plays,
        ),
    )


def _works(db: DatabaseReader) -> list[Work]:
    headers = (_header(row) for row in db[CustomWorldSession] if _is_shown(db, row))
    profiles = (_profile(db, row) for row in db[CustomWorldProfile] if row.deleted_at is None)
    return merge_works(headers, profiles)


def _is_shown(db: DatabaseReader, header: CustomWorldSession) -> bool:
    """Whoever deletes a world from the library is done with the session that made it, too."""
    if header.archived:
        return False
    result_id = header.result_profile_id
    return result_id is None or find_profile(db, result_id) is not None


def _header(row: CustomWorldSession) -> HeaderFacts:
    return HeaderFacts(
        agent_session_id=row.agent_session_id,
        stage=row.stage,
        title=row.title,
        summary_text=row.summary_text,
        cover_image_src=row.cover_image_src,
        progress_permille=row.progress_permille,
        blocker_count=row.blocker_count,
        warning_count=row.warning_count,
        result_profile_id=row.result_profile_id,
        updated_at=row.updated_at,
    )


def _profile(db: DatabaseReader, row: CustomWorldProfile) -> ProfileFacts:
    count = db[WorkCount].find(row.profile_id)
    checks = publish_checks(db, row)
    return ProfileFacts(
        profile_id=row.profile_id,
        status=row.publication_status,
        world_name=row.world_name,
        subtitle=row.subtitle,
        summary_text=row.summary_text,
        cover_image_src=row.cover_image_src,
        theme_mode=row.theme_mode,
        blocker_count=row.blocker_count,
        warning_count=row.warning_count,
        published_version=row.published_version,
        can_publish=gate_passes(checks),
        author_may_publish=gate_passes(author_checks(checks)),
        can_enter=gate_passes(enter_checks(db, row)),
        like_count=0 if count is None else count.like_count,
        play_count=0 if count is None else count.play_count,
        updated_at=row.updated_at,
    )


def _place(work: Work) -> tuple[int, str]:
    return -work.updated_at, work.work_id
