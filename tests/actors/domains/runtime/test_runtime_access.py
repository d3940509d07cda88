"""Domain 1.6, 2: rows belong to their user; a service may name another one, and players may not."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from user_bench import SERVICE, claims, only
from vale_bench import PROFILE, RefusedError, running_vale

from actors.domains.domain_types import ThemeMode, WorkCard, WorldKind
from actors.domains.runtime.wallet import LedgerReason

CARD = WorkCard(
    f"custom_world:{PROFILE}",
    WorldKind.CUSTOM_WORLD,
    "u_owner",
    PROFILE,
    "",
    "",
    "",
    None,
    ThemeMode.LIGHT,
    "",
)
READS = [
    ("get_runtime_setting_or_default", ()),
    ("get_runtime_snapshot", (1,)),
    ("list_browse_history", (None, None)),
    ("get_profile_dashboard", ()),
    ("list_played_worlds", (10,)),
    ("get_wallet_balance", ()),
    ("list_wallet_ledger", (None, 10)),
]
WRITES = [
    ("upsert_runtime_setting", (10, *[None] * 7)),
    ("upsert_runtime_snapshot", (1, None, "bag", "{}", None)),
    ("upsert_browse_history", ([CARD],)),
    ("delete_runtime_snapshot", (0,)),
    ("delete_browse_history_entry", ("custom_world:w",)),
    ("clear_browse_history", ()),
]
WRITTEN = {
    "upsert_runtime_setting": "runtime_setting",
    "upsert_runtime_snapshot": "runtime_snapshot",
    "upsert_browse_history": "user_browse_history",
}

TABLES = (
    "runtime_setting",
    "runtime_snapshot",
    "user_browse_history",
    "profile_dashboard_state",
    "profile_played_world",
    "profile_wallet_ledger",
)


@pytest.mark.parametrize(("name", "fields"), READS, ids=lambda value: str(value)[:40])
async def test_what_a_service_reads_is_what_the_user_reads(
    name: str, fields: Sequence[object]
) -> None:
    async with running_vale() as vale:
        user, other, service = [await vale.enter(who) for who in (claims(1), claims(2), SERVICE)]
        for write, arguments in WRITES[:3]:
            await user.call(write, None, *arguments)
        bonus = (5, LedgerReason.ADMIN_ADJUSTMENT, "ref", "")
        await service.call("append_wallet_ledger_entry", user.user_id, *bonus)
        await user.begin()
        own = await user.ask(name, None, *fields)
        assert await user.ask(name, user.user_id, *fields) == own
        assert await service.ask(name, user.user_id, *fields) == own
        assert await service.ask(name, None, *fields) != own
        with pytest.raises(RefusedError, match=r"^auth\.forbidden"):
            await other.ask(name, user.user_id, *fields)


@pytest.mark.parametrize(("name", "fields"), WRITES, ids=lambda value: str(value)[:40])
async def test_what_a_service_writes_becomes_the_users(name: str, fields: Sequence[object]) -> None:
    async with running_vale() as vale:
        user, other, service = [await vale.enter(who) for who in (claims(1), claims(2), SERVICE)]
        await user.subscribe(*WRITTEN.values())
        await service.subscribe(*WRITTEN.values())
        with pytest.raises(RefusedError, match=r"^auth\.forbidden"):
            await other.call(name, user.user_id, *fields)
        assert user.deltas == []
        await service.call(name, user.user_id, *fields)
        assert service.deltas == []
        if name in WRITTEN:
            assert only(user.rows(WRITTEN[name])).user_id == user.user_id


async def test_a_batch_that_a_service_enters_answers_the_users_rows() -> None:
    async with running_vale() as vale:
        user, service = await vale.enter(claims(1)), await vale.enter(SERVICE)
        await user.subscribe("user_browse_history")
        rows = await service.ask("upsert_browse_history_and_return", user.user_id, [CARD])
        assert rows == user.rows("user_browse_history")
        assert only(rows).user_id == user.user_id


async def test_another_user_never_sees_a_row() -> None:
    async with running_vale() as vale:
        user, other, service = [await vale.enter(who) for who in (claims(1), claims(2), SERVICE)]
        for player in (user, other):
            await player.subscribe(*TABLES)
        before = {table: other.rows(table) for table in TABLES}
        for name, fields in WRITES[:3]:
            await user.call(name, None, *fields)
        adjustment = (5, LedgerReason.ADMIN_ADJUSTMENT, "ref", "")
        await service.call("append_wallet_ledger_entry", user.user_id, *adjustment)
        await user.begin()
        for table in TABLES:
            assert {row.user_id for row in user.rows(table)} == {user.user_id}, table
            assert other.rows(table) == before[table], table
            assert {row.user_id for row in other.rows(table)} <= {other.user_id}, table
        assert other.deltas == []


async def test_visits_that_wait_are_nobodys_to_see() -> None:
    async with running_vale() as vale:
        player = await vale.enter(claims(1))
        for table in ("browse_visit", "play_receipt"):
            with pytest.raises(RefusedError, match=r"^subscription"):
                await player.subscribe(table)


async def test_a_users_id_may_have_a_rows_behind_it_and_still_means_the_user() -> None:
    async with running_vale() as vale:
        user, service = await vale.enter(claims(1)), await vale.enter(SERVICE)
        await service.call("load_fixture_world")
        await user.begin()
        row_id = f"{user.user_id}.row"
        rows = await user.ask("upsert_browse_history_and_return", row_id, [CARD])
        assert only(rows).user_id == user.user_id
        archive = await user.ask(
            "create_save_archive_and_return", row_id, user.story_id, None, None
        )
        begun = await user.ask("restore_save_archive_and_return", row_id, archive.archive_id)
        assert begun.runtime_session_id == archive.runtime_session_id
        assert set(vale.host._cells) >= {user.home, service.home}
        assert not [key for key in vale.host._cells if row_id in key]
