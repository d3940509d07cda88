from __future__ import annotations

import json
from typing import Any

from agent_bench import SEED, studio
from authored_worlds import published, with_tip, without_premise, write
from user_bench import claims
from vale_bench import Player, refusal, running_vale

from actors.domains.custom_world.gallery import Moderation
from actors.domains.rules.ids import content_hash

CODES = [f"PG{number:02}" for number in range(1, 11)]


async def _failed(who: Player, session_id: str | None, profile_id: str | None) -> list[str]:
    checks = await who.ask("evaluate_publish_gate", session_id, profile_id)
    assert [check.check_code for check in checks] == CODES
    return [check.check_code for check in checks if not check.passed]


async def test_the_gate_of_a_profile_says_what_publishing_says() -> None:
    async with running_vale() as vale:
        author, moderator = await vale.enter(claims(1)), await vale.enter(claims(9, "moderator"))
        blocked = await write(author, without_premise)
        assert await _failed(author, None, blocked.profile_id) == ["PG02", "PG10"]
        profile = await published(author)
        await write(author, with_tip("Second"), profile_id=profile.profile_id)
        assert await _failed(author, None, profile.profile_id) == []
        hide = ("moderate_gallery_entry_and_return", profile.profile_id, Moderation.HIDDEN, "rude")
        await moderator.ask(*hide)
        assert await _failed(author, None, profile.profile_id) == ["PG09"]


async def test_the_gate_of_a_session_knows_what_its_library_knows() -> None:
    async with studio(seed=SEED) as bench:
        await bench.answer()
        assert "PG03" in await _failed(bench.player, bench.session_id, None)
        await bench.draft()
        assert await _failed(bench.player, bench.session_id, None) == []
        compiled = await _compiled(bench.player, bench.session_id, None)
        assert compiled.quality_score == bench.session.quality_score


async def test_gates_of_others_are_not_told() -> None:
    async with studio(seed=SEED) as bench:
        other = await bench.vale.enter(claims(2))
        profile = await write(bench.player)
        asked: list[tuple[str | None, str | None, str]] = [
            (bench.session_id, None, "agent.session_not_found"),
            ("cws_nothing", None, "agent.session_not_found"),
            (None, profile.profile_id, "world.not_found"),
            (None, None, "input.missing_field"),
            (None, "cwp/1", "input.invalid_id"),
        ]
        for name in ("evaluate_publish_gate", "compile_published_profile_and_return"):
            for session_id, profile_id, code in asked:
                assert await refusal(other.ask(name, session_id, profile_id)) == code


async def test_a_draft_compiles_without_being_published() -> None:
    async with running_vale() as vale:
        author = await vale.enter(claims(1))
        profile = await write(author)
        compiled = await _compiled(author, None, profile.profile_id)
        assert compiled.document_hash == profile.draft_hash
        assert content_hash(compiled.document.encode()) == profile.draft_hash
        assert json.loads(compiled.document)["world"]["name"] == "Amber Vale"
        assert [one.code[:3] for one in compiled.findings] == ["WRN"] * profile.warning_count


async def _compiled(who: Player, session_id: str | None, profile_id: str | None) -> Any:
    return await who.ask("compile_published_profile_and_return", session_id, profile_id)
