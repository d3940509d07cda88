"""Findings: what the compile has to say about a world, each thing once (domain 6.5)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from actors.domains.domain_types import EntityKind, Finding, Severity
from actors.domains.rules.limits import FINDING_CHARS_MAX
from actors.domains.rules.text import shorten_text
from actors.module.types import replace

__all__ = ["FINDING_CODES", "FindingSet", "count_of", "quality_score"]

FINDING_CODES: Final = (
    "BLK_WORLD_NAME",
    "BLK_PREMISE",
    "BLK_NO_ROLE",
    "BLK_NO_SCENE",
    "BLK_NO_CHAPTER",
    "BLK_NO_HOSTILE",
    "BLK_OPENING_SCENE",
    "BLK_MAIN_QUEST",
    "BLK_QUEST_UNREACHABLE",
    "BLK_SCENE_UNREACHABLE",
    "BLK_CHAPTER_NO_ENCOUNTER",
    "BLK_REFERENCE",
    "BLK_KEY_ITEM",
    "BLK_UNSAFE_TEXT",
    "BLK_SCHEMA",
    "WRN_FEW_NPCS",
    "WRN_FEW_SCENES",
    "WRN_NO_COVER",
    "WRN_ROLE_PORTRAIT",
    "WRN_SCENE_IMAGE",
    "WRN_SHORT_TEXT",
    "WRN_DUPLICATE_NAME",
    "WRN_ENCOUNTER_UNDER_BUDGET",
    "WRN_ENCOUNTER_OVER_BUDGET",
    "WRN_ORPHAN_NPC",
    "WRN_NO_SIDE_QUEST",
    "INF_TEXT_CUT",
    "INF_REF_DROPPED",
    "INF_STAT_NORMALISED",
)
"""Every code, in the order in which findings are listed."""

_SEVERITIES: Final = {
    "BLK": Severity.BLOCKER,
    "WRN": Severity.WARNING,
    "INF": Severity.INFO,
}
_RANK: Final[Mapping[str, int]] = {code: rank for rank, code in enumerate(FINDING_CODES)}
_WEIGHTS: Final = {Severity.BLOCKER: 250, Severity.WARNING: 40, Severity.INFO: 5}


class FindingSet:
    """Collects findings. A code comes once for each entity and field; later ones are left out."""

    __slots__ = ("_found",)

    def __init__(self) -> None:
        self._found: dict[tuple[str, EntityKind, str | None, str | None], Finding] = {}

    def add(
        self,
        code: str,
        kind: EntityKind,
        key: str | None,
        field: str | None,
        message: str,
    ) -> None:
        """Find something; the severity follows from the code."""
        severity = _SEVERITIES[code.partition("_")[0]]
        self.take(Finding(code, severity, kind, key, field, message))

    def take(self, finding: Finding) -> None:
        """Take a finding that somebody else made."""
        assert finding.code in _RANK
        place = (finding.code, finding.entity_kind, finding.entity_key, finding.field)
        message = shorten_text(finding.message, FINDING_CHARS_MAX)
        self._found.setdefault(place, replace(finding, message=message))

    def codes(self) -> set[str]:
        """Codes of what was found so far."""
        return {finding.code for finding in self._found.values()}

    def listed(self) -> tuple[Finding, ...]:
        """All findings by code, those of one code in the order in which they were found."""
        return tuple(sorted(self._found.values(), key=lambda finding: _RANK[finding.code]))


def count_of(findings: Iterable[Finding], severity: Severity) -> int:
    """How many findings have a severity."""
    return sum(finding.severity is severity for finding in findings)


def quality_score(findings: Iterable[Finding]) -> int:
    """How good a world is, 0 to 1000 (domain 6.4)."""
    loss = sum(_WEIGHTS[finding.severity] for finding in findings)
    return max(0, 1000 - loss)
