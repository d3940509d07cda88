"""Story rules: laws of single steps and states of a session's rows (domain 4, 5).

A step is a row before and after one commit. Each rule yields what is broken, in words; nothing
while all is well.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

__all__ = ["STEP_LAWS", "choice_laws", "combatant_laws", "gapless"]

_CHOICES_MIN, _CHOICES_MAX = 3, 8

_SESSION = {
    "Starting": {"Active"},
    "Active": {"InBattle", "ChapterBreak", "Abandoned", "Superseded"},
    "InBattle": {"Active", "ChapterBreak", "Abandoned", "Superseded"},
    "ChapterBreak": {"Active", "Completed", "Abandoned", "Superseded"},
}
_BATTLE = {"Preparing": {"Active", "Ended"}, "Active": {"Ended"}}
_QUEST = {
    "Offered": {"Active", "Failed", "Completed"},
    "Active": {"Completed", "Failed", "Abandoned"},
    "Completed": {"TurnInPending"},
    "TurnInPending": {"TurnedIn", "Completed"},
    "Abandoned": {"Offered", "Active"},
}
_TREASURE = {
    "Hidden": {"Found"},
    "Found": {"Opening", "Left"},
    "Left": {"Opening"},
    "Opening": {"Opened", "Found"},
}
_SETTLEMENT = {"Pending": {"Settled", "Rejected"}, "Rejected": {"Pending"}}


def _status(what: str, before: Any, after: Any, ways: dict[str, set[str]]) -> Iterator[str]:
    old, new = before.status.name, after.status.name
    if old != new and new not in ways.get(old, ()):
        yield f"{what} went from {old} to {new}"


def _session(before: Any, after: Any) -> Iterator[str]:
    yield from _status("the story", before, after, _SESSION)
    if after.version <= before.version:
        yield f"the story's version went from {before.version} to {after.version}"
    for column in ("turn", "chapter_index", "defeat_count"):
        if getattr(after, column) < getattr(before, column):
            yield f"the story's {column} fell to {getattr(after, column)}"


def _battle(before: Any, after: Any) -> Iterator[str]:
    yield from _status("a battle", before, after, _BATTLE)
    step = after.version - before.version
    is_prepared = before.status.name == "Preparing"
    if step != 1 and not (is_prepared and step == 0):
        yield f"a battle's version went from {before.version} to {after.version}"
    if after.round < before.round:
        yield f"a battle went back to round {after.round}"
    if (after.status.name == "Ended") != (after.outcome.name != "Ongoing"):
        yield f"a battle is {after.status.name} with outcome {after.outcome.name}"


def _quest(before: Any, after: Any) -> Iterator[str]:
    name = f"quest {after.quest_key}"
    yield from _status(name, before, after, _QUEST)
    if after.version <= before.version:
        yield f"{name} went from version {before.version} to {after.version}"
    for old, new in zip(before.objectives, after.objectives, strict=True):
        if not old.progress <= new.progress <= new.required:
            yield f"{name}: {new.objective_id} went from {old.progress} to {new.progress}"
    is_full = all(each.optional or each.progress >= each.required for each in after.objectives)
    if after.status.name == "Completed" and not is_full:
        yield f"{name} is completed before its objectives are"


def _treasure(before: Any, after: Any) -> Iterator[str]:
    yield from _status(f"treasure {after.treasure_key}", before, after, _TREASURE)


def _settlement(before: Any, after: Any) -> Iterator[str]:
    yield from _status(f"settlement {after.source_ref}", before, after, _SETTLEMENT)
    if (after.status.name == "Settled") != (after.result is not None):
        yield f"settlement {after.source_ref} is {after.status.name}, its result {after.result}"


def _exchange(before: Any, after: Any) -> Iterator[str]:
    yield from _status(f"exchange of {after.item_id}", before, after, _SETTLEMENT)
    if after.total_price != after.unit_price * after.quantity:
        yield f"{after.quantity} {after.item_id} at {after.unit_price} cost {after.total_price}"


STEP_LAWS = {
    "story_session": _session,
    "battle_state": _battle,
    "quest_record": _quest,
    "treasure_record": _treasure,
    "reward_settlement": _settlement,
    "npc_exchange_record": _exchange,
}
"""By table: what must hold between a row before a commit and after it."""


def choice_laws(session: Any, choices: list[Any]) -> Iterator[str]:
    """What is offered: 3 to 8 choices of this turn, the way on in a break, none in a fight."""
    status = session.status.name
    if status not in {"Active", "ChapterBreak"}:
        if choices:
            yield f"{len(choices)} choices while the story is {status}"
        return
    least = _CHOICES_MIN if status == "Active" else 1
    if not least <= len(choices) <= _CHOICES_MAX:
        yield f"{len(choices)} choices in turn {session.turn}, while the story is {status}"
    if sorted(row.position for row in choices) != list(range(1, len(choices) + 1)):
        yield f"choices at {sorted(row.position for row in choices)}"
    if any(row.turn != session.turn for row in choices):
        yield f"choices of turns {sorted({row.turn for row in choices})} in turn {session.turn}"
    functions = {row.function.name for row in choices}
    if (status == "ChapterBreak") != bool(functions & {"AdvanceChapter", "Finish"}):
        yield f"choices {sorted(functions)} while the story is {status}"


def combatant_laws(row: Any) -> Iterator[str]:
    """Points of a combatant stay within its stats."""
    stats = row.stats
    for column, most in (("hp", stats.max_hp), ("mana", stats.max_mana), ("shield", stats.max_hp)):
        if not 0 <= getattr(row, column) <= most:
            yield f"{row.display_name} has {getattr(row, column)} {column} of {most}"
    if row.alive != (row.hp > 0):
        yield f"{row.display_name} with {row.hp} hp is {'alive' if row.alive else 'dead'}"


def gapless(what: str, last: int, seqs: Iterable[int]) -> Iterator[str]:
    """New numbers follow the last one without a gap."""
    for seq in sorted(seqs):
        if seq != last + 1:
            yield f"{what} {seq} follows {last}"
        last = seq
