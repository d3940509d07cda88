"""A user's profile over HTTP: dashboard, wallet, played worlds and save archives (domain 11.3)."""

from __future__ import annotations

from actors import ProcedureContext, Route, ViewContext, struct, u32
from actors.domains.facade.limits import PAGE_ROWS_DEFAULT
from actors.domains.facade.pages import Mark, cut_page, mark_of
from actors.domains.kinds import USER
from actors.domains.rules.cursors import read_cursor, write_cursor
from actors.domains.runtime.profile import (
    ProfileDashboardState,
    ProfilePlayedWorld,
    get_profile_dashboard,
)
from actors.domains.runtime.save_archives import (
    ProfileSaveArchive,
    create_save_archive_and_return,
    delete_save_archive,
)
from actors.domains.runtime.save_restores import restore_save_archive_and_return
from actors.domains.runtime.wallet import (
    ListWalletLedger,
    ProfileWalletLedger,
    list_wallet_ledger,
)

__all__ = ["ROUTES", "LedgerPage", "PlayedWorldPage"]

_PROFILE = "/api/runtime/profile"
_ARCHIVES = f"{_PROFILE}/save-archives"
_ARCHIVE = f"{_ARCHIVES}/{{archive_id}}"


@struct
class DashboardAnswer:
    """A user's numbers at a glance."""

    dashboard: ProfileDashboardState


@struct
class ListRows:
    """Which page of a list."""

    cursor: str | None = None
    limit: u32 = PAGE_ROWS_DEFAULT


@struct
class LedgerPage:
    """Movements of sparks, newest first."""

    items: list[ProfileWalletLedger]
    next_cursor: str | None


@struct
class PlayedWorldPage:
    """Worlds, the last played first."""

    items: list[ProfilePlayedWorld]
    next_cursor: str | None


@struct
class ArchiveAnswer:
    """A saved game."""

    archive: ProfileSaveArchive


@struct
class ArchivePage:
    """Saved games, newest first."""

    items: list[ProfileSaveArchive]
    next_cursor: str | None


async def list_ledger(ctx: ProcedureContext, input: ListRows) -> LedgerPage:
    """A page of the caller's wallet ledger."""
    before = None if input.cursor is None else read_cursor(input.cursor, int)[0]
    wanted = ListWalletLedger(None, before, input.limit)
    rows = await ctx.read(USER.key(ctx.user_id), lambda view: list_wallet_ledger(view, wanted))
    has_more = bool(rows) and rows[-1].seq > 1
    return LedgerPage(rows, write_cursor(rows[-1].seq) if has_more else None)


async def list_worlds(ctx: ProcedureContext, input: ListRows) -> PlayedWorldPage:
    """A page of the worlds that the caller has played."""
    after = mark_of(input.cursor)

    def look(view: ViewContext) -> PlayedWorldPage:
        last = None if after is None else after[0]
        newest_first = list(view.db[ProfilePlayedWorld].range("last_played_at", None, last))[::-1]
        return PlayedWorldPage(*cut_page(newest_first, input.limit, after, _mark))

    return await ctx.read(USER.key(ctx.user_id), look)


async def list_archives(ctx: ProcedureContext, input: ListRows) -> ArchivePage:
    """A page of the caller's saved games."""
    after = mark_of(input.cursor)

    def look(view: ViewContext) -> ArchivePage:
        newest_first = list(view.db[ProfileSaveArchive].range("saved_at"))[::-1]
        return ArchivePage(*cut_page(newest_first, input.limit, after, _mark_of_archive))

    return await ctx.read(USER.key(ctx.user_id), look)


def _mark(row: ProfilePlayedWorld) -> Mark:
    return row.last_played_at, row.played_world_id


def _mark_of_archive(row: ProfileSaveArchive) -> Mark:
    return row.saved_at, row.archive_id


ROUTES = (
    Route("GET", f"{_PROFILE}/dashboard", get_profile_dashboard, DashboardAnswer),
    Route("GET", f"{_PROFILE}/wallet-ledger", list_ledger),
    Route("GET", f"{_PROFILE}/played-worlds", list_worlds),
    Route("GET", _ARCHIVES, list_archives),
    Route("POST", _ARCHIVES, create_save_archive_and_return, ArchiveAnswer, status=201),
    Route("POST", f"{_ARCHIVE}/restore", restore_save_archive_and_return),
    Route("DELETE", _ARCHIVE, delete_save_archive, status=204),
)
