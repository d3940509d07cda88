"""Account rules: laws that hold over one user's own rows after every commit (domain 2.5, 3).

Each rule takes whole tables and yields what is broken, in words; nothing while all is well.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from loadtest.level_curve import chapter_plan, level_of, xp_floor, xp_to_next

__all__ = [
    "chapter_laws",
    "experience_laws",
    "inventory_laws",
    "report_laws",
    "settled_laws",
    "wallet_laws",
]

_COIN = "core_coin"
_START_LEVEL = 1


def experience_laws(progression: list[Any], grants: list[Any]) -> Iterator[str]:
    """The level is the curve's, and every point of it was granted (domain 3.2, 3.3)."""
    total = progression[0].total_xp if progression else 0
    granted = sum(row.amount_granted for row in grants)
    if granted != total:
        yield f"total XP is {total}, the grant log adds up to {granted}"
    for row in progression:
        level = level_of(total)
        shown = (row.level, row.current_level_xp, row.xp_to_next_level)
        expected = (level, total - xp_floor(level), xp_to_next(level))
        if shown != expected:
            yield f"{total} XP show as level {shown}, the curve says {expected}"
        if row.pending_level_ups >= row.level:
            yield f"{row.pending_level_ups} level-ups are pending at level {row.level}"
    before = 0
    for row in sorted(grants, key=lambda row: row.created_at):
        after = before + row.amount_granted
        if (row.level_before, row.level_after) != (level_of(before), level_of(after)):
            yield f"grant {row.source_ref} goes from level {row.level_before} to {row.level_after}"
        if row.amount_granted + row.amount_discarded != row.amount_requested:
            yield f"grant {row.source_ref} lost experience"
        before = after


def wallet_laws(ledger: list[Any], dashboards: list[Any]) -> Iterator[str]:
    """The ledger is without gaps, adds up, never goes below zero, and is the balance shown."""
    balance = 0
    for seq, row in enumerate(sorted(ledger, key=lambda row: row.seq), start=1):
        balance += row.amount_delta
        if row.seq != seq or row.balance_after != balance:
            yield f"ledger entry {row.seq} says {row.balance_after}, entry {seq} makes {balance}"
        if balance < 0:
            yield f"the wallet holds {balance}"
    for row in dashboards:
        if row.wallet_balance != balance:
            yield f"the wallet shows {row.wallet_balance}, its ledger {balance}"


def chapter_laws(chapters: list[Any], grants: list[Any]) -> Iterator[str]:
    """Each chapter is planned as the curve says, and counts what was granted for it (3.4, 3.7)."""
    earned = Counter[tuple[str, str]]()
    for grant in grants:
        earned[grant.chapter_id, grant.source.name] += grant.amount_requested
    for row in chapters:
        name = f"chapter {row.chapter_index}"
        plan = chapter_plan(row.chapter_index, row.total_chapters, _START_LEVEL)
        for column, planned in plan._asdict().items():
            if getattr(row, column) != planned:
                yield f"{name}: {column} is {getattr(row, column)}, planned are {planned}"
        quest, hostile = (earned[row.chapter_id, name] for name in ("Quest", "HostileDefeat"))
        if (row.actual_quest_xp, row.actual_hostile_xp) != (quest, hostile):
            yield (
                f"{name} counts {row.actual_quest_xp} quest and {row.actual_hostile_xp} hostile"
                f" XP, the grant log {quest} and {hostile}"
            )


def report_laws(reports: list[Any], chapters: list[Any]) -> Iterator[str]:
    """Each deviation report is that of its chapter's row (domain 3.8)."""
    known = {row.chapter_progression_id: row for row in chapters}
    for report in reports:
        chapter = known.get(report.chapter_progression_id)
        if chapter is None:
            yield f"a report of {report.chapter_id}, which was never entered"
            continue
        actual = chapter.actual_quest_xp + chapter.actual_hostile_xp
        off = abs(actual - chapter.planned_total_xp) * 1000 // chapter.planned_total_xp
        off = off if actual >= chapter.planned_total_xp else -off
        shown = (report.actual_total_xp, report.deviation_permille, report.final)
        expected = (actual, off, chapter.level_at_exit is not None)
        if shown != expected:
            yield f"chapter {chapter.chapter_index} reports {shown}, its row says {expected}"


def settled_laws(chapters: list[Any], settlements: Iterable[Any]) -> Iterator[str]:
    """Between settlements: chapters count exactly what the user's settlements paid (5.7)."""
    paid = Counter[tuple[str, str]]()
    for row in settlements:
        if row.result is None or row.result.replayed:
            continue
        paid[row.preview.chapter_id, row.source.name] += row.result.xp_granted
        paid[row.preview.chapter_id, "defeats"] += len(row.preview.hostile_defeats)
    for row in chapters:
        shown = (
            row.actual_quest_xp,
            row.actual_hostile_xp,
            row.actual_hostile_defeat_count,
        )
        expected = tuple(
            paid[row.chapter_id, what] for what in ("Quest", "HostileDefeat", "defeats")
        )
        if shown != expected:
            yield f"chapter {row.chapter_index} counts {shown}, its settlements paid {expected}"


def inventory_laws(
    slots: Iterable[Any], settlements: Iterable[Any], exchanges: Iterable[Any], used: Counter[str]
) -> Iterator[str]:
    """Between exchanges: slots hold what came in less what went out, coins too (5.4, 5.5).

    Args:
        slots: of one lineage.
        settlements: all of the user in it.
        exchanges: all of the user in it.
        used: items that were used up in battles.
    """
    expected = _kept(settlements, exchanges)
    expected.subtract(used)
    held = Counter[str]()
    for row in slots:
        held[row.item_id] += row.quantity
        if not 0 < row.quantity <= row.stack_limit:
            yield f"slot {row.slot_id} holds {row.quantity} of at most {row.stack_limit}"
    for item_id in sorted(expected.keys() | held.keys()):
        if held[item_id] != expected[item_id]:
            yield f"{held[item_id]} {item_id} in the slots, {expected[item_id]} came and stayed"


def _kept(settlements: Iterable[Any], exchanges: Iterable[Any]) -> Counter[str]:
    """Items that rewards and exchanges left, coins among them."""
    kept = Counter[str]()
    for row in settlements:
        if row.result is None or row.result.replayed:
            continue
        for item in (*row.result.items_granted, *row.result.items_overflowed):
            kept[item.item_id] += item.quantity
        for item in row.preview.consume_items:
            kept[item.item_id] -= item.quantity
    for row in exchanges:
        if row.status.name == "Settled":
            sign = 1 if row.kind.name == "Buy" else -1
            kept[row.item_id] += sign * row.quantity
            kept[_COIN] -= sign * row.total_price
    return kept
