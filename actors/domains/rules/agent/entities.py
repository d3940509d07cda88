"""Entities: one new card of any kind, made without a model (domain 7.7).

Draws are taken in the order of the table there; nothing that is not in it is left to chance.
"""

from __future__ import annotations

from collections.abc import Sequence
from string import Formatter
from typing import Any, Final

from actors.domains.domain_types import (
    EntityKind,
    HostileRank,
    ObjectiveKind,
    QuestKind,
    SkillDef,
    SkillTarget,
)
from actors.domains.rules.agent.book import AgentBook, Word
from actors.domains.rules.agent.draft import Draft, Name, NewCard, Wish, name_of
from actors.domains.rules.agent.new_items import STARTING_ITEMS, item_entry
from actors.domains.rules.combat.skills import STARTER_SKILLS, normalise_skill
from actors.domains.rules.errors import RuleError
from actors.domains.rules.limits import ROLE_SKILLS_MAX
from actors.domains.rules.struct_json import struct_to_json
from actors.rng import SplitMix64

__all__ = ["ENTITY_KINDS", "NO_SCENE", "Generator", "generate_entity"]

ENTITY_KINDS: Final = (
    EntityKind.ROLE,
    EntityKind.NPC,
    EntityKind.HOSTILE,
    EntityKind.ITEM,
    EntityKind.LANDMARK,
    EntityKind.FACTION,
    EntityKind.QUEST,
    EntityKind.TREASURE,
)
"""What can be asked for one at a time."""

NO_SCENE: Final = "somewhere"
"""Where an npc or a treasure is in a world without scenes; a scene of that key may come."""

_LIKED_TAGS: Final = ("herb", "medicine", "weapon", "metal", "armor", "charm", "trick")


def generate_entity(
    kind: EntityKind,
    wish: Wish,
    book: AgentBook,
    known: Sequence[NewCard],
    *,
    scene_key: str | None = None,
) -> NewCard:
    """A new card of a kind.

    Args:
        kind: one of ``ENTITY_KINDS``.
        wish: what it is made from.
        book: the language that it is written in.
        known: the world's cards, for names and references.
        scene_key: where an npc or a treasure is; without one it is drawn, or the next scene.

    Raises:
        RuleError: ``agent.payload_malformed``: another kind.
    """
    generator = Generator(wish, book, known)
    if kind is EntityKind.NPC:
        return generator.npc(scene_key)
    if kind is EntityKind.TREASURE:
        return generator.treasure(scene_key)
    makers = {
        EntityKind.ROLE: generator.role,
        EntityKind.HOSTILE: generator.hostile,
        EntityKind.ITEM: generator.item,
        EntityKind.LANDMARK: generator.landmark,
        EntityKind.FACTION: generator.faction,
        EntityKind.QUEST: generator.free_quest,
    }
    if kind not in makers:
        raise RuleError("agent.payload_malformed", f"no {kind.name.lower()} is made alone")
    return makers[kind]()


class Generator:
    """Adds cards to a draft, one at a time."""

    def __init__(self, wish: Wish, book: AgentBook, known: Sequence[NewCard] = ()) -> None:
        self.draft = Draft(wish, known)
        self.book = book

    # What is there without anything else

    def landmark(self) -> NewCard:
        """A scene that the one before leads to."""
        stream = self.draft.stream(EntityKind.LANDMARK)
        name = self._named(EntityKind.LANDMARK, stream, "landmark_name", "{place_a}{place_b}")
        adjective = self._word(stream, "adjective").text
        before = self.draft.of(EntityKind.LANDMARK)[-1:]
        entry = {
            "name": name.text,
            "description": self.book.text(
                "landmark_description", name=name.text, adjective=adjective
            ),
            "mood": adjective,
            "connections": [card.key for card in before],
            "npcKeys": [],
        }
        return self.draft.add(EntityKind.LANDMARK, name, entry)

    def faction(self) -> NewCard:
        """A party that nobody has an opinion of yet."""
        stream = self.draft.stream(EntityKind.FACTION)
        name = self._named(EntityKind.FACTION, stream, "faction_name", "{place_a}_{faction}")
        verb = self._word(stream, "verb").text
        goal = self.book.text("faction_goal", verb=verb, place_a=name.slots["place_a"])
        return self.draft.add(
            EntityKind.FACTION, name, {"name": name.text, "goal": goal, "stance": {}}
        )

    def role(self) -> NewCard:
        """Whom a player can be: starter skills, and one of its own in place of the last."""
        stream = self.draft.stream(EntityKind.ROLE)
        name, words = self._person(EntityKind.ROLE, stream)
        power = 1200 + 100 * stream.below(6)
        adjective = self._word(stream, "adjective")
        skill = SkillDef(
            f"{adjective.slug}_strike",
            self.book.text("skill_name", adjective=adjective.text),
            SkillTarget.ENEMY,
            power,
            0,
            0,
            0,
            2,
            None,
        )
        skills = (*STARTER_SKILLS[: ROLE_SKILLS_MAX - 1], normalise_skill(skill))
        entry = {
            "name": name.text,
            "title": words["occupation"],
            "description": self.book.text("person_description", **words),
            "background": self.book.text("role_background", name=name.text, **words),
            "skills": [struct_to_json(each) for each in skills],
            "startingItems": [dict(grant) for grant in STARTING_ITEMS],
        }
        return self.draft.add(EntityKind.ROLE, name, entry)

    def hostile(self, rank: HostileRank = HostileRank.STANDARD) -> NewCard:
        """Someone to fight."""
        stream = self.draft.stream(EntityKind.HOSTILE)
        name = self._named(EntityKind.HOSTILE, stream, "hostile_name", "{adjective}_{hostile}")
        entry = {
            "name": name.text,
            "description": self.book.text("hostile_description", **name.slots),
            "rank": rank.name.lower(),
            "skills": [],
            "lootTable": [],
        }
        return self.draft.add(EntityKind.HOSTILE, name, entry)

    def item(self) -> NewCard:
        """Gear, a draught or a relic."""
        stream = self.draft.stream(EntityKind.ITEM)
        forms = [word.slug for word in self.book.list_of("form")]
        name = self._named(EntityKind.ITEM, stream, "item_name", "{adjective}_{form}")
        slots = name.slots
        form = next(slug for slug in forms if self.book.words["form"][slug] == slots["form"])
        entry = item_entry(form, name.text, self.book.text("item_description", **slots))
        return self.draft.add(EntityKind.ITEM, name, entry)

    # What is somewhere

    def npc(self, scene_key: str | None = None) -> NewCard:
        """Someone to talk to, at home in the given scene or in any."""
        stream = self.draft.stream(EntityKind.NPC)
        name, words = self._person(EntityKind.NPC, stream)
        affinity = stream.below(21) - 5
        is_recruitable = stream.permille() < 400
        liked = stream.pick(_LIKED_TAGS)
        if scene_key is None:
            scenes = self.draft.of(EntityKind.LANDMARK)
            scene_key = stream.pick(scenes).key if scenes else NO_SCENE
        entry = {
            "name": name.text,
            "role": words["occupation"],
            "description": self.book.text("person_description", **words),
            "personality": [],
            "homeSceneKey": scene_key,
            "initialAffinity": affinity,
            "recruitable": is_recruitable,
            "canBeFought": False,
            "rank": HostileRank.STANDARD.name.lower(),
            "likedTags": [liked],
            "dislikedTags": [],
            "tradeTags": [],
            "facts": [],
        }
        return self.draft.add(EntityKind.NPC, name, entry)

    def treasure(self, scene_key: str | None = None) -> NewCard:
        """A chest without a lock, in the given scene or the next that has none yet."""
        stream = self.draft.stream(EntityKind.TREASURE)
        name = self._named(EntityKind.TREASURE, stream, "treasure_title", "{adjective}_chest")
        if scene_key is None:
            scenes = self.draft.of(EntityKind.LANDMARK)
            count = len(self.draft.of(EntityKind.TREASURE))
            scene_key = scenes[count % len(scenes)].key if scenes else NO_SCENE
        entry = {
            "title": name.text,
            "sceneKey": scene_key,
            "lock": "none",
            "trapPermille": 0,
            "lootTable": [],
        }
        return self.draft.add(EntityKind.TREASURE, name, entry)

    # What is about others

    def quest(
        self,
        kind: QuestKind,
        giver: NewCard | None,
        targets: Sequence[NewCard],
        reward: NewCard | None = None,
    ) -> NewCard:
        """A quest about one of some hostiles or npcs; about any hostile when there are none."""
        stream = self.draft.stream(EntityKind.QUEST)
        targets = targets or [NewCard(EntityKind.HOSTILE, "any", {"name": self._anything()})]
        drawn: list[NewCard] = []

        def draw() -> Name:
            verb = self._word(stream, "verb")
            drawn[:] = [stream.pick(targets)]
            slots = {"verb": verb.text, "target": name_of(drawn[0])}
            title = self.book.text("quest_title", **slots)
            return Name(title, f"{verb.slug}_the_{drawn[0].key}"[:44], slots)

        name = self.draft.named(EntityKind.QUEST, draw)
        is_fight = drawn[0].kind is EntityKind.HOSTILE
        objective = ObjectiveKind.DEFEAT_HOSTILE if is_fight else ObjectiveKind.TALK_NPC
        entry: dict[str, Any] = {
            "title": name.text,
            "description": self.book.text(
                "quest_description", giver=self._giver(giver), **name.slots
            ),
            "kind": kind.name.lower(),
            "objectives": [
                {
                    "objectiveId": "goal",
                    "kind": objective.name.lower(),
                    "targetKey": drawn[0].key,
                    "required": 2 + stream.below(2) if is_fight else 1,
                    "optional": False,
                }
            ],
        }
        if giver is not None:
            entry["giverNpcKey"] = giver.key
        if reward is not None:
            entry["rewardItems"] = [{"itemId": reward.key, "quantity": 1}]
        return self.draft.add(EntityKind.QUEST, name, entry)

    def free_quest(self) -> NewCard:
        """A side quest of no chapter: fights and talks take turns (domain 7.7)."""
        people = self.draft.of(EntityKind.NPC)
        fights = self.draft.of(EntityKind.HOSTILE)
        is_fight = len(self.draft.of(EntityKind.QUEST)) % 2 == 0
        targets = fights if is_fight else people[1:] or fights
        return self.quest(QuestKind.SIDE, people[0] if people else None, targets)

    def thread(self, world: str, related: Sequence[NewCard]) -> NewCard:
        """Something that the story promises and pays off."""
        stream = self.draft.stream(EntityKind.THREAD)
        name = self._named(EntityKind.THREAD, stream, "thread_title", "{verb}_the_{place_b}")
        entry = {
            "title": name.text,
            "premise": self.book.text("thread_premise", world=world, **name.slots),
            "relatedKeys": [card.key for card in related],
            "payoff": self.book.text("thread_payoff", world=world, **name.slots),
        }
        return self.draft.add(EntityKind.THREAD, name, entry)

    # Draws

    def name(self, kind: EntityKind, template: str, slug: str) -> Name:
        """The next name of a kind whose cards have nothing else to draw."""
        return self._named(kind, self.draft.stream(kind), template, slug)

    def _person(self, kind: EntityKind, stream: SplitMix64) -> tuple[Name, dict[str, str]]:
        name = self._named(kind, stream, "person_name", "{given}_{epithet}")
        words = {"given": name.slots["given"]}
        for slot in ("occupation", "place_a", "place_b", "verb"):
            words[slot] = self._word(stream, slot).text
        return name, words

    def _named(self, kind: EntityKind, stream: SplitMix64, template: str, slug: str) -> Name:
        """A name made of one word of each list that its slug names."""
        lists = [slot for _, slot, _, _ in Formatter().parse(slug) if slot]

        def draw() -> Name:
            words = {slot: self._word(stream, slot) for slot in lists}
            slots = {slot: word.text for slot, word in words.items()}
            slugs = {slot: word.slug for slot, word in words.items()}
            return Name(self.book.text(template, **slots), slug.format_map(slugs), slots)

        return self.draft.named(kind, draw)

    def _word(self, stream: SplitMix64, name: str) -> Word:
        return stream.pick(self.book.list_of(name))

    def _giver(self, giver: NewCard | None) -> str:
        return self.book.text("quest_giver") if giver is None else name_of(giver)

    def _anything(self) -> str:
        return self.book.text("quest_target")
