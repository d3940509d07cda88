from __future__ import annotations

from pathlib import Path

import pytest

from actors.errors import TextModelError
from server.effects.budgets import Budgets, Spent

DAY = 86_400.0


class Clock:
    def __init__(self) -> None:
        self.now = 20_000 * DAY

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize(
    ("tokens_max", "cost_max", "is_refused"),
    [(0, 0, False), (101, 0, False), (100, 0, True), (0, 2.5, True), (0, 2.6, False)],
)
def test_a_day_has_its_budget(tokens_max: int, cost_max: float, *, is_refused: bool) -> None:
    clock = Clock()
    budgets = Budgets(None, clock, tokens_max=tokens_max, cost_max=cost_max)
    budgets.check("u_1")
    budgets.add("u_1", 60, 1.5)
    budgets.check("u_1")
    budgets.add("u_1", 40, 1.0)
    if is_refused:
        with pytest.raises(TextModelError) as refused:
            budgets.check("u_1")
        assert refused.value.code == "limit.quota_exceeded"
    budgets.check("u_2")
    clock.now += DAY
    budgets.check("u_1")
    assert budgets.spent("u_1") == Spent()


async def test_a_restart_does_not_begin_the_day_again(tmp_path: Path) -> None:
    clock = Clock()
    path = tmp_path / "budgets.json"
    budgets = Budgets(path, clock)
    await budgets.save()
    assert not path.exists()
    budgets.add("u_1", 7, 0.5)
    await budgets.save()
    assert Budgets(path, clock).spent("u_1") == Spent(7, 0.5)
    clock.now += DAY
    assert Budgets(path, clock).spent("u_1") == Spent()


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"day":20000,"users":{"u_1":[1]}}', "\xff"])
def test_a_damaged_file_counts_for_nothing(text: str, tmp_path: Path) -> None:
    path = tmp_path / "budgets.json"
    path.write_text(text, encoding="latin-1")
    assert Budgets(path, Clock()).spent("u_1") == Spent()


async def test_a_disk_that_refuses_is_asked_again(tmp_path: Path) -> None:
    path = tmp_path / "missing" / "budgets.json"
    budgets = Budgets(path, Clock())
    budgets.add("u_1", 7, 0.5)
    await budgets.save()
    path.parent.mkdir()
    await budgets.save()
    assert Budgets(path, Clock()).spent("u_1") == Spent(7, 0.5)
