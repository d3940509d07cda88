"""Works: what players publish for others, as lists of works of every kind show them."""

from __future__ import annotations

from actors.domains.domain_types.shared import ThemeMode, WorldKind
from actors.module.types import struct

__all__ = ["WorkCard", "WorkRef"]


@struct
class WorkRef:
    """Which work is meant. ``work_id`` is a profile id or a work id, as its kind has it."""

    world_kind: WorldKind
    work_id: str


@struct
class WorkCard:
    """A work as a list shows it (domain 2.3). ``world_key`` is made of kind and ``profile_id``."""

    world_key: str
    world_kind: WorldKind
    owner_user_id: str
    profile_id: str
    world_name: str
    subtitle: str
    summary_text: str
    cover_image_src: str | None
    theme_mode: ThemeMode
    author_display_name: str
