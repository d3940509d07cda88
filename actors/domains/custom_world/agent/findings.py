"""Agent findings: what the compile remarks on a session's draft, row by row (domain 6.5, 7.1)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from actors import ReducerContext, Timestamp, replace, table
from actors.domains.custom_world.agent.cards import CustomWorldDraftCard
from actors.domains.custom_world.agent.session import CustomWorldAgentSession
from actors.domains.domain_types import EntityKind, Finding, Severity
from actors.domains.kinds import AGENT
from actors.domains.rules.ids import derived_id
from actors.module import DatabaseReader

__all__ = ["CustomWorldAgentFinding", "findings_of", "put_findings"]


@table(public=True, primary_key="finding_id", index=["agent_session_id", "card_id"], actor=AGENT)
class CustomWorldAgentFinding:
    """One remark on the draft, and the card that it is about, if it is about one."""

    finding_id: str
    agent_session_id: str
    user_id: str
    code: str
    severity: Severity
    entity_kind: EntityKind
    entity_key: str | None
    field: str | None
    message: str
    card_id: str | None
    created_at: Timestamp


def findings_of(db: DatabaseReader, card_id: str) -> list[CustomWorldAgentFinding]:
    """The remarks on a card, by id."""
    return db[CustomWorldAgentFinding].filter(card_id=card_id)


def put_findings(
    ctx: ReducerContext, session: CustomWorldAgentSession, findings: Sequence[Finding]
) -> None:
    """Make these the session's findings; rows that stay as they are, are not touched.

    Cards get the number of findings that are about them.
    """
    table = ctx.db[CustomWorldAgentFinding]
    cards = {(row.kind, row.entity_key): row for row in ctx.db[CustomWorldDraftCard]}
    wanted: dict[str, CustomWorldAgentFinding] = {}
    for finding in findings:
        card = cards.get((finding.entity_kind, finding.entity_key or ""))
        finding_id = _finding_id(session.agent_session_id, finding, wanted)
        known = table.find(finding_id)
        wanted[finding_id] = CustomWorldAgentFinding(
            finding_id,
            session.agent_session_id,
            session.user_id,
            finding.code,
            finding.severity,
            finding.entity_kind,
            finding.entity_key,
            finding.field,
            finding.message,
            None if card is None else card.card_id,
            ctx.timestamp if known is None else known.created_at,
        )
    for row in table:
        if row.finding_id not in wanted:
            table.delete(row.finding_id)
    for row in wanted.values():
        if table.find(row.finding_id) != row:
            table.upsert(row)
    _count(ctx, wanted.values())


def _count(ctx: ReducerContext, findings: Iterable[CustomWorldAgentFinding]) -> None:
    counts = Counter(row.card_id for row in findings)
    for card in ctx.db[CustomWorldDraftCard]:
        if card.finding_count != counts[card.card_id]:
            counted = replace(card, finding_count=counts[card.card_id])
            ctx.db[CustomWorldDraftCard].update(counted)


def _finding_id(
    agent_session_id: str, finding: Finding, taken: dict[str, CustomWorldAgentFinding]
) -> str:
    """By code, entity and field; several remarks on one field are numbered."""
    about = "world"
    if finding.entity_key is not None:
        about = derived_id(finding.entity_kind.name.lower(), finding.entity_key)
    base = derived_id(agent_session_id, finding.code, about, finding.field or "")
    finding_id, number = base, 1
    while finding_id in taken:
        number += 1
        finding_id = derived_id(base, number)
    return finding_id
