"""Domain 6.6, 6.7: each check fails for its own reason, and all are told."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.domains.domain_types import AgentStage
from actors.domains.rules.compile import (
    EnterFacts,
    PublishFacts,
    enter_gate,
    failed_checks,
    gate_passes,
    publish_gate,
)

PUBLISH = PublishFacts(
    is_owner=True,
    blocker_count=0,
    quality_score=400,
    is_compiled=True,
    document_hash="a",
    preview_hash="a",
    revision=3,
    preview_revision=3,
    stage=AgentStage.PUBLISH_READY,
    published_others=49,
)
ENTER = EnterFacts(
    is_live=True,
    is_own_draft=False,
    role_keys=["diver"],
    has_opening_scene=True,
    has_first_plan=True,
)


def failing(checks: object) -> list[str]:
    return [check.check_code for check in failed_checks(checks)]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "failed"),
    [
        ({}, []),
        ({"is_owner": False}, ["PG01"]),
        ({"blocker_count": 1}, ["PG02"]),
        ({"stage": None}, []),
        ({"stage": AgentStage.REFINING}, []),
        ({"stage": AgentStage.PUBLISHED}, []),
        ({"stage": AgentStage.COLLECTING}, ["PG03"]),
        ({"stage": AgentStage.FOUNDATION_READY}, ["PG03"]),
        ({"stage": AgentStage.PUBLISHING}, ["PG03"]),
        ({"stage": AgentStage.ARCHIVED}, ["PG03"]),
        ({"has_live_operation": True}, ["PG04"]),
        ({"preview_revision": 2}, ["PG05"]),
        ({"preview_hash": "b"}, ["PG06"]),
        ({"is_compiled": False}, ["PG06"]),
        ({"allows_automatic_cover": False}, ["PG07"]),
        ({"allows_automatic_cover": False, "has_cover": True}, []),
        ({"published_others": 50}, ["PG08"]),
        ({"is_moderated": True}, ["PG09"]),
        ({"quality_score": 399}, ["PG10"]),
        ({"is_owner": False, "blocker_count": 2, "quality_score": 0}, ["PG01", "PG02", "PG10"]),
    ],
)
def test_the_publish_gate(changes: dict[str, object], failed: list[str]) -> None:
    checks = publish_gate(PUBLISH._replace(**changes))
    assert failing(checks) == failed
    assert gate_passes(checks) == (not failed)
    assert [check.check_code for check in checks] == [f"PG{at:02}" for at in range(1, 11)]


@pytest.mark.parametrize(
    ("changes", "failed"),
    [
        ({}, []),
        ({"is_live": False}, ["EW01"]),
        ({"is_live": False, "is_own_draft": True}, []),
        ({"is_live": False, "is_retired": True}, ["EW01", "EW02"]),
        ({"is_live": False, "is_retired": True, "is_pinned": True}, []),
        ({"is_retired": True}, ["EW02"]),
        ({"is_blocked": True}, ["EW02"]),
        ({"is_blocked": True, "is_pinned": True}, ["EW02"]),
        ({"schema_version": 2}, ["EW03"]),
        ({"role_keys": []}, ["EW04"]),
        ({"role_key": "diver"}, []),
        ({"role_key": "moon"}, ["EW04"]),
        ({"has_opening_scene": False}, ["EW05"]),
        ({"has_first_plan": False}, ["EW06"]),
        ({"blocker_count": 1}, []),
        ({"blocker_count": 1, "is_live": False, "is_own_draft": True}, ["EW07"]),
        ({"has_free_slot": False}, ["EW08"]),
        ({"content_rating": "teen"}, []),
        ({"content_rating": "teen", "is_strict": True}, ["EW09"]),
        ({"is_strict": True}, []),
    ],
)
def test_the_enter_world_gate(changes: dict[str, object], failed: list[str]) -> None:
    checks = enter_gate(ENTER._replace(**changes))
    assert failing(checks) == failed
    assert gate_passes(checks) == (not failed)
    assert [check.check_code for check in checks] == [f"EW{at:02}" for at in range(1, 10)]


@given(st.integers(0, 3), st.integers(0, 1000), st.sampled_from(AgentStage))
def test_a_gate_passes_exactly_when_nothing_failed(
    blockers: int, quality: int, stage: AgentStage
) -> None:
    facts = PUBLISH._replace(blocker_count=blockers, quality_score=quality, stage=stage)
    checks = publish_gate(facts)
    assert gate_passes(checks) == (failed_checks(checks) == [])
    assert all(check.message for check in checks)
