"""Calls of authors at random: what somebody who creates, publishes and likes worlds could ask."""

from __future__ import annotations

import json
from collections.abc import Sequence
from random import Random
from typing import Any

from asset_bench import file_fields
from authored_worlds import for_teens, with_tip, without_premise, world
from random_calls import Call, Caller
from user_bench import SERVICE
from vale_bench import PROFILE, Player, Vale

from actors.domains.ai.tasks import AiTask
from actors.domains.asset_metadata.bindings import AssetEntityBinding
from actors.domains.asset_metadata.objects import AssetObject
from actors.domains.custom_world.agent.cards import CustomWorldDraftCard
from actors.domains.custom_world.agent.checkpoints import CustomWorldAgentCheckpoint
from actors.domains.custom_world.agent.messages import CustomWorldAgentMessage
from actors.domains.custom_world.agent.operations import CustomWorldAgentOperation, is_final
from actors.domains.custom_world.agent.session import (
    CustomWorldAgentSession,
    session_profile_id,
)
from actors.domains.custom_world.gallery import CustomWorldGalleryEntry, Moderation
from actors.domains.custom_world.profile import CustomWorldProfile
from actors.domains.domain_types import AccessPolicy, AssetEntityKind, AssetSlot, EntityKind
from actors.domains.gameplay.story import StorySession
from actors.domains.kinds import AGENT, CATALOG, STORY

__all__ = ["AuthorCaller"]

_CATALOG = CATALOG.key("0")
_WORLDLY = ("custom_world", "agent", "ai_", "asset", "publish", "gate", "gallery")
_SAID = (
    "A drowned kingdom under a curse. The tone is grim mystery. I want to be a ferryman hero.",
    "The game begins at the harbor. A friend named Mara waits there.",
    "水下的王国",
    "xx-blocked-xx",
    "hm",
    "",
    "x" * 4_001,
)
_VALUES: tuple[Any, ...] = (
    *("", " ", "short", "god", "boss", "xx-blocked-xx", "nowhere", "x" * 700, "Amber Ford"),
    *(None, 0, -1, 5, 2**40, True, [], {}, [1], ["nowhere"], [{}], {"key": "x"}, [["a"]]),
)
_ACTIONS = {
    "update_draft_card": 7,
    "set_card_status": 6,
    "create_draft_card": 3,
    "reorder_cards": 1,
    "draft_foundation": 3,
    "generate_entity": 2,
    "generate_scene_npc": 1,
    "expand_chapter": 1,
    "generate_role_assets": 2,
    "generate_scene_assets": 2,
    "generate_cover": 3,
    "sync_role_assets": 1,
    "sync_scene_assets": 1,
    "sync_result_profile": 3,
    "create_checkpoint": 1,
    "revert_checkpoint": 2,
    "publish_world": 6,
    "unpublish_world": 2,
    "archive_session": 1,
    "restore_session": 2,
    "retry_reply": 3,
    "agent_reply": 0.3,
    "launch_rocket": 0.2,
}
_FILES = ("a", "b", "c", "d")


class AuthorCaller(Caller):
    """Thinks of calls that authors, readers and moderators could make next.

    Args:
        rng: all chance.
        vale: whose rows are looked at.
        user_ids: of everybody there is.
    """

    def __init__(self, rng: Random, vale: Vale, user_ids: Sequence[str]) -> None:
        super().__init__(rng, vale, user_ids)
        self._names = [name for name in self._names if any(part in name for part in _WORLDLY)]
        self._session: CustomWorldAgentSession | None = None
        self._said = 0

    def next(self, players: list[Player]) -> Call:
        """A call of one of the players: mostly one that could be accepted."""
        rng = self.rng
        self.look_as(rng.choice(players))
        if self._player.claims == SERVICE:
            return self._store() if rng.random() < 0.6 else self._any(self._player)
        if "moderator" in self._player.claims.roles and rng.random() < 0.2:
            return self._moderate()
        own = self._own_sessions()
        if not own or rng.random() < 0.03:
            seed = rng.choice([None, "", _SAID[0], _SAID[0][:60], _SAID[1]])
            locale = rng.choice([None, "en", "zh-CN", "xx"])
            fields = (seed, locale)
            return Call(self._player, "create_custom_world_agent_session_and_return", fields)
        draw = rng.random()
        kinds = (
            (0.10, self._say),
            (0.46, self._act),
            (0.50, self._call_off),
            (0.58, self._library),
            (0.63, self._publish),
            (0.72, self._like),
            (0.81, self._bind),
            (0.85, self._play),
        )
        make = next((make for limit, make in kinds if draw < limit), None)
        return self._any(self._player) if make is None else make()

    def look_as(self, player: Player) -> None:
        """Think of what this player could do, mostly with something of their own."""
        own = [] if player.claims == SERVICE else self._sessions(player.user_id)
        foreign = self._sessions()
        self._player = player
        self._story = "ss_none"
        is_own = bool(own) and self.rng.random() < 0.95
        self._session = self.rng.choice(own if is_own else foreign or [None])

    # What there is

    def _sessions(self, user_id: str | None = None) -> list[Any]:
        keys = sorted(key for key in self.vale.disk.actors if key.startswith("agent/"))
        rows = [
            row
            for key in keys
            if self.vale.host.is_active(AGENT.key(key.partition("/")[2]))
            for row in self.vale.rows(AGENT.key(key.partition("/")[2]), CustomWorldAgentSession)
        ]
        return [row for row in rows if user_id in {None, row.user_id}]

    def _own_sessions(self) -> list[Any]:
        return self._sessions(self._player.user_id)

    @property
    def session_id(self) -> str:
        """The session that is thought of."""
        return "cws_none" if self._session is None else self._session.agent_session_id

    def _of(self, table: type) -> list[Any]:
        """Rows of the session that is thought of."""
        return [] if self._session is None else self.vale.rows(AGENT.key(self.session_id), table)

    def _catalog(self, table: type) -> list[Any]:
        return self.vale.rows(_CATALOG, table) if self.vale.host.is_active(_CATALOG) else []

    def _profiles(self) -> list[str]:
        return [row.profile_id for row in self._own(CustomWorldProfile)]

    def _pick(self, known: Sequence[Any], other: Any) -> Any:
        return self.rng.choice(known) if known and self.rng.random() < 0.95 else other

    # Calls that make sense

    def _say(self) -> Call:
        self._said += self.rng.random() < 0.9
        name = "submit_custom_world_agent_message"
        name += self.rng.choice(["", "_and_return"])
        fields = (self.session_id, self.rng.choice(_SAID), f"m-{self._said}")
        return Call(self._player, name, fields)

    def _act(self) -> Call:
        rng = self.rng
        offered = [] if self._session is None else self._session.supported_actions
        enabled = [one.action.name.lower() for one in offered if one.enabled]
        names = enabled if enabled and rng.random() < 0.85 else list(_ACTIONS)
        action = rng.choices(names, [_ACTIONS[name] for name in names])[0]
        payload = self._payload(action)
        if rng.random() < 0.05:
            payload[rng.choice([*payload, "x"])] = rng.choice(_VALUES)
        text = json.dumps(payload) if rng.random() < 0.98 else rng.choice(["", "[]", "{", "1"])
        revision = None
        if self._session is not None and rng.random() < 0.2:
            revision = rng.choice([self._session.revision, self._session.revision, 0])
        name = "execute_custom_world_agent_action" + rng.choice(["", "_and_return"])
        return Call(self._player, name, (self.session_id, action, text, revision))

    def _payload(self, action: str) -> dict[str, Any]:
        rng = self.rng
        cards = self._of(CustomWorldDraftCard)
        card = rng.choice(cards) if cards else None
        card_id = "none" if card is None else card.card_id
        kind = "role" if card is None else card.kind.name.lower()
        payload = {} if card is None else json.loads(card.payload_json)
        landmarks = [row.entity_key for row in cards if row.kind is EntityKind.LANDMARK]
        some = [row.card_id for row in rng.sample(cards, min(len(cards), rng.randint(1, 7)))]
        match action:
            case "update_draft_card":
                world_cards = [row for row in cards if row.kind is EntityKind.WORLD]
                if world_cards and rng.random() < 0.5:
                    return {"cardId": world_cards[0].card_id, "patch": self._tip()}
                patch = {rng.choice([*payload, "name"]): rng.choice(_VALUES)}
                expected = rng.choice([None, None, 1])
                return {"cardId": card_id, "patch": patch, "expectedCardRevision": expected}
            case "create_draft_card":
                return {"kind": kind, "payload": {**payload, "name": rng.choice(["Mara", "x"])}}
            case "set_card_status":
                status = rng.choice(["accepted", "accepted", "locked", "removed", "proposed"])
                return {"cardId": card_id, "status": status}
            case "reorder_cards":
                kin = [row.card_id for row in cards if card is not None and row.kind is card.kind]
                return {"kind": kind, "cardIds": rng.sample(kin, len(kin))[:3] or some}
            case "draft_foundation":
                return {"replace": rng.random() < 0.6}
            case "generate_entity" | "generate_scene_npc" | "expand_chapter":
                scene = self._pick(landmarks, None)
                return {"kind": kind, "hint": rng.choice(["", "a smith"]), "sceneKey": scene}
            case "generate_role_assets" | "generate_scene_assets":
                wanted = "landmark" if "scene" in action else "npc"
                fit = [row.card_id for row in cards if row.kind.name.lower() == wanted]
                return {"cardIds": fit[: rng.randint(1, 3)] if rng.random() < 0.8 else some}
            case "create_checkpoint":
                return {"label": rng.choice(["", "mine", "x" * 41])}
            case "revert_checkpoint":
                known = [row.checkpoint_id for row in self._of(CustomWorldAgentCheckpoint)]
                return {"checkpointId": self._pick(known, "none")}
        return {}

    def _tip(self) -> dict[str, Any]:
        """Another text of a world: the same world, a better one or a worse one."""
        premise = "A kingdom that sank, and a ferry that still crosses it every night."
        tips = ({"subtitle": f"v{self.rng.randint(1, 3)}"}, {"premise": premise})
        worse = ({"premise": "short"}, {"name": "xx-blocked-xx"})
        return self.rng.choice([*tips, *tips, *worse])

    def _call_off(self) -> Call:
        rows = self._of(CustomWorldAgentOperation)
        known = [row for row in rows if not is_final(row)] or rows
        operation = self._pick([row.operation_id for row in known], "none")
        name = "cancel_custom_world_agent_operation" + self.rng.choice(["", "_and_return"])
        return Call(self._player, name, (self.session_id, operation))

    def _library(self) -> Call:
        rng = self.rng
        profile = self._pick(self._profiles(), rng.choice(["cwp_none", PROFILE]))
        if rng.random() < 0.7:
            edit = rng.choice([None, None, without_premise, for_teens, with_tip("another")])
            text = world(edit) if rng.random() < 0.9 else rng.choice(["", "{}", "[]", '{"a":1}'])
            fields = (rng.choice([None, profile, profile]), text, rng.choice([None, None, 1, 9]))
            return Call(self._player, "upsert_custom_world_profile_and_return", fields)
        name = "delete_custom_world_profile" + rng.choice(["", "_and_return"])
        return Call(self._player, name, (profile,))

    def _publish(self) -> Call:
        rng = self.rng
        stem = rng.choice(["publish", "publish", "unpublish"])
        name = f"{stem}_custom_world_profile" + rng.choice(["", "_and_return"])
        if rng.random() < 0.3:
            return Call(self._player, "publish_world", (self.session_id,))
        return Call(self._player, name, (self._pick(self._profiles(), "cwp_none"),))

    def _shown(self) -> str:
        entries = [row.profile_id for row in self._catalog(CustomWorldGalleryEntry)]
        return str(self._pick(entries, "cwp_none"))

    def _like(self) -> Call:
        name = self.rng.choice(["like_custom_world", "like_custom_world", "unlike_custom_world"])
        return Call(self._player, name + self.rng.choice(["", "_and_return"]), (self._shown(),))

    def _moderate(self) -> Call:
        moderation = self.rng.choice([Moderation.HIDDEN, Moderation.VISIBLE, Moderation.VISIBLE])
        fields = (self._shown(), moderation, self.rng.choice(["rude", "fine", ""]))
        return Call(self._player, "moderate_gallery_entry_and_return", fields)

    def _store(self) -> Call:
        """A file that somebody has in the store."""
        rng = self.rng
        others: dict[str, object] = {}
        if rng.random() < 0.2:
            others["access_policy"] = AccessPolicy.PUBLIC_READ
        if rng.random() < 0.2:
            others |= {"content_hash": "0" * 64, "content_length": rng.choice([0, 5, 2**33])}
        fields = file_fields(rng.choice(self.user_ids), rng.choice(_FILES), **others)
        return Call(self._player, "confirm_asset_object_and_return", tuple(fields))

    def _bind(self) -> Call:
        rng = self.rng
        if rng.random() < 0.25:
            known = [row.binding_id for row in self._catalog(AssetEntityBinding)]
            name = "unbind_asset_object_from_entity"
            return Call(self._player, name, (self._pick(known, "none"),))
        files = [
            row.asset_object_id
            for row in self._catalog(AssetObject)
            if row.owner_user_id == self._player.user_id or rng.random() < 0.1
        ]
        file = self._pick(files, "ao_none")
        if rng.random() < 0.1:
            return Call(self._player, "delete_asset_object", (file,))
        kind, slot, key = rng.choice(self._places())
        holder = rng.choice([self.session_id, *self._profiles()])
        entity_id = f"{holder}:{kind.name.lower()}:{key}"
        profile = rng.choice([None, None, holder, session_profile_id(self.session_id)])
        fields = (file, kind, entity_id, slot, profile)
        return Call(self._player, "bind_asset_object_to_entity_and_return", fields)

    def _places(self) -> list[tuple[AssetEntityKind, AssetSlot, str]]:
        slots = {"WORLD": AssetSlot.COVER, "NPC": AssetSlot.PORTRAIT, "LANDMARK": AssetSlot.SCENE}
        places = [
            (AssetEntityKind[row.kind.name], slots[row.kind.name], row.entity_key)
            for row in self._of(CustomWorldDraftCard)
            if row.kind.name in slots
        ]
        covers = (AssetEntityKind.WORLD, AssetSlot.COVER, "world")
        return [*places[:3], covers, (AssetEntityKind.ROLE, AssetSlot.PORTRAIT, "wanderer")]

    def _play(self) -> Call:
        """Begin a story in a published world or an own draft, or give the last one up."""
        keys = sorted(key for key in self.vale.disk.actors if key.startswith("story/"))
        own = [
            row.story_session_id
            for key in keys
            for row in self.vale.rows(STORY.key(key.partition("/")[2]), StorySession)
            if row.host_user_id == self._player.user_id
        ]
        if own and self.rng.random() < 0.5:
            return Call(self._player, "abandon_story_session", (self.rng.choice(own),))
        profile = self._pick(self._profiles(), self._shown())
        role = self.rng.choice(["wanderer", *self._roles(), "nobody"])
        return Call(self._player, "begin_story_session_and_return", (profile, role, None))

    def _roles(self) -> list[str]:
        cards = self._of(CustomWorldDraftCard)
        return [row.entity_key for row in cards if row.kind is EntityKind.ROLE]

    def _known(self, name: str) -> list[str]:
        """Texts that such a field could hold."""
        match name:
            case "agent_session_id" | "session_id" | "scope_id":
                return [self.session_id]
            case "operation_id":
                return [row.operation_id for row in self._of(CustomWorldAgentOperation)][-3:]
            case "ai_task_id":
                return [row.ai_task_id for row in self._of(AiTask)][-3:]
            case "card_id":
                return [row.card_id for row in self._of(CustomWorldDraftCard)]
            case "message_id":
                return [row.message_id for row in self._of(CustomWorldAgentMessage)]
            case "profile_id":
                return [*self._profiles(), self._shown(), session_profile_id(self.session_id)]
            case "binding_id":
                return [row.binding_id for row in self._catalog(AssetEntityBinding)]
            case "asset_object_id":
                return [row.asset_object_id for row in self._catalog(AssetObject)]
            case "owner_user_id":
                return list(self.user_ids)
            case "entity_id":
                return [
                    f"{self.session_id}:{kind.name.lower()}:{key}"
                    for kind, _, key in self._places()
                ]
        return _TEXTS_OF.get(name) or super()._known(name)


_TEXTS_OF: dict[str, list[str]] = {
    "draft_document_json": ["{}", world(), world(without_premise)],
    "action": list(_ACTIONS),
    "payload_json": ["{}", "[]", '{"cardId": "none"}'],
    "result_json": ["{}", "[]", '{"reply": "x"}', '{"images": [{"cardId": [], "imageSrc": "x"}]}'],
    "kind": ["role", "npc", "item", "world", "ROLE"],
    "tag": ["sea", "A"],
    "q": ["amber", ""],
    "error_code": ["dependency.timeout", "no code"],
    "scene_key": ["nowhere", "1"],
}
