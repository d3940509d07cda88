"""Domain 11.2 and 11.3, row by row: which addresses there are, and who may use them."""

from __future__ import annotations

from typing import NamedTuple

ANYONE, USER, SERVICE, MODERATOR = "A", "U", "S", "moderator"


class Row(NamedTuple):
    """One method of one address."""

    method: str
    path: str
    access: str


_CREATION = """
U GET /api/runtime/custom-world-library
U POST /api/runtime/custom-world-library
U GET /api/runtime/custom-world-library/{profile_id}
U PUT /api/runtime/custom-world-library/{profile_id}
U DELETE /api/runtime/custom-world-library/{profile_id}
U POST /api/runtime/custom-world-library/{profile_id}/publish
U POST /api/runtime/custom-world-library/{profile_id}/unpublish
A GET /api/runtime/custom-world-gallery
A GET /api/runtime/custom-world-gallery/{owner_user_id}/{profile_id}
U POST /api/runtime/custom-world-gallery/{owner_user_id}/{profile_id}/like
U DELETE /api/runtime/custom-world-gallery/{owner_user_id}/{profile_id}/like
U GET /api/runtime/custom-world/works
U POST /api/runtime/custom-world/agent/sessions
U GET /api/runtime/custom-world/agent/sessions
U GET /api/runtime/custom-world/agent/sessions/{agent_session_id}
U POST /api/runtime/custom-world/agent/sessions/{agent_session_id}/messages
U POST /api/runtime/custom-world/agent/sessions/{agent_session_id}/messages/stream
U GET /api/runtime/custom-world/agent/sessions/{agent_session_id}/messages/stream
U POST /api/runtime/custom-world/agent/sessions/{agent_session_id}/actions
U GET /api/runtime/custom-world/agent/sessions/{agent_session_id}/operations/{operation_id}
U POST /api/runtime/custom-world/agent/sessions/{agent_session_id}/operations/{operation_id}/cancel
U GET /api/runtime/custom-world/agent/sessions/{agent_session_id}/cards/{card_id}
U POST /api/custom-world/entity
U POST /api/runtime/custom-world/entity
U POST /api/custom-world/scene-npc
U POST /api/runtime/custom-world/scene-npc
U POST /api/custom-world/scene-image
U POST /api/custom-world/cover-image
U POST /api/custom-world/cover-upload
moderator POST /api/admin/gallery/{profile_id}/moderation
S POST /api/assets/objects/confirm
U POST /api/assets/bindings
U DELETE /api/assets/bindings/{binding_id}
U GET /api/assets
A GET /objects/{bucket}/{object_key:path}
"""

_PLAY = """
U GET /api/runtime/progression
U POST /api/runtime/progression/ack
U GET /api/runtime/progression/chapters
U GET /api/runtime/progression/chapters/{chapter_id}
U GET /api/runtime/progression/chapters/{chapter_id}/deviation
A GET /api/runtime/progression/benchmarks/{level}
A POST /api/runtime/progression/plan
S POST /api/runtime/progression/grants
U POST /api/runtime/story/sessions
U GET /api/runtime/story/sessions/{story_session_id}
U POST /api/runtime/story/sessions/{story_session_id}/continue
U GET /api/runtime/story/sessions/{story_session_id}/events
U GET /api/runtime/story/sessions/{story_session_id}/stream
U POST /api/runtime/story/sessions/{story_session_id}/abandon
U POST /api/runtime/story/sessions/{story_session_id}/invite
U POST /api/runtime/story/join
U POST /api/runtime/battles
U GET /api/runtime/battles/{battle_state_id}
U POST /api/runtime/battles/{battle_state_id}/actions
U POST /api/runtime/story/sessions/{story_session_id}/npcs/{npc_key}/talk
U POST /api/runtime/story/sessions/{story_session_id}/npcs/{npc_key}/gift
U POST /api/runtime/story/sessions/{story_session_id}/npcs/{npc_key}/trade
U POST /api/runtime/story/sessions/{story_session_id}/npcs/{npc_key}/recruit
U POST /api/runtime/story/sessions/{story_session_id}/npcs/{npc_key}/dismiss
U POST /api/runtime/story/sessions/{story_session_id}/npcs/{npc_key}/help
U POST /api/runtime/story/sessions/{story_session_id}/quests/{quest_key}/accept
U POST /api/runtime/story/sessions/{story_session_id}/quests/{quest_key}/turn-in
U POST /api/runtime/story/sessions/{story_session_id}/quests/{quest_key}/abandon
U POST /api/runtime/story/sessions/{story_session_id}/treasures/{treasure_key}
U GET /api/runtime/inventory
U POST /api/runtime/inventory/equip
U POST /api/runtime/inventory/unequip
U POST /api/runtime/inventory/move
U POST /api/runtime/inventory/split
U POST /api/runtime/inventory/discard
U POST /api/runtime/inventory/use
U POST /api/runtime/inventory/claim-overflow
U GET /api/runtime/settings
U PUT /api/runtime/settings
U GET /api/runtime/snapshots/{slot}
U PUT /api/runtime/snapshots/{slot}
U DELETE /api/runtime/snapshots/{slot}
U GET /api/runtime/browse-history
U POST /api/runtime/browse-history
U DELETE /api/runtime/browse-history
U DELETE /api/runtime/browse-history/{world_key}
U GET /api/runtime/profile/dashboard
U GET /api/runtime/profile/wallet-ledger
U GET /api/runtime/profile/played-worlds
U GET /api/runtime/profile/save-archives
U POST /api/runtime/profile/save-archives
U POST /api/runtime/profile/save-archives/{archive_id}/restore
U DELETE /api/runtime/profile/save-archives/{archive_id}
S POST /api/ai/tasks
S POST /api/ai/tasks/{task_id}/start
S POST /api/ai/tasks/{task_id}/stages/{stage_order}/start
S POST /api/ai/tasks/{task_id}/stages/{stage_order}/chunks
S POST /api/ai/tasks/{task_id}/stages/{stage_order}/complete
S POST /api/ai/tasks/{task_id}/references
S POST /api/ai/tasks/{task_id}/complete
S POST /api/ai/tasks/{task_id}/fail
U GET /api/ai/tasks/{task_id}
U POST /api/ai/tasks/{task_id}/cancel
"""


def _rows(table: str) -> list[Row]:
    parts = (line.split() for line in table.split("\n") if line)
    return [Row(method, path, access) for access, method, path in parts]


ROWS = [*_rows(_CREATION), *_rows(_PLAY)]
