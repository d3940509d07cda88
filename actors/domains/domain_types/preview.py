"""Structs of a draft's result preview (domain 6.4)."""

from __future__ import annotations

from actors.domains.domain_types.shared import PaceBand
from actors.module.types import struct, u32

__all__ = ["PreviewChapter", "PreviewOpening", "PreviewRole"]


@struct
class PreviewRole:
    """Somebody that one can play."""

    key: str
    name: str
    title: str
    portrait_src: str | None


@struct
class PreviewOpening:
    """Where a story begins; all texts are empty while there is no such scene."""

    scene_key: str
    title: str
    text: str


@struct
class PreviewChapter:
    """A chapter with what it is meant to give."""

    index: u32
    title: str
    entry_level: u32
    exit_level: u32
    planned_total_xp: u32
    pace_band: PaceBand
