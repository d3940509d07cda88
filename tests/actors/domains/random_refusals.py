"""Refusals of random play: which codes a call may answer (domain 1.7)."""

from __future__ import annotations

import re

__all__ = ["check_refusal"]

_CODE = re.compile(r"[a-z][a-z_]*\.[a-z][a-z_]*")

# Codes that every call may answer (domain 1.7); ``internal.error`` is the one that none may.
_GLOBAL = """input.missing_field input.invalid_type input.unknown_variant input.invalid_id
    input.text_too_long input.text_empty input.json_malformed input.payload_too_large
    input.out_of_range auth.unauthenticated auth.token_expired auth.forbidden idempotency.conflict
    limit.rate_exceeded limit.quota_exceeded state.actor_unavailable"""

_HOST = "story.not_found story.not_active_state"
_NPC = f"{_HOST} npc.not_found npc.not_in_scene_state npc.refuses_state npc.requirements_not_met"
_FIGHT = (
    "combat.already_active combat.encounter_not_found combat.already_cleared "
    "combat.too_many_hostiles combat.hostile_not_found combat.requirements_not_met"
)
_QUEST = f"{_HOST} quest.not_found quest.not_completed_state quest.already_turned_in"
_QUEST_AT_GIVER = f"{_QUEST} quest.giver_absent_state quest.too_many_state quest.not_offered_state"
_TREASURE = (
    "treasure.not_found treasure.not_in_scene_state treasure.already_opened "
    "treasure.requirements_not_met"
)
_SLOT = "inventory.slot_empty inventory.slot_out_of_range inventory.locked_state"
_ITEM = f"{_SLOT} inventory.full_state inventory.quantity_out_of_range"
_GEAR = "inventory.not_equippable inventory.requirements_not_met"

# What a call may refuse with beside the global codes, by the tables of domain 2 to 6.
_OWN = {
    "begin_story_session": "world.not_found world.gate_blocked story.role_not_found "
    "runtime.invalid_locale",
    "continue_story": f"{_HOST} story.invalid_input story.stale_version story.choice_not_found "
    f"story.choice_disabled story.narration_in_progress {_NPC} {_FIGHT} {_QUEST_AT_GIVER} "
    f"{_TREASURE}",
    "get_story_session_state": "story.not_found",
    "list_story_events": "story.not_found",
    "create_story_invite": _HOST,
    "join_story_session": f"{_HOST} story.invite_not_found story.full_state story.invalid_input "
    "story.role_not_found",
    "leave_story_session": _HOST,
    "kick_story_participant": f"{_HOST} story.participant_not_found",
    "abandon_story_session": _HOST,
    "create_battle_state": f"{_NPC} {_FIGHT}",
    "resolve_combat_action": "combat.not_found combat.not_active_state combat.stale_version "
    "combat.not_your_turn combat.not_participant combat.skill_unknown combat.skill_on_cooldown "
    "combat.mana_insufficient combat.item_unavailable combat.target_invalid combat.escape_blocked "
    "combat.yield_not_allowed",
    "abort_battle": "combat.not_found combat.not_active_state story.not_found",
    "get_battle_state": "combat.not_found",
    "talk_to_npc": _NPC,
    "ask_npc_help": _NPC,
    "recruit_npc": f"{_NPC} npc.already_recruited npc.party_full_state",
    "dismiss_npc": _NPC,
    "get_npc_state": "story.not_found npc.not_found",
    "upsert_npc_state": f"{_NPC} npc.stale_version npc.affinity_out_of_range "
    "npc.scene_not_found npc.party_full_state",
    "trade_with_npc": f"{_NPC} npc.out_of_stock npc.price_changed_conflict inventory.item_unknown "
    "inventory.quantity_out_of_range inventory.locked_state inventory.insufficient_items",
    "gift_npc": f"{_NPC} inventory.item_unknown inventory.locked_state "
    "inventory.insufficient_items",
    "accept_quest": _QUEST_AT_GIVER,
    "abandon_quest": f"{_QUEST} quest.not_active_state",
    "turn_in_quest": _QUEST_AT_GIVER,
    "resolve_treasure_interaction": f"{_HOST} {_TREASURE}",
    "equip_item": f"{_SLOT} {_GEAR}",
    "unequip_item": f"{_SLOT} inventory.full_state",
    "move_inventory_slot": _SLOT,
    "split_inventory_stack": _ITEM,
    "discard_inventory_item": f"{_ITEM} inventory.not_discardable",
    "claim_overflow_item": f"{_SLOT} inventory.full_state",
    "use_inventory_item": f"{_SLOT} {_HOST} inventory.requirements_not_met",
    "apply_inventory_mutation": f"{_ITEM} {_GEAR} inventory.not_discardable "
    "inventory.insufficient_items inventory.item_unknown",
    "upsert_runtime_setting": "runtime.volume_out_of_range runtime.invalid_locale",
    "get_runtime_snapshot": "snapshot.slot_out_of_range",
    "upsert_runtime_snapshot": "snapshot.slot_out_of_range snapshot.stale_version "
    "snapshot.session_not_found",
    "delete_runtime_snapshot": "snapshot.slot_out_of_range",
    "upsert_browse_history": "browse.world_not_found",
    "append_wallet_ledger_entry": "wallet.amount_out_of_range wallet.insufficient_balance",
    "create_save_archive": f"{_HOST} archive.not_found archive.quota_exceeded "
    "archive.battle_state archive.pending_state archive.too_large",
    "restore_save_archive": "archive.not_found archive.corrupt_state archive.pending_state "
    "world.not_found world.gate_blocked",
    "grant_player_progression_experience": "progression.amount_out_of_range",
    "acknowledge_level_ups": "progression.count_out_of_range",
    "upsert_chapter_progression": "progression.invalid_plan",
    "apply_chapter_progression_ledger_entry": "progression.chapter_not_found "
    "progression.level_out_of_range",
    "get_chapter_progression": "progression.chapter_not_found",
    "get_chapter_deviation_report": "progression.chapter_not_found",
    "plan_chapter_progression": "progression.invalid_plan",
    "get_level_benchmark": "progression.level_out_of_range",
    "list_custom_world_library": "input.invalid_cursor",
    "get_custom_world_library_detail": "world.not_found",
    "upsert_custom_world_profile": "world.not_found world.stale_version world.document_malformed",
    "delete_custom_world_profile": "world.not_found world.publishing_state",
    "publish_custom_world_profile": "world.not_found world.gate_blocked world.publishing_state",
    "unpublish_custom_world_profile": "world.not_found world.not_published_state "
    "world.publishing_state",
    "list_custom_world_gallery": "input.invalid_cursor",
    "get_custom_world_gallery_detail": "world.not_found",
    "get_published_profile": "world.not_found",
    "like_custom_world": "world.not_found gallery.own_work_forbidden",
    "unlike_custom_world": "world.not_found",
    "moderate_gallery_entry": "world.not_found",
    "list_custom_world_works": "input.invalid_cursor",
    "list_my_assets": "input.invalid_cursor",
    "evaluate_enter_world_gate": "world.not_found",
    "evaluate_publish_gate": "world.not_found agent.session_not_found",
    "compile_published_profile": "world.not_found agent.session_not_found",
}

_TASK = """ai.task_not_found ai.stage_not_found ai.invalid_state ai.task_final_state
    ai.stage_order_conflict ai.stage_not_running_state ai.stages_incomplete_state ai.chunk_conflict
    ai.chunk_out_of_range ai.invalid_scope ai.invalid_stages story.not_found
    agent.session_not_found"""
_AGENT = """agent.session_not_found agent.archived_state agent.reply_in_progress_state
    agent.operation_not_found agent.operation_final_state agent.operation_committed_state
    agent.card_not_found agent.message_not_found agent.checkpoint_not_found agent.action_unknown
    agent.action_disabled_state agent.payload_malformed agent.stale_version
    agent.card_locked_state agent.world_card_conflict"""
_WORKER = "agent.operation_not_found agent.stale_lease_conflict agent.payload_malformed"
_ASSET = """asset.not_found asset.not_owner asset.entity_not_found asset.invalid_slot
    asset.in_use_conflict asset.invalid_locator asset.content_length_out_of_range
    asset.unsupported_media asset.invalid_hash input.invalid_cursor"""

# What calls of one family refuse with, told by a part of their names; the first one counts.
_FAMILIES = {
    "_ai_": _TASK,
    "asset": _ASSET,
    "_agent_operation": f"{_WORKER} {_AGENT}",
    "_agent_": f"{_AGENT} runtime.invalid_locale",
    "publish_world": "agent.session_not_found agent.archived_state world.gate_blocked",
    "generate_custom_world": "world.not_found agent.session_not_found runtime.invalid_locale",
}


def check_refusal(call: str, code: str) -> None:
    """Domain 1.7: codes have a form, and each call has its own ones beside the global ones."""
    name = call.removesuffix("_and_return")
    if name.startswith(("begin_", "create_save", "restore_", "join_")) and call != name:
        assert code != "dependency.timeout", (call, code)
    known = f"{_GLOBAL} {_OWN.get(name, '')}".split()
    assert _CODE.fullmatch(code), (call, code)
    family = next((codes for part, codes in _FAMILIES.items() if part in name), "")
    assert code in known or code in family.split(), (call, code)
