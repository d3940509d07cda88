"""Agent reads: sessions, operations and cards with what belongs to them, for their owners (7.3)."""

from __future__ import annotations

from actors import DatabaseReader, ReducerError, ViewContext, procedure, struct, u32
from actors.domains.custom_world.agent.cards import (
    CustomWorldDraftCard,
    cards_of,
    find_card,
    is_compiled,
)
from actors.domains.custom_world.agent.checkpoints import CustomWorldAgentCheckpoint
from actors.domains.custom_world.agent.compile import compile_session, publish_facts
from actors.domains.custom_world.agent.findings import CustomWorldAgentFinding, findings_of
from actors.domains.custom_world.agent.images import AgentAssetLink, links_of
from actors.domains.custom_world.agent.messages import CustomWorldAgentMessage, messages_of
from actors.domains.custom_world.agent.operations import (
    CustomWorldAgentOperation,
    find_operation,
    is_final,
    open_operations,
)
from actors.domains.custom_world.agent.preview import CustomWorldResultPreview, the_preview
from actors.domains.custom_world.agent.session import (
    CustomWorldAgentSession,
    own_session,
    session_of,
)
from actors.domains.custom_world.limits import (
    MESSAGES_LISTED_DEFAULT,
    OPERATIONS_LISTED_MAX,
)
from actors.domains.domain_types import GateCheck, SupportedAction
from actors.domains.kinds import AGENT
from actors.domains.rules.compile import mentions_of, publish_gate

__all__ = [
    "AgentCardDetail",
    "AgentSessionSnapshot",
    "GetCustomWorldAgentCard",
    "GetCustomWorldAgentOperation",
    "GetCustomWorldAgentSession",
    "get_custom_world_agent_card",
    "get_custom_world_agent_operation",
    "get_custom_world_agent_session",
    "session_publish_checks",
    "snapshot_of",
]


@struct
class GetCustomWorldAgentSession:
    """Input of ``get_custom_world_agent_session``; messages before a number, the newest ones."""

    agent_session_id: str
    messages_before: u32 | None
    message_limit: u32 | None


@struct
class GetCustomWorldAgentOperation:
    """Input of ``get_custom_world_agent_operation``."""

    agent_session_id: str
    operation_id: str


@struct
class GetCustomWorldAgentCard:
    """Input of ``get_custom_world_agent_card``."""

    agent_session_id: str
    card_id: str


@struct
class AgentSessionSnapshot:
    """A session with what belongs to it.

    Messages are the newest ones, oldest first; operations are those that have not ended, and the
    last ones that have, in the order in which they were accepted.
    """

    session: CustomWorldAgentSession
    messages: list[CustomWorldAgentMessage]
    operations: list[CustomWorldAgentOperation]
    cards: list[CustomWorldDraftCard]
    findings: list[CustomWorldAgentFinding]
    result_preview: CustomWorldResultPreview
    supported_actions: list[SupportedAction]
    checkpoints: list[CustomWorldAgentCheckpoint]


@struct
class AgentCardDetail:
    """A card with what is found about it, the cards of the world that name it, and its image."""

    card: CustomWorldDraftCard
    findings: list[CustomWorldAgentFinding]
    referenced_by: list[CustomWorldDraftCard]
    asset_links: list[AgentAssetLink]


@procedure(actor=AGENT)
def get_custom_world_agent_session(
    ctx: ViewContext, input: GetCustomWorldAgentSession
) -> AgentSessionSnapshot:
    """A session of the caller; raises ``agent.session_not_found`` or ``input.out_of_range``."""
    session = own_session(ctx, input.agent_session_id)
    limit = MESSAGES_LISTED_DEFAULT if input.message_limit is None else input.message_limit
    if not 1 <= limit <= MESSAGES_LISTED_DEFAULT:
        raise ReducerError(
            "input.out_of_range", f"messageLimit must be 1 to {MESSAGES_LISTED_DEFAULT}"
        )
    return snapshot_of(ctx.db, session, before=input.messages_before, limit=limit)


@procedure(actor=AGENT)
def get_custom_world_agent_operation(
    ctx: ViewContext, input: GetCustomWorldAgentOperation
) -> CustomWorldAgentOperation:
    """An operation; raises ``agent.session_not_found`` or ``agent.operation_not_found``."""
    own_session(ctx, input.agent_session_id)
    return find_operation(ctx.db, input.operation_id)


@procedure(actor=AGENT)
def get_custom_world_agent_card(
    ctx: ViewContext, input: GetCustomWorldAgentCard
) -> AgentCardDetail:
    """A card; raises ``agent.session_not_found`` or ``agent.card_not_found``."""
    own_session(ctx, input.agent_session_id)
    card = find_card(ctx.db, input.card_id)
    sections = compile_session(ctx.db).sections
    naming = set(mentions_of(sections, card.kind, card.entity_key))
    referenced_by = [
        row for row in cards_of(ctx.db) if is_compiled(row) and (row.kind, row.entity_key) in naming
    ]
    findings = findings_of(ctx.db, card.card_id)
    return AgentCardDetail(card, findings, referenced_by, links_of(ctx.db, card))


def snapshot_of(
    db: DatabaseReader,
    session: CustomWorldAgentSession,
    *,
    before: int | None = None,
    limit: int = MESSAGES_LISTED_DEFAULT,
) -> AgentSessionSnapshot:
    """A session with what belongs to it."""
    messages = [row for row in messages_of(db) if before is None or row.seq < before]
    ended = sorted(
        (row for row in db[CustomWorldAgentOperation] if is_final(row)),
        key=lambda row: (row.created_at, row.operation_id),
    )
    return AgentSessionSnapshot(
        session=session,
        messages=messages[-limit:],
        operations=[*ended[-OPERATIONS_LISTED_MAX:], *open_operations(db)],
        cards=cards_of(db),
        findings=list(db[CustomWorldAgentFinding]),
        result_preview=the_preview(db),
        supported_actions=session.supported_actions,
        checkpoints=sorted(
            db[CustomWorldAgentCheckpoint], key=lambda row: (row.created_at, row.checkpoint_id)
        ),
    )


def session_publish_checks(db: DatabaseReader) -> list[GateCheck]:
    """The publish gate of a session, as far as the session itself knows (domain 6.6)."""
    facts = publish_facts(db, session_of(db), compile_session(db))
    return publish_gate(facts._replace(has_live_operation=bool(open_operations(db))))
