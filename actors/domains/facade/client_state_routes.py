"""Client state over HTTP: settings, snapshots and the browse history (domain 11.3)."""

from __future__ import annotations

from actors import ProcedureContext, Route, ViewContext, struct, u32
from actors.domains.domain_types import ThemeMode, WorkCard, WorldKind
from actors.domains.facade.limits import PAGE_ROWS_DEFAULT
from actors.domains.facade.pages import Mark, cut_page, mark_of
from actors.domains.kinds import USER
from actors.domains.rules.ids import world_key
from actors.domains.runtime.browse_history import (
    UpsertBrowseHistory,
    UserBrowseHistory,
    clear_browse_history,
    delete_browse_history_entry,
    upsert_browse_history_and_return,
)
from actors.domains.runtime.settings import (
    RuntimeSettingSnapshot,
    get_runtime_setting_or_default,
    upsert_runtime_setting,
)
from actors.domains.runtime.snapshots import (
    RuntimeSnapshot,
    delete_runtime_snapshot,
    get_runtime_snapshot,
    upsert_runtime_snapshot,
)

__all__ = ["ROUTES", "BrowsePage", "BrowsedWork"]

_SETTINGS = "/api/runtime/settings"
_SNAPSHOT = "/api/runtime/snapshots/{slot}"
_HISTORY = "/api/runtime/browse-history"


@struct
class SettingsAnswer:
    """A user's settings; the defaults where none were made."""

    settings: RuntimeSettingSnapshot


@struct
class SnapshotAnswer:
    """What a slot holds; nothing when it is empty."""

    snapshot: RuntimeSnapshot | None


@struct
class ListHistory:
    """Which page of the history."""

    cursor: str | None = None
    limit: u32 = PAGE_ROWS_DEFAULT


@struct
class BrowsePage:
    """Worlds, the last visited first."""

    items: list[UserBrowseHistory]
    next_cursor: str | None


@struct
class BrowsedWork:
    """A world that the user looks at; the texts that lists show come from the catalog."""

    world_kind: WorldKind
    profile_id: str


@struct
class BrowseBody:
    """Worlds that the user looks at, entered whole."""

    entries: list[BrowsedWork]
    request_id: str


async def list_history(ctx: ProcedureContext, input: ListHistory) -> BrowsePage:
    """A page of the worlds that the caller looked at."""
    after = mark_of(input.cursor)

    def look(view: ViewContext) -> BrowsePage:
        last = None if after is None else after[0]
        newest_first = list(view.db[UserBrowseHistory].range("visited_at", None, last))[::-1]
        return BrowsePage(*cut_page(newest_first, input.limit, after, _mark))

    return await ctx.read(USER.key(ctx.user_id), look)


def read_visit(body: BrowseBody) -> UpsertBrowseHistory:
    """The visit that a body tells of."""
    return UpsertBrowseHistory(None, [_card(work) for work in body.entries], body.request_id)


def visited(rows: list[UserBrowseHistory]) -> BrowsePage:
    """The entered worlds, in the order of the body."""
    return BrowsePage(rows, None)


def _mark(row: UserBrowseHistory) -> Mark:
    return row.visited_at, row.browse_history_id


def _card(work: BrowsedWork) -> WorkCard:
    """A card without words and without its owner: the catalog has them, and asks for none."""
    return WorkCard(
        world_key=world_key(work.world_kind, work.profile_id),
        world_kind=work.world_kind,
        owner_user_id=work.profile_id,
        profile_id=work.profile_id,
        world_name="",
        subtitle="",
        summary_text="",
        cover_image_src=None,
        theme_mode=ThemeMode.LIGHT,
        author_display_name="",
    )


ROUTES = (
    Route("GET", _SETTINGS, get_runtime_setting_or_default, SettingsAnswer),
    Route("PUT", _SETTINGS, upsert_runtime_setting, SettingsAnswer),
    Route("GET", _SNAPSHOT, get_runtime_snapshot, SnapshotAnswer),
    Route("PUT", _SNAPSHOT, upsert_runtime_snapshot, SnapshotAnswer),
    Route("DELETE", _SNAPSHOT, delete_runtime_snapshot, status=204),
    Route("GET", _HISTORY, list_history),
    Route("POST", _HISTORY, upsert_browse_history_and_return, visited, read_visit),
    Route("DELETE", _HISTORY, clear_browse_history, status=204),
    Route("DELETE", f"{_HISTORY}/{{world_key}}", delete_browse_history_entry, status=204),
)
