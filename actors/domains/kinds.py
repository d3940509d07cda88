"""Kinds: the families of actors that the game is made of (domain 1.2)."""

from __future__ import annotations

from typing import Final

from actors.keys import ActorKind, Audience

__all__ = ["AGENT", "AI_SCOPES", "CATALOG", "STORY", "USER"]

USER: Final = ActorKind("user", Audience.CALLER, ("user_id", "task_id", "scope_id"), names=("u_",))
"""One actor for each user: account, directory, wallet, progression and inventory."""

STORY: Final = ActorKind(
    "story",
    Audience.ATTACHED,
    (
        "story_session_id",
        "battle_state_id",
        "quest_record_id",
        "npc_state_id",
        "treasure_record_id",
        "task_id",
        "scope_id",
    ),
    names=("ss_",),
)
"""One actor for each story session. Ids of its rows route as well: they begin with the session's
id and a dot (domain 1.3)."""

AGENT: Final = ActorKind(
    "agent",
    Audience.ATTACHED,
    ("agent_session_id", "operation_id", "card_id", "task_id", "scope_id"),
    names=("cws_",),
)
"""One actor for each creation session. Ids of its operations, cards, messages, checkpoints and
tasks begin with the session's id and a dot, so they route as well."""

AI_SCOPES: Final = (USER, STORY, AGENT)
"""Where AI tasks live: in the actor that they are for (domain 8.1)."""

CATALOG: Final = ActorKind(
    "catalog", Audience.EVERYONE, ("profile_id", "work_id", "asset_object_id", "binding_id")
)
"""What many users read: the module's own row, published worlds, stored assets and their links."""
