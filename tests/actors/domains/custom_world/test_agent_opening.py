"""Opening: sessions that users begin, put aside and take up again (domain 7.2, 7.3, 1.9)."""

from __future__ import annotations

import pytest
from agent_bench import AGENT_TABLES, SEED, Studio, studio
from user_bench import claims
from vale_bench import refusal

from actors.domains.custom_world.headers import CustomWorldSession
from actors.domains.domain_types import (
    AgentStage,
    MessageRole,
    MessageStatus,
    SessionKind,
    TextSource,
)
from actors.domains.rules.agent import ANCHOR_KEYS
from actors.domains.runtime.directory_entry import DirectoryState, SessionDirectoryEntry


def entry_of(bench: Studio) -> SessionDirectoryEntry:
    (entry,) = (
        row
        for row in bench.player.own_rows(SessionDirectoryEntry)
        if row.session_key == bench.session_id
    )
    return entry


def header_of(bench: Studio) -> CustomWorldSession:
    (header,) = (
        row
        for row in bench.player.own_rows(CustomWorldSession)
        if row.agent_session_id == bench.session_id
    )
    return header


async def test_a_session_begins_with_a_greeting() -> None:
    async with studio() as bench:
        session, (greeting,) = bench.session, bench.messages()
        assert session.agent_session_id.startswith("cws_")
        assert (session.user_id, session.locale) == (bench.player.user_id, "en")
        assert [anchor.key for anchor in session.anchors] == list(ANCHOR_KEYS)
        assert session.stage is AgentStage.COLLECTING
        assert (session.message_count, session.card_count, session.revision) == (1, 0, 0)
        assert (greeting.seq, greeting.role) == (1, MessageRole.ASSISTANT)
        assert (greeting.status, greeting.text_source) == (
            MessageStatus.COMPLETE,
            TextSource.FALLBACK,
        )
        assert greeting.text
        assert 0 < len(session.suggested_replies) <= 4
        for table in AGENT_TABLES:
            assert bench.player.rows(table) == bench.rows_of(table)
        entry = entry_of(bench)
        assert (entry.kind, entry.state) == (SessionKind.AGENT_RPG, DirectoryState.ACTIVE)
        assert entry.world_key == f"custom_world:cwp_{bench.session_id.removeprefix('cws_')}"
        assert header_of(bench).stage is AgentStage.COLLECTING


async def test_a_seed_is_answered_as_a_message() -> None:
    async with studio(seed=SEED) as bench:
        greeting, said, answer = bench.messages()
        assert (said.role, said.text, said.text_source) == (
            MessageRole.USER,
            SEED,
            TextSource.USER,
        )
        assert (answer.reply_to, answer.status) == (said.message_id, MessageStatus.STREAMING)
        assert answer.operation_id == bench.session.active_operation_id
        # So long a text says enough by itself, whatever is understood of it.
        assert bench.session.stage is AgentStage.FOUNDATION_READY
        assert greeting.reply_to is None


async def test_a_short_seed_has_to_be_understood() -> None:
    async with studio(seed="Dragons.") as bench:
        await bench.answer()
        assert bench.session.stage is AgentStage.COLLECTING
        assert bench.reason("draft_foundation") == "anchors_incomplete"


@pytest.mark.parametrize(
    ("chosen", "in_settings", "expected"),
    [(None, None, "en"), ("zh", None, "zh"), (None, "zh-TW", "zh-TW"), ("en-GB", "zh", "en-GB")],
)
async def test_the_language_is_the_chosen_one_or_the_users_own(
    chosen: str | None, in_settings: str | None, expected: str
) -> None:
    async with studio() as bench:
        if in_settings is not None:
            none = (None,) * 4
            await bench.player.call(
                "upsert_runtime_setting", None, *none, in_settings, None, None, None
            )
        await bench.create(locale=chosen)
        assert bench.session.locale == expected
        is_chinese = any("\u4e00" <= letter <= "\u9fff" for letter in bench.messages()[0].text)
        assert is_chinese is expected.startswith("zh")


@pytest.mark.parametrize(
    ("seed", "locale", "code"),
    [("x" * 2_001, None, "input.text_too_long"), (None, "no locale", "runtime.invalid_locale")],
)
async def test_bad_openings(seed: str | None, locale: str | None, code: str) -> None:
    async with studio() as bench:
        call = bench.player.ask("create_custom_world_agent_session_and_return", seed, locale)
        assert await refusal(call) == code
        assert len(bench.player.own_rows(CustomWorldSession)) == 1


async def test_ten_sessions_are_open_at_a_time() -> None:
    async with studio() as bench:
        first = bench.session_id
        for _ in range(9):
            await bench.create()
        assert await refusal(bench.create()) == "limit.quota_exceeded"
        bench.session_id = first
        await bench.act("archive_session")
        assert entry_of(bench).state is DirectoryState.ARCHIVED
        assert header_of(bench).archived
        await bench.create()
        last, bench.session_id = bench.session_id, first
        reopened = await bench.act("restore_session")
        assert bench.operation(reopened.operation_id).error_code == "limit.quota_exceeded"
        assert bench.session.stage is AgentStage.ARCHIVED
        bench.session_id = last
        await bench.act("archive_session")
        bench.session_id = first
        await bench.act("restore_session")
        assert bench.session.stage is AgentStage.COLLECTING
        assert entry_of(bench).state is DirectoryState.ACTIVE
        assert not header_of(bench).archived


async def test_an_archived_session_can_only_be_read_and_restored() -> None:
    async with studio(seed=SEED) as bench:
        await bench.fail()
        await bench.draft()
        stage = bench.session.stage
        await bench.act("archive_session")
        assert bench.session.stage is AgentStage.ARCHIVED
        assert await refusal(bench.say("Hello?")) == "agent.archived_state"
        assert await refusal(bench.act("create_checkpoint")) == "agent.action_disabled_state"
        enabled = [row for row in bench.session.supported_actions if row.enabled]
        assert [row.action.name for row in enabled] == ["RESTORE_SESSION"]
        assert bench.reason("draft_foundation") == "session_archived"
        assert bench.player.rows("custom_world_agent_session") == []
        read = await bench.player.ask(
            "get_custom_world_agent_session", bench.session_id, None, None
        )
        assert (read.session.stage, len(read.cards)) == (AgentStage.ARCHIVED, 39)
        await bench.act("restore_session")
        assert bench.session.stage is stage
        assert len(bench.player.rows("custom_world_draft_card")) == 39


async def test_sessions_of_others_do_not_exist() -> None:
    async with studio(seed=SEED) as bench:
        operation_id = bench.running.operation_id
        other = await bench.vale.enter(claims(2))
        await other.subscribe(*AGENT_TABLES)
        assert all(other.rows(table) == [] for table in AGENT_TABLES)
        session_id = bench.session_id
        calls = [
            ("get_custom_world_agent_session", session_id, None, None),
            ("get_custom_world_agent_operation", session_id, operation_id),
            ("get_custom_world_agent_card", session_id, f"{session_id}.card_x"),
            ("submit_custom_world_agent_message_and_return", session_id, "Hi", "m"),
            ("execute_custom_world_agent_action_and_return", session_id, "x", "{}", None),
            ("cancel_custom_world_agent_operation_and_return", session_id, operation_id),
            ("publish_world_and_return", session_id),
        ]
        for name, *fields in calls:
            assert await refusal(other.ask(name, *fields)) == "agent.session_not_found", name
        assert (
            await refusal(other.ask("get_custom_world_agent_session", "cws_none", None, None))
            == "agent.session_not_found"
        )


async def test_a_snapshot_shows_so_many_messages() -> None:
    async with studio() as bench:
        for number in range(3):
            await bench.say(f"Message {number}.", f"m-{number}")
            await bench.answer()

        async def seqs(before: int | None, limit: int | None) -> list[int]:
            read = await bench.player.ask(
                "get_custom_world_agent_session", bench.session_id, before, limit
            )
            return [row.seq for row in read.messages]

        assert await seqs(None, None) == [1, 2, 3, 4, 5, 6, 7]
        assert await seqs(None, 2) == [6, 7]
        assert await seqs(6, 3) == [3, 4, 5]
        for limit in (0, 101):
            assert await refusal(seqs(None, limit)) == "input.out_of_range"
