"""Entity generators over HTTP, each at its two addresses (domain 11.2, rows 15 and 16)."""

from __future__ import annotations

from typing import Final

from actors import Route, struct
from actors.domains.custom_world.entity_generation import (
    GeneratedEntity,
    generate_custom_world_entity,
    generate_custom_world_scene_npc,
)
from actors.domains.domain_types import Finding, TextSource

__all__ = ["ROUTES"]

_ROOTS: Final = ("/api/custom-world", "/api/runtime/custom-world")


@struct
class NpcAnswer:
    """An npc for a scene, who has made it, and what a compile would find about it."""

    npc_json: str
    source: TextSource
    findings: list[Finding]
    ai_task_id: str


def as_npc(made: GeneratedEntity) -> NpcAnswer:
    """The entity under the name that the address promises."""
    return NpcAnswer(made.entity_json, made.source, made.findings, made.ai_task_id)


ROUTES = (
    *(Route("POST", f"{root}/entity", generate_custom_world_entity) for root in _ROOTS),
    *(
        Route("POST", f"{root}/scene-npc", generate_custom_world_scene_npc, as_npc)
        for root in _ROOTS
    ),
)
