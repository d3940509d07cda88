"""Enter gate: whether the caller could begin a story in a world now (domain 6.7)."""

from __future__ import annotations

from typing import NamedTuple

from actors import ProcedureContext, ReducerError, ViewContext, procedure, struct
from actors.domains.custom_world.profile import find_profile
from actors.domains.custom_world.profile_gates import enter_checks
from actors.domains.custom_world.publishing import (
    CustomWorldPublishedProfile,
    PublishedStatus,
    published_world,
    versions_of,
)
from actors.domains.domain_types import GateCheck, PublicationStatus
from actors.domains.kinds import CATALOG, USER
from actors.domains.limits import LIVE_STORIES_MAX
from actors.domains.rules.compile.gates import EnterFacts, enter_gate
from actors.domains.rules.text import check_id, check_slug
from actors.domains.runtime.directory import live_stories
from actors.domains.runtime.settings import is_strict

__all__ = ["EvaluateEnterWorldGate", "evaluate_enter_world_gate"]


@struct
class EvaluateEnterWorldGate:
    """Input of ``evaluate_enter_world_gate``; without a role the choice is still open."""

    profile_id: str
    role_key: str | None


class _Caller(NamedTuple):
    """What the caller's own actor says; the checks themselves where it is an own draft."""

    checks: list[GateCheck] | None
    has_free_slot: bool
    is_strict: bool


@procedure(actor=USER)
async def evaluate_enter_world_gate(
    ctx: ProcedureContext, input: EvaluateEnterWorldGate
) -> list[GateCheck]:
    """All checks of the gate, of a published world or of an own draft; raises ``world.not_found``.

    What changes between this answer and a story's beginning, the story finds out.
    """
    profile_id = check_id(input.profile_id)
    role_key = None if input.role_key is None else check_slug(input.role_key)
    caller = await ctx.read(USER.key(ctx.user_id), lambda view: _caller(view, profile_id, role_key))
    if caller.checks is not None:
        return caller.checks
    versions = await ctx.read(
        CATALOG.shard_key(profile_id), lambda view: versions_of(view.db, profile_id)
    )
    if not versions:
        raise ReducerError("world.not_found", "there is no such world")
    return enter_gate(_facts(versions, role_key, caller))


def _caller(view: ViewContext, profile_id: str, role_key: str | None) -> _Caller:
    has_free_slot = len(live_stories(view.db)) < LIVE_STORIES_MAX
    profile = find_profile(view.db, profile_id)
    checks = None
    if profile is not None and profile.publication_status is not PublicationStatus.PUBLISHED:
        checks = enter_checks(view.db, profile, role_key=role_key, has_free_slot=has_free_slot)
    return _Caller(checks, has_free_slot, is_strict(view.db))


def _facts(
    versions: list[CustomWorldPublishedProfile], role_key: str | None, caller: _Caller
) -> EnterFacts:
    live = next((row for row in versions if row.status is PublishedStatus.LIVE), None)
    row = versions[-1] if live is None else live
    world = published_world(row.document_json)
    return EnterFacts(
        is_live=live is not None,
        is_own_draft=False,
        is_retired=row.status is PublishedStatus.RETIRED,
        is_blocked=row.status is PublishedStatus.BLOCKED,
        schema_version=row.schema_version,
        role_keys=world.roles,
        role_key=role_key,
        has_opening_scene=True,
        has_first_plan=bool(world.chapters),
        has_free_slot=caller.has_free_slot,
        content_rating=world.meta.content_rating,
        is_strict=caller.is_strict,
    )
