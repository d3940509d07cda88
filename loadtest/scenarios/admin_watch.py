"""Admin watch: operators follow every call and every change while others work; what it costs them.

The first half of the time nobody looks. From then on operators follow the transfers of the bank,
and what they are told must be whole: in order, and nothing missing but what is said to be dropped.
In the end both together are all that was written to the journal while they followed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from loadtest.engine.meter import Meter
from loadtest.engine.scenario import Facts, Finding, Scenario
from loadtest.engine.server_cost import micros_a_call
from loadtest.engine.stage import Site, Stage
from loadtest.engine.turns import wait_until
from loadtest.errors import LoadTestError
from loadtest.histogram import Histogram
from loadtest.interval import Interval
from loadtest.limits import ANSWER_SECONDS_MAX
from loadtest.operator import Notice, Operator
from loadtest.scenarios.bank import check_accounts, play_bank, seed_accounts

__all__ = ["ADMIN_WATCH", "Tail"]

_NANOS = 1_000_000_000
_BANK = "database/0"
_TAILS = {"tail.calls": {"name": "transfer"}, "tail.deltas": {"table": "accounts"}}


class Tail:
    """What one tail has told, checked as it comes.

    Attributes:
        told: entries so far.
        dropped: entries that the server says it left out.
        over: set by the last notice.
        faults: what is missing or out of order, in words.
    """

    def __init__(self) -> None:
        self.told = 0
        self.dropped = 0
        self.over = asyncio.Event()
        self.faults: list[str] = []
        self._missing = 0
        self._first: int | None = None
        self._last: dict[str, int] = {}

    def take(self, notice: Notice) -> None:
        """Take a notice."""
        if self.over.is_set():
            self.faults.append("a tail told something after its last notice")
        # What was left out by then may have come before or after the first entry.
        if not (self.told or self.dropped or notice["dropped"]) and notice["entries"]:
            self._first = notice["entries"][0]["seq"]
        self.dropped += notice["dropped"]
        if not notice["is_durable"]:
            self.faults.append("a tail told what was not durable")
        before = self._missing
        for entry in notice["entries"]:
            actor, seq = entry["actor"], entry["seq"]
            last = self._last.get(actor)
            if last is not None:
                self._missing += seq - last - 1
                if seq <= last:
                    self.faults.append(f"record {seq} of {actor} came after {last}")
            self._last[actor] = seq
            self.told += 1
        # What is dropped is said at once, and missing only where the tail gets to it.
        if before < self._missing > self.dropped:
            self.faults.append(
                f"{self._missing} entries are missing, {self.dropped} were said to be dropped"
            )
        if notice["is_last"]:
            self.over.set()

    def reckon(self, least: int, most: int) -> bool:
        """Compare what was told and dropped with the journal of the one actor that was followed.

        Args:
            least: its last record, looked up before the tail was ended.
            most: and after that.

        Returns:
            Whether the sum is known to the entry: nothing more was written in between, and the
            tail began with the first entry of all.
        """
        if self._first is None:
            return False
        fewest, happened = least - self._first + 1, most - self._first + 1
        if not fewest <= self.told + self.dropped <= happened:
            self.faults.append(
                f"{fewest} to {happened} entries happened, {self.told} were told and"
                f" {self.dropped} were said to be dropped"
            )
        return fewest == happened


async def _play(stage: Stage) -> None:
    watchers = len(range(stage.worker, stage.plan.watchers, stage.plan.processes))
    playing = asyncio.create_task(play_bank(stage))
    await asyncio.gather(playing, *(_watch(stage, playing) for _ in range(watchers)))


async def _watch(stage: Stage, playing: asyncio.Task[None]) -> None:
    """Look on for the second half, asking how the server is each second, until all is answered."""
    meter, site = stage.meter, stage.site
    due = stage.zero + (stage.end - stage.zero) // 2
    await wait_until(due)
    operator = await Operator.enter(site.admin_url, site.admin_token)
    tails = {method: Tail() for method in _TAILS}
    operator.on_notice = lambda method, notice: tails[method].take(notice)
    try:
        begun = {
            method: await operator.ask(method, actor=_BANK, **filters)
            for method, filters in _TAILS.items()
        }
        while due < stage.end:
            await wait_until(due)
            await operator.ask("server.info")
            meter.answered("server.info", due)
            due += _NANOS
        await asyncio.wait([playing])
        for method, tail in tails.items():
            await _end(operator, begun[method]["tail"], tail, meter)
    finally:
        await operator.leave()
    for method, tail in tails.items():
        meter.notes[f"{method} told"] += tail.told
        meter.notes[f"{method} dropped"] += tail.dropped
        for fault in tail.faults:
            meter.broke(f"{method}: {fault}")


async def _end(operator: Operator, number: int, tail: Tail, meter: Meter) -> None:
    """End a tail; other processes may go on meanwhile."""
    least = await _last_record(operator)
    await operator.ask("tail.end", tail=number)
    async with asyncio.timeout(ANSWER_SECONDS_MAX):
        await tail.over.wait()
    most = await _last_record(operator)
    meter.notes["tails reckoned up"] += tail.reckon(least, most)


async def _last_record(operator: Operator) -> int:
    shown = await operator.ask("actors.show", actor=_BANK, rows=0, journal=0)
    seq: int = shown["actor"]["seq"]
    return seq


async def _prepare(site: Site) -> None:
    if not (site.admin_url and site.admin_token):
        raise LoadTestError("the operators' channel is not known: name the server's data folder")
    await seed_accounts(site)


async def _check(site: Site, finding: Finding) -> Facts:
    facts = dict(await check_accounts(site, finding))
    half = len(finding.measured) // 2
    # The second in which the watch begins belongs to neither.
    for name, part in (("unwatched", finding.measured[:half]), ("watched", _after(finding, half))):
        calls = Histogram.decode(*(each.calls.get("transfer", "") for each in part))
        facts[f"p99 in us, {name}"] = calls.quantiles().p99
        facts[f"us of processor time a transfer, {name}"] = round(
            micros_a_call(part, "transfer"), 1
        )
    for name in ("told", "dropped"):
        for method in _TAILS:
            facts[f"{method} {name}"] = finding.notes.get(f"{method} {name}", 0)
    facts["tails reckoned up"] = finding.notes.get("tails reckoned up", 0)
    return facts


def _after(finding: Finding, half: int) -> Sequence[Interval]:
    """The watched seconds: past the load's end nothing is."""
    return [each for each in finding.measured[half + 1 :] if each.calls]


ADMIN_WATCH = Scenario(
    "admin-watch",
    "operators look on while others work",
    "examples.bank",
    _play,
    _prepare,
    _check,
    rate=20.0,
    arguments=("--no-rate-limits",),
)
