"""Bank: transfers between accounts, evenly or mostly of a few; no money may come or go.

Users send what was drawn beforehand, many calls at once when asked. Meanwhile an auditor reads all
accounts each second. In the end every account must hold what the answered transfers made of it.
"""

from __future__ import annotations

import asyncio
import struct
from itertools import accumulate
from random import Random

from loadtest.bot import Bot
from loadtest.engine.lanes import drive_lanes, make_lane
from loadtest.engine.scenario import Facts, Finding, Scenario, Shape
from loadtest.engine.stage import Site, Stage
from loadtest.engine.turns import wait_until
from loadtest.errors import CheckError
from loadtest.limits import BATCH_MAX

__all__ = [
    "ACCOUNTS",
    "BALANCE",
    "BANK",
    "check_accounts",
    "play_bank",
    "read_accounts",
    "seed_accounts",
]

ACCOUNTS = 1_000
BALANCE = 1_000_000_000
_ALL = "SELECT * FROM accounts"
_SEED = 20_240_817
_SECOND_NANOS = 1_000_000_000


async def seed_accounts(site: Site, count: int = ACCOUNTS) -> None:
    """Give every account its first balance."""
    bot = await Bot.connect(site.address)
    await bot.call("seed", struct.pack("<Iq", count, BALANCE))
    await bot.close()


async def read_accounts(bot: Bot) -> dict[int, int]:
    """Balances by account, read once.

    Raises:
        CheckError: an account is there twice, or they do not add up.
    """
    rows = [struct.unpack("<Iq", row) for row in await bot.query(_ALL)]
    accounts = dict(rows)
    if len(accounts) != len(rows):
        raise CheckError(f"{len(rows)} rows of {len(accounts)} accounts")
    total = sum(accounts.values())
    if total != len(accounts) * BALANCE:
        raise CheckError(f"{len(accounts)} accounts add up to {total}, not {BALANCE} each")
    return accounts


def _pairs(number: int, alpha: float) -> list[tuple[int, int]]:
    """From and to of one user's transfers; the n-th account is drawn n**-alpha times as often."""
    chance = Random(_SEED + number)
    weights = list(accumulate((place + 1) ** -alpha for place in range(ACCOUNTS)))
    pairs: list[tuple[int, int]] = []
    while len(pairs) < BATCH_MAX:
        one, other = chance.choices(range(ACCOUNTS), cum_weights=weights, k=2)
        if one != other:
            pairs.append((one, other))
    return pairs


async def play_bank(stage: Stage) -> None:
    """Play this process's part."""
    pairs = [_pairs(number, stage.plan.alpha) for number in stage.numbers]
    lanes = [
        make_lane(stage, "transfer", [struct.pack("<IIq", *pair, 1) for pair in ring])
        for ring in pairs
    ]
    audit = asyncio.create_task(_audit(stage)) if stage.worker == 0 else None
    try:
        await drive_lanes(stage, lanes)
    finally:
        if audit is not None:
            await audit
    for ring, lane in zip(pairs, lanes, strict=True):
        for place, count in lane.made().items():
            one, other = ring[place]
            stage.meter.notes[f"account {one}"] -= count
            stage.meter.notes[f"account {other}"] += count
        stage.meter.notes["transfers"] += lane.made().total()


async def _audit(stage: Stage) -> None:
    """Read all accounts each second, in one read each; they must add up at any time."""
    bot = await stage.connect()
    due = stage.zero
    try:
        while due < stage.end:
            await wait_until(due)
            await read_accounts(bot)
            stage.meter.answered("audit", due)
            due += _SECOND_NANOS
    finally:
        await bot.close()


async def check_accounts(site: Site, finding: Finding) -> Facts:
    """Compare the accounts with what the answered transfers made of them.

    Raises:
        CheckError: one of them differs.
    """
    bot = await Bot.connect(site.address)
    accounts = await read_accounts(bot)
    await bot.close()
    for account in range(ACCOUNTS):
        expected = BALANCE + finding.notes.get(f"account {account}", 0)
        if accounts.get(account) != expected:
            raise CheckError(
                f"account {account} holds {accounts.get(account)}; what was answered makes"
                f" {expected}"
            )
    return {"transfers": finding.notes.get("transfers", 0), "accounts": len(accounts)}


BANK = Scenario(
    "bank",
    "transfers between accounts of one actor",
    "examples.bank",
    play_bank,
    seed_accounts,
    check_accounts,
    rate=10.0,
    arguments=("--no-rate-limits",),
    bystanders=(_ALL,),
    shapes=frozenset({Shape.STORM, Shape.SLOW_READERS}),
)
