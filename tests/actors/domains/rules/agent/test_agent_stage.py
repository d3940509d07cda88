from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.domains.domain_types import AgentAction, AgentStage
from actors.domains.rules.agent import (
    SessionFacts,
    next_stage,
    progress_permille,
    refusal_of,
    supported_actions,
)

NEW = SessionFacts()
READY = NEW._replace(stage=AgentStage.FOUNDATION_READY, coverage_permille=666)
DRAFTED = READY._replace(
    stage=AgentStage.PUBLISH_READY,
    is_drafted=True,
    gate_passed=True,
    card_count=39,
    role_count=8,
    landmark_count=4,
    chapter_count=3,
    has_world=True,
)
FACTS = st.builds(
    SessionFacts,
    stage=st.sampled_from(AgentStage),
    coverage_permille=st.integers(0, 1000),
    seed_chars=st.integers(0, 2000),
    **{
        name: st.booleans()
        for name in (
            "is_drafted",
            "gate_passed",
            "is_archived",
            "is_publishing",
            "is_published",
            "is_changed",
            "is_busy",
            "can_retry",
            "has_world",
            "is_text_live",
            "is_image_live",
        )
    },
    image_count=st.integers(0, 50),
    chapter_count=st.integers(0, 24),
    balance=st.none() | st.integers(0, 20),
)


@pytest.mark.parametrize(
    ("facts", "stage"),
    [
        (NEW, AgentStage.COLLECTING),
        (NEW._replace(coverage_permille=499), AgentStage.COLLECTING),
        (NEW._replace(coverage_permille=500), AgentStage.FOUNDATION_READY),
        (NEW._replace(seed_chars=79), AgentStage.COLLECTING),
        (NEW._replace(seed_chars=80), AgentStage.FOUNDATION_READY),
        (NEW._replace(stage=AgentStage.FOUNDATION_READY), AgentStage.FOUNDATION_READY),
        (DRAFTED._replace(gate_passed=False), AgentStage.REFINING),
        (DRAFTED, AgentStage.PUBLISH_READY),
        (DRAFTED._replace(is_publishing=True), AgentStage.PUBLISHING),
        (DRAFTED._replace(is_published=True), AgentStage.PUBLISHED),
        (
            DRAFTED._replace(is_published=True, is_changed=True, gate_passed=False),
            AgentStage.REFINING,
        ),
        (DRAFTED._replace(is_archived=True), AgentStage.ARCHIVED),
    ],
)
def test_the_stage_follows_from_the_facts(facts: SessionFacts, stage: AgentStage) -> None:
    assert next_stage(facts) is stage


@pytest.mark.parametrize(
    ("facts", "progress"),
    [
        (NEW, 0),
        (READY, 166),
        (DRAFTED, 616),
        (DRAFTED._replace(image_count=1, is_published=True), 691),
        (DRAFTED._replace(coverage_permille=1000, image_count=50, is_published=True), 1000),
    ],
)
def test_progress_adds_up(facts: SessionFacts, progress: int) -> None:
    assert progress_permille(facts) == progress


@given(FACTS)
def test_progress_is_permille(facts: SessionFacts) -> None:
    assert 0 <= progress_permille(facts) <= 1000


def reasons(facts: SessionFacts) -> dict[str, str | None]:
    return {row.action.name.lower(): row.reason_code for row in supported_actions(facts)}


def test_actions_come_in_the_registry_order_without_replies() -> None:
    actions = [row.action for row in supported_actions(NEW)]
    assert actions == [each for each in AgentAction if each is not AgentAction.AGENT_REPLY]


def test_a_new_session_can_do_little() -> None:
    assert reasons(NEW) == {
        "retry_reply": "nothing_to_retry",
        "draft_foundation": "anchors_incomplete",
        "update_draft_card": "no_cards",
        "create_draft_card": "foundation_missing",
        "set_card_status": "no_cards",
        "reorder_cards": "no_cards",
        "generate_entity": "foundation_missing",
        "generate_scene_npc": "no_scene",
        "expand_chapter": "no_scene",
        "generate_role_assets": "no_target",
        "generate_scene_assets": "no_target",
        "generate_cover": "no_target",
        "sync_role_assets": "no_target",
        "sync_scene_assets": "no_target",
        "sync_result_profile": "foundation_missing",
        "create_checkpoint": None,
        "revert_checkpoint": "no_checkpoint",
        "publish_world": "publish_gate_blocked",
        "unpublish_world": "not_published",
        "archive_session": None,
        "restore_session": "not_archived",
    }
    assert reasons(READY)["draft_foundation"] is None


def test_a_drafted_session_can_do_nearly_everything() -> None:
    facts = DRAFTED._replace(checkpoint_count=1, can_retry=True, is_published=True)
    assert {name for name, reason in reasons(facts).items() if reason} == {"restore_session"}
    assert reasons(facts._replace(chapter_count=24))["expand_chapter"] == "chapters_full"


def test_what_runs_holds_up_what_excludes_it() -> None:
    busy = reasons(DRAFTED._replace(is_busy=True))
    held_up = {name for name, reason in busy.items() if reason == "operation_running"}
    free = {
        "update_draft_card",
        "create_draft_card",
        "set_card_status",
        "reorder_cards",
        "sync_role_assets",
        "sync_scene_assets",
        "sync_result_profile",
    }
    assert held_up == busy.keys() - free
    assert all(busy[name] is None for name in free)


def test_archived_and_publishing_sessions_rest() -> None:
    archived = reasons(DRAFTED._replace(is_archived=True))
    assert archived.pop("restore_session") is None
    assert set(archived.values()) == {"session_archived"}
    assert set(reasons(DRAFTED._replace(is_publishing=True)).values()) == {"publishing"}


def test_work_costs_only_with_a_live_model() -> None:
    free = {row.action.name.lower(): row.cost_spark for row in supported_actions(DRAFTED)}
    assert not any(free.values())
    live = DRAFTED._replace(is_text_live=True, is_image_live=True, balance=4)
    prices = {
        row.action.name.lower(): row.cost_spark for row in supported_actions(live) if row.cost_spark
    }
    assert prices == {
        "draft_foundation": 10,
        "generate_entity": 3,
        "generate_scene_npc": 3,
        "expand_chapter": 5,
        "generate_role_assets": 5,
        "generate_scene_assets": 5,
        "generate_cover": 5,
    }
    assert reasons(live)["draft_foundation"] == "insufficient_balance"
    assert reasons(live)["generate_entity"] is None
    assert reasons(live._replace(is_text_live=False))["draft_foundation"] is None


@given(FACTS)
def test_what_is_enabled_has_no_reason(facts: SessionFacts) -> None:
    for row in supported_actions(facts):
        assert row.enabled == (row.reason_code is None)
        assert row.reason_code == refusal_of(row.action, facts)
        assert row.reason_code != ""
