"""Kinds: the families of actors that the game is made of (domain 1.2)."""

from __future__ import annotations

from typing import Final

from actors.keys import ActorKind, Audience

__all__ = ["AI_SCOPES", "CATALOG", "STORY", "USER"]

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

AI_SCOPES: Final = (USER, STORY)
"""Where AI tasks live: in the actor that they are for (domain 8.1)."""

CATALOG: Final = ActorKind(
    "catalog", Audience.EVERYONE, ("profile_id", "work_id", "asset_object_id")
)
"""What everybody may read: the module's own row and the published worlds."""
