"""Gates: what must hold before a world is published or entered (domain 6.6, 6.7).

All checks of a gate are evaluated, in the order of their codes. Session snapshots, lists of works,
previews and the calls themselves ask these functions, so that they always agree.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Final, NamedTuple

from actors.domains.domain_types import AgentStage, GateCheck
from actors.domains.rules.limits import PUBLISHED_WORKS_MAX, QUALITY_SCORE_MIN

__all__ = [
    "EnterFacts",
    "PublishFacts",
    "enter_gate",
    "failed_checks",
    "gate_passes",
    "publish_gate",
]

_PUBLISHING_STAGES: Final = frozenset(
    {AgentStage.REFINING, AgentStage.PUBLISH_READY, AgentStage.PUBLISHED}
)
_SCHEMA_VERSIONS: Final = frozenset({1})
"""Versions of the world document that stories can be played in."""


class PublishFacts(NamedTuple):
    """What the publish gate looks at.

    Attributes:
        is_owner: whether the caller owns session and profile.
        blocker_count: blockers among the findings.
        quality_score: of the same findings.
        is_compiled: whether the compile made a world that can be played.
        document_hash: what the compile came to now.
        preview_hash: what the preview shows; the same as ``document_hash`` without a preview.
        revision: of what would be published.
        preview_revision: what the preview was made from; ``revision`` without a preview.
        stage: of the creation session; None when a library profile is published directly.
        has_live_operation: whether an operation other than the publishing one waits or runs.
        has_cover: whether the world has a cover.
        allows_automatic_cover: whether publishing makes a cover where there is none.
        published_others: how many other works the owner has published.
        is_moderated: whether moderators hide the world.
    """

    is_owner: bool
    blocker_count: int
    quality_score: int
    is_compiled: bool
    document_hash: str
    preview_hash: str
    revision: int
    preview_revision: int
    stage: AgentStage | None = None
    has_live_operation: bool = False
    has_cover: bool = False
    allows_automatic_cover: bool = True
    published_others: int = 0
    is_moderated: bool = False


class EnterFacts(NamedTuple):
    """What the enter-world gate looks at.

    Attributes:
        is_live: whether the world is in the catalog with a live version.
        is_own_draft: whether the caller owns a draft of it and plays that draft.
        is_retired: whether the version has been replaced or unpublished.
        is_blocked: whether moderators blocked the version.
        is_pinned: whether the session that asks began in this version.
        schema_version: of the document.
        role_keys: whom one can play.
        role_key: whom the caller would play; None when that is not chosen yet.
        has_opening_scene: whether the first chapter's opening scene is there.
        has_first_plan: whether the first chapter has its plan.
        blocker_count: blockers among the findings of a draft.
        has_free_slot: whether the caller may have one more story session.
        content_rating: of the world.
        is_strict: whether the caller's content filter is strict.
    """

    is_live: bool
    is_own_draft: bool
    role_keys: Collection[str]
    has_opening_scene: bool
    has_first_plan: bool
    role_key: str | None = None
    is_retired: bool = False
    is_blocked: bool = False
    is_pinned: bool = False
    schema_version: int = 1
    blocker_count: int = 0
    has_free_slot: bool = True
    content_rating: str = "everyone"
    is_strict: bool = False


def publish_gate(facts: PublishFacts) -> list[GateCheck]:
    """The checks PG01 to PG10; the world may be published when all of them passed."""
    one = facts
    is_fresh = one.preview_revision == one.revision
    is_same = one.is_compiled and one.document_hash == one.preview_hash
    return [
        _check("PG01", one.is_owner, "session and profile belong to the caller"),
        _check("PG02", one.blocker_count == 0, "no finding blocks the world"),
        _check(
            "PG03",
            one.stage is None or one.stage in _PUBLISHING_STAGES,
            "the foundation is drafted and the session is open",
        ),
        _check("PG04", not one.has_live_operation, "no operation is waiting or running"),
        _check("PG05", is_fresh, "the preview shows the current revision"),
        _check("PG06", is_same, "the world compiles to what the preview shows"),
        _check(
            "PG07",
            one.has_cover or one.allows_automatic_cover,
            "the world has a cover, or gets one on publishing",
        ),
        _check(
            "PG08",
            one.published_others < PUBLISHED_WORKS_MAX,
            f"the owner has fewer than {PUBLISHED_WORKS_MAX} other published works",
        ),
        _check("PG09", not one.is_moderated, "moderators do not hide the world"),
        _check(
            "PG10",
            one.quality_score >= QUALITY_SCORE_MIN,
            f"the quality score is at least {QUALITY_SCORE_MIN}",
        ),
    ]


def enter_gate(facts: EnterFacts) -> list[GateCheck]:
    """The checks EW01 to EW09; a story may begin in the world when all of them passed."""
    one = facts
    is_playable = one.is_own_draft or not one.is_retired or one.is_pinned
    has_role = bool(one.role_keys) and (one.role_key is None or one.role_key in one.role_keys)
    return [
        _check(
            "EW01",
            one.is_live or one.is_own_draft or one.is_pinned,
            "the world is published, or is the caller's own draft",
        ),
        _check("EW02", is_playable and not one.is_blocked, "the version may be entered"),
        _check("EW03", one.schema_version in _SCHEMA_VERSIONS, "the schema version is known"),
        _check("EW04", has_role, "there is a role to play, and the chosen one exists"),
        _check("EW05", one.has_opening_scene, "the opening scene is there"),
        _check("EW06", one.has_first_plan, "the first chapter has its plan"),
        _check(
            "EW07",
            not one.is_own_draft or one.blocker_count == 0,
            "no finding blocks the draft",
        ),
        _check("EW08", one.has_free_slot, "the caller may have one more story"),
        _check(
            "EW09",
            not one.is_strict or one.content_rating != "teen",
            "the caller's content filter allows the world",
        ),
    ]


def gate_passes(checks: Iterable[GateCheck]) -> bool:
    """Whether every check passed."""
    return all(check.passed for check in checks)


def failed_checks(checks: Iterable[GateCheck]) -> list[GateCheck]:
    """The checks that did not pass, as refusals tell them."""
    return [check for check in checks if not check.passed]


def _check(code: str, passed: object, message: str) -> GateCheck:
    return GateCheck(code, bool(passed), message)
