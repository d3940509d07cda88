"""Drafting: foundations and their cards, as one piece (domain 7.5, 7.7; story 13.4)."""

from __future__ import annotations

from agent_bench import SEED, studio

from actors.domains.domain_types import AgentStage, OperationStatus, TextSource


async def test_a_foundation_is_drafted_from_a_seed() -> None:
    async with studio(seed=SEED) as bench:
        assert [row.seq for row in bench.messages()] == [1, 2, 3]
        await bench.fail()
        session = bench.session
        assert session.stage is AgentStage.FOUNDATION_READY
        assert (session.anchor_coverage_permille, session.progress_permille) == (666, 166)
        assert bench.reason("draft_foundation") is None
        assert bench.reason("publish_world") == "publish_gate_blocked"
        ended = await bench.draft()
        assert (ended.status, ended.result_source) == (
            OperationStatus.SUCCEEDED,
            TextSource.FALLBACK,
        )
        session = bench.session
        assert session.stage is AgentStage.PUBLISH_READY
        assert (session.card_count, session.blocker_count, session.warning_count) == (39, 0, 10)
        assert (session.quality_score, session.progress_permille) == (600, 616)
