"""Publish gate: whether a world could be published now, and what it would be (6.3, 6.6)."""

from __future__ import annotations

from actors import ProcedureContext, ReducerError, ViewContext, procedure, struct, u32
from actors.domains.custom_world.agent.compile import compile_session
from actors.domains.custom_world.agent.reads import session_publish_checks
from actors.domains.custom_world.agent.session import own_session, session_profile_id
from actors.domains.custom_world.profile import profile_of
from actors.domains.custom_world.profile_drafts import compile_profile
from actors.domains.custom_world.profile_gates import publish_checks, with_author_checks
from actors.domains.domain_types import Finding, GateCheck
from actors.domains.kinds import AGENT, USER
from actors.domains.rules.compile import CompiledWorld, quality_score
from actors.domains.rules.text import check_id

__all__ = [
    "CompiledProfile",
    "EvaluatePublishGate",
    "compile_published_profile_and_return",
    "evaluate_publish_gate",
]


@struct
class EvaluatePublishGate:
    """Input of ``evaluate_publish_gate`` and ``compile_published_profile_and_return``.

    A creation session, or a library profile.
    """

    agent_session_id: str | None
    profile_id: str | None


@struct
class CompiledProfile:
    """What a draft compiles to: the JSON of its document, and all that was found."""

    document: str
    document_hash: str
    quality_score: u32
    findings: list[Finding]


@procedure(actor=USER)
async def evaluate_publish_gate(
    ctx: ProcedureContext, input: EvaluatePublishGate
) -> list[GateCheck]:
    """All checks of the gate; raises ``agent.session_not_found`` and ``world.not_found``."""
    if input.agent_session_id is None:
        profile_id = _profile_id(input)
        return await ctx.read(
            USER.key(ctx.user_id),
            lambda view: publish_checks(view.db, profile_of(view.db, profile_id)),
        )
    session_id = check_id(input.agent_session_id)

    def checks_of(view: ViewContext) -> list[GateCheck]:
        own_session(view, session_id)
        return session_publish_checks(view.db)

    checks = await ctx.read(AGENT.key(session_id), checks_of)
    return await ctx.read(
        USER.key(ctx.user_id),
        lambda view: with_author_checks(view.db, session_profile_id(session_id), checks),
    )


@procedure(actor=USER)
async def compile_published_profile_and_return(
    ctx: ProcedureContext, input: EvaluatePublishGate
) -> CompiledProfile:
    """Compile a draft without publishing it; raises as ``evaluate_publish_gate`` does."""
    if input.agent_session_id is None:
        profile_id = _profile_id(input)
        return await ctx.read(
            USER.key(ctx.user_id), lambda view: _shown(compile_profile(view.db, profile_id))
        )
    session_id = check_id(input.agent_session_id)

    def compiled(view: ViewContext) -> CompiledProfile:
        own_session(view, session_id)
        return _shown(compile_session(view.db))

    return await ctx.read(AGENT.key(session_id), compiled)


def _profile_id(input: EvaluatePublishGate) -> str:
    if input.profile_id is None:
        raise ReducerError("input.missing_field", "name a session or a profile")
    return check_id(input.profile_id)


def _shown(compiled: CompiledWorld) -> CompiledProfile:
    return CompiledProfile(
        document=compiled.document_json,
        document_hash=compiled.document_hash,
        quality_score=quality_score(compiled.findings),
        findings=list(compiled.findings),
    )
