"""Live: what a load does now, second by second, in the terminal.

Where there is no terminal it is a line every few seconds, so that logs of a build stay readable.
"""

from __future__ import annotations

from collections import deque
from types import TracebackType
from typing import Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.markup import escape
from rich.progress_bar import ProgressBar
from rich.table import Table

from loadtest.histogram import Histogram, Quantiles
from loadtest.interval import Interval
from loadtest.limits import GENERATOR_CPU_MAX, GENERATOR_LAG_MS_MAX
from loadtest.reports.limits import KINDS_SHOWN_MAX, PLAIN_PROGRESS_SECONDS, RATES_SHOWN_MAX
from loadtest.reports.quantities import amount, duration, share, size
from loadtest.reports.server_series import server_figures

__all__ = ["LiveView"]

_BLOCKS = "▁▂▃▄▅▆▇█"
_BAR_CELLS = 40


class LiveView:
    """Shows one load. A context manager; ``show`` is called with each second, in order.

    Args:
        console: where.
        title: what is being done, in words.
        warm_up: seconds before anything counts.
        seconds: measured time.
    """

    def __init__(self, console: Console, title: str, warm_up: float, seconds: float) -> None:
        self._console = console
        self._title = title
        self._warm_up = warm_up
        self._seconds = seconds
        self._rates = deque[int](maxlen=RATES_SHOWN_MAX)
        self._errors = 0
        self._before: Interval | None = None
        self._live = Live(console=console, auto_refresh=False) if console.is_terminal else None

    def __enter__(self) -> Self:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        if self._live is not None:
            self._live.stop()

    def show(self, interval: Interval) -> None:
        """Show a second of the load."""
        total = Histogram.decode(*interval.calls.values()).quantiles()
        self._rates.append(total.recorded)
        self._errors += sum(interval.errors.values())
        if self._live is not None:
            self._live.update(self._screen(interval, total), refresh=True)
        elif (interval.second + 1) % PLAIN_PROGRESS_SECONDS == 0:
            self._console.print(self._line(interval, total), markup=False, highlight=False)
        self._before = interval

    def _line(self, interval: Interval, total: Quantiles) -> str:
        return (
            f"{self._phase(interval)}: {amount(total.recorded)}/s, p50 {duration(total.p50)},"
            f" p99 {duration(total.p99)}, {amount(interval.connections)} connections,"
            f" {amount(self._errors)} errors so far"
        )

    def _phase(self, interval: Interval) -> str:
        if interval.second < 0:
            return f"warm-up, {-interval.second} s to go"
        if interval.second >= self._seconds:
            return "waiting for the last answers"
        return f"{interval.second + 1} of {self._seconds:g} s"

    def _screen(self, interval: Interval, total: Quantiles) -> RenderableType:
        head = Table.grid(padding=(0, 2))
        bar = ProgressBar(
            total=self._warm_up + self._seconds,
            completed=min(self._warm_up + interval.second + 1, self._warm_up + self._seconds),
            width=_BAR_CELLS,
        )
        head.add_row(f"[bold]{escape(self._title)}[/bold]", bar, self._phase(interval))
        kinds = _kinds(interval, total)
        return Group(head, self._curve(interval, total), kinds, *self._sides(interval))

    def _curve(self, interval: Interval, total: Quantiles) -> str:
        highest = max(*self._rates, 1)
        blocks = "".join(_BLOCKS[rate * (len(_BLOCKS) - 1) // highest] for rate in self._rates)
        due = f" of {amount(interval.arrivals)} due" if interval.arrivals else ""
        return f"[cyan]{blocks}[/cyan] {amount(total.recorded)}/s{due}"

    def _sides(self, interval: Interval) -> list[str]:
        """Connections and errors; the server and the generator itself."""
        color = "red" if self._errors else "green"
        clients = [
            f"{amount(interval.connections)} connections",
            f"{amount(interval.deliveries)} updates/s",
            f"[{color}]{amount(self._errors)} errors so far[/{color}]",
        ]
        machines = []
        if self._before is not None:
            readings = self._before.server_metrics, interval.server_metrics
            figures = server_figures(*readings, interval.second - self._before.second)
            if "cpu" in figures:
                machines.append(f"server {share(figures['cpu'])} of a core")
            if "memory" in figures:
                machines.append(size(figures["memory"]))
        is_saturated = (
            interval.generator_cpu >= GENERATOR_CPU_MAX
            or interval.generator_lag_ms >= GENERATOR_LAG_MS_MAX
        )
        color = "bold red" if is_saturated else "dim"
        lag = duration(interval.generator_lag_ms * 1_000)
        generator = f"generator {share(interval.generator_cpu)} of a core, {lag} late"
        machines.append(f"[{color}]{generator}[/{color}]")
        return ["   ".join(clients), "   ".join(machines)]


def _kinds(interval: Interval, total: Quantiles) -> Table:
    """Latencies of this second by kind of call, the most frequent first."""
    found = [(kind, Histogram.decode(text).quantiles()) for kind, text in interval.calls.items()]
    found.sort(key=lambda item: (-item[1].recorded, item[0]))
    if len(found) != 1:
        found = [("all calls", total), *found[:KINDS_SHOWN_MAX]]
    if interval.delivery_latency:
        found.append(("deliveries", Histogram.decode(interval.delivery_latency).quantiles()))
    table = Table("this second", box=None, header_style="dim")
    for name in ("count", "p50", "p90", "p99", "p99.9", "max"):
        table.add_column(name, justify="right")
    for kind, (count, *latencies) in found:
        table.add_row(escape(kind), f"{count:,}", *map(duration, latencies))
    return table
