"""Plans: what a commit costs with many live queries that it does not concern, and first rows.

``python tests/bench/plan_bench.py`` prints processor time. The rounds of all sizes take turns, so
that the machine's drift meets all of them; each figure is the median of its rounds. With another
checkout first in ``PYTHONPATH`` it measures that one; what that one refuses is left out.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from statistics import median

import plan_module
from plan_module import Load, Unit
from rich.console import Console
from rich.table import Table

from actors.datastore import Database
from actors.host.kind import KindRuntime, reserve_numbers
from actors.keys import DATABASE
from actors.module.module import Module
from actors.module.system import SYSTEM_TABLES
from actors.module.tables import declaration_of
from actors.subscriptions import Board, QueryCompiler
from protocol.errors import SqlError
from protocol.messages import V2
from protocol.values import Identity

SIZES = (10, 1_000, 10_000)
UNITS = 100
LOADS_PER_UNIT = 2
FAN_OUT = 100
FIRST_ROWS = 100_000
ROUNDS = 5
COMMITS = 200
SLOW_MICROS = 2_000
ME = Identity(1)

FAR = 1_000_000
"""Where nothing of what commits change is."""

SHAPES: dict[str, Callable[[int], str]] = {
    "column = value": lambda n: f"SELECT * FROM unit WHERE x = {FAR + n}",
    "AND with one": lambda n: f"SELECT * FROM unit WHERE y > 0 AND x = {FAR + n}",
    "one of three values": lambda n: (
        "SELECT * FROM unit WHERE " + " OR ".join(f"x = {FAR + 3 * n + k}" for k in range(3))
    ),
    "range, open": lambda n: f"SELECT * FROM unit WHERE x > {FAR + n}",
    "range, closed": lambda n: f"SELECT * FROM unit WHERE x >= {FAR + n} AND x < {FAR + n + 5}",
    "range, all around": lambda n: f"SELECT * FROM unit WHERE x > {-FAR - n} AND x < {-FAR + n}",
    "window": lambda n: f"SELECT * FROM unit WHERE owner = {FAR + n} ORDER BY x DESC LIMIT 10",
    "join, own value": lambda n: (
        f"SELECT unit.* FROM unit JOIN load ON unit.id = load.unit_id WHERE unit.owner = {FAR + n}"
    ),
    "join, other's value": lambda n: (
        f"SELECT unit.* FROM unit JOIN load ON unit.id = load.unit_id WHERE load.kind = 'none {n}'"
    ),
}


class Silent:
    """A subscriber that throws everything away."""

    wire = V2
    dialect = V2.dialect
    request_id = 0

    def push(self, message: bytes) -> None:
        del message

    def abort(self, close_code: int, reason: str) -> None:
        raise AssertionError((close_code, reason))


class Field:
    """An actor's rows and its board, without a host."""

    def __init__(self, module: Module, units: int, loads_per_unit: int) -> None:
        names = [*module.tables, *(declaration_of(row).name for row in SYSTEM_TABLES)]
        runtime = KindRuntime.compile(module, DATABASE, {n: i for i, n in enumerate(names)})
        self.database = Database(runtime.layouts, reserve_numbers)
        self.board = Board(self.database, lambda view, caller: None)
        self.compiler = QueryCompiler(module)
        self.subscriber = Silent()
        self.sets = 0
        self.step = 0
        for number in range(units):
            self.database[Unit].insert(Unit(number, number % 100, number, 0, f"unit {number}"))
            for load in range(loads_per_unit):
                row = Load(number * loads_per_unit + load, number, "ore")
                self.database[Load].insert(row)
        self.database.commit()

    def subscribe(self, text: str) -> int:
        """Subscribe; answers how many rows came first."""
        (query,) = self.compiler.compile(text)
        self.sets += 1
        _, rows = self.board.subscribe(query, ME, self.subscriber, self.sets)
        return len(rows)

    def commit(self, row: Unit | Load) -> None:
        """Change one row, and tell who subscribes."""
        self.database[type(row)].upsert(row)
        self.board.publish(self.database.commit().deltas, None)


def micros(work: Callable[[int], object], count: int) -> float:
    """Processor time of one call, the collector at rest."""
    gc.collect()
    gc.disable()
    began = time.process_time()
    for number in range(count):
        work(number)
    spent = time.process_time() - began
    gc.enable()
    return spent / count * 1e6


def mover(field: Field) -> Callable[[int], object]:
    """Commits that move one unit after the other, far from what anybody asks for."""

    def move(_: int) -> None:
        field.step += 1
        at = field.step
        number = at % UNITS
        field.commit(Unit(number, number % 100, at % 5_000, 1, f"unit {number}"))

    return move


def untouched(module: Module, table: Table) -> None:
    """Commits that concern none of the plans."""
    for shape, text in SHAPES.items():
        movers = []
        try:
            for size in SIZES:
                field = Field(module, UNITS, LOADS_PER_UNIT)
                for number in range(size):
                    field.subscribe(text(number))
                movers.append(mover(field))
        except SqlError as error:
            table.add_row(f"untouched: {shape}", *["-"] * len(SIZES), str(error)[:40])
            continue
        count = COMMITS if micros(movers[-1], 3) < SLOW_MICROS else 5
        costs: list[list[float]] = [[] for _ in SIZES]
        for _ in range(ROUNDS):
            for cost, move in zip(costs, movers, strict=True):
                cost.append(micros(move, count))
        best = [median(cost) for cost in costs]
        shown = [f"{cost:.1f}" for cost in best]
        table.add_row(f"untouched: {shape}", *shown, f"{best[-1] / best[0]:.2f} x")


def joins(module: Module, table: Table) -> None:
    """A semijoin's delta: the changed row meets one, 10 or 100 rows of the other table."""
    costs: list[list[float]] = [[], [], []]
    for at, fan_out in enumerate((1, 10, FAN_OUT)):
        field = Field(module, 10, fan_out)
        field.subscribe("SELECT unit.* FROM unit JOIN load ON unit.id = load.unit_id")

        def change(number: int, field: Field = field) -> None:
            field.commit(Unit(number % 10, 0, field.database[Unit].get(number % 10).x + 1, 0, "u"))

        costs[at] = [micros(change, COMMITS) for _ in range(ROUNDS)]
    table.add_row("semijoin delta, 1/10/100 pairs", *(f"{median(c):.1f}" for c in costs), "")


def windows(module: Module, table: Table) -> None:
    """A row moves to the top of a window over 100, 1,000 and 10,000 rows, and another leaves."""
    costs: list[str] = []
    for units in (100, 1_000, 10_000):
        field = Field(module, units, 0)
        try:
            field.subscribe("SELECT * FROM unit ORDER BY x DESC LIMIT 10")
        except SqlError as error:
            table.add_row("window delta, 100/1,000/10,000 rows", "-", "-", "-", str(error)[:40])
            return

        def rise(_: int, field: Field = field, units: int = units) -> None:
            field.step += 1  # never the same row again: that would be no change at all
            field.commit(Unit(field.step % units, 0, FAR + field.step, 0, "u"))

        costs.append(f"{median(micros(rise, COMMITS) for _ in range(ROUNDS)):.1f}")
    table.add_row("window delta, 100/1,000/10,000 rows", *costs, "")


def first_rows(module: Module, table: Table) -> None:
    """The first rows of 100,000, in milliseconds."""
    field = Field(module, FIRST_ROWS, 0)
    for text in (
        "SELECT * FROM unit",
        "SELECT * FROM unit WHERE y = 0",
        "SELECT * FROM unit WHERE owner = 7",
        "SELECT * FROM unit WHERE x < 1000",
        "SELECT a.* FROM unit a JOIN unit b ON a.id = b.id",
        "SELECT * FROM unit ORDER BY x DESC LIMIT 10",
    ):

        def subscribe(_: int, text: str = text) -> None:
            field.subscribe(f"{text} -- {field.sets}")

        try:
            spent = [micros(subscribe, 1) / 1e3 for _ in range(3)]
        except SqlError as error:
            table.add_row(f"first rows, ms: {text}", "", "", "-", str(error)[:40])
            continue
        table.add_row(f"first rows, ms: {text}", "", "", f"{median(spent):.0f}", "")


def main() -> None:
    """Measure and print."""
    module = Module("plans", [plan_module])
    table = Table("us of processor time", *(f"{size:,}" for size in SIZES), "")
    untouched(module, table)
    joins(module, table)
    windows(module, table)
    first_rows(module, table)
    Console(width=120).print(table)


if __name__ == "__main__":
    main()
