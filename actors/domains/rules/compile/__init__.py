"""Compile: worlds from cards and documents; findings, previews, gates and works (domain 6)."""

from __future__ import annotations

from actors.domains.rules.compile.compiled import (
    CardTexts,
    CompiledWorld,
    compile_cards,
    compile_document,
)
from actors.domains.rules.compile.draft import DraftCard, DraftMeta, unique_key
from actors.domains.rules.compile.entries import KEY_FIELD, check_card
from actors.domains.rules.compile.findings import FINDING_CODES, count_of, quality_score
from actors.domains.rules.compile.gates import (
    EnterFacts,
    PublishFacts,
    enter_gate,
    failed_checks,
    gate_passes,
    publish_gate,
)
from actors.domains.rules.compile.mentions import mentions_of
from actors.domains.rules.compile.preview import Preview, preview_of
from actors.domains.rules.compile.public_view import public_view
from actors.domains.rules.compile.works import HeaderFacts, ProfileFacts, merge_works

__all__ = [
    "FINDING_CODES",
    "KEY_FIELD",
    "CardTexts",
    "CompiledWorld",
    "DraftCard",
    "DraftMeta",
    "EnterFacts",
    "HeaderFacts",
    "Preview",
    "ProfileFacts",
    "PublishFacts",
    "check_card",
    "compile_cards",
    "compile_document",
    "count_of",
    "enter_gate",
    "failed_checks",
    "gate_passes",
    "mentions_of",
    "merge_works",
    "preview_of",
    "public_view",
    "publish_gate",
    "quality_score",
    "unique_key",
]
