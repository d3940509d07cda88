"""Random play: some people call whatever comes to mind, and after every call the laws hold.

``python tests/actors/domains/random_play.py FIRST LAST STEPS`` plays the seeds of a range.
"""

from __future__ import annotations

import asyncio
import sys
from collections import Counter, deque
from collections.abc import Coroutine, Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from random import Random
from typing import Any

import pytest
from random_bench import StillVale, complaints, read_rows
from random_books import Books
from random_calls import Call, Caller
from random_laws import (
    LIVE,
    Rows,
    check_chapters,
    check_lineages,
    check_story,
    check_story_step,
    check_user,
    check_user_step,
    creations_of,
)
from random_refusals import check_refusal
from user_bench import SERVICE, START_MICROS, claims
from vale_bench import MODULE, PROFILE, Player, RefusedError
from wild_world import WILD_PROFILE, wild_document

from actors.claims import Claims
from actors.domains.custom_world import fixture_worlds
from actors.domains.domain_types import ParticipantRole
from actors.domains.gameplay.chapter import ChapterProgression
from actors.domains.gameplay.combat import BattleSecret
from actors.domains.gameplay.progression import PlayerProgression
from actors.domains.gameplay.story import StoryParticipant, StorySecret, StorySession
from actors.keys import ActorKey, Audience, user_id_of
from persistence.memory import MemoryDisk

__all__ = ["RandomPlay", "play"]

_SECOND = 1_000_000
_KEPT_CALLS = 12
_TOLD_CHARS = 400
_FREE = frozenset({"discard_inventory_item", "apply_inventory_mutation"})
"""Calls that change items without a row that says so."""

_FOLLOWED = tuple(name for name, declared in MODULE.tables.items() if declared.is_public) + tuple(
    MODULE.views
)
_VIEWED = {
    "my_player_progression": PlayerProgression,
    "my_chapter_progression": ChapterProgression,
}


class RandomPlay:
    """People who play at random on one host after another; every step checks the laws.

    Attributes:
        accepted, refused: how often each call was.
        haste: how many of the steps are several calls at once.
    """

    late = ("begin_story_session", "restore_save", "create_save", "join_story", "upsert_browse")
    """Procedures that are refused by somebody else after their own actor has taken note."""

    def __init__(self, seed: int) -> None:
        self.rng = Random(seed)
        self.vale = self._open(MemoryDisk())
        self.haste = self.rng.choice([0.1, 0.1, 0.4])
        self.people = self._people()
        user_ids = [user_id_of(who.identity) for who in (*self.people, SERVICE)]
        self.caller = Caller(self.rng, self.vale, user_ids)
        self.players: dict[str, Player] = {}
        self.rows: dict[str, Rows] = {}
        self.seqs: dict[ActorKey, int] = {}
        self.books = Books()
        self.changed_freely: set[str] = set()
        self.reset_chapters: set[tuple[str, str]] = set()
        self.accepted: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        self.history: deque[str] = deque(maxlen=_KEPT_CALLS)

    def _open(self, disk: MemoryDisk, micros: int = START_MICROS) -> StillVale:
        """A host on a disk, at a time."""
        vale = StillVale(disk)
        vale.clock.micros = micros
        return vale

    def _people(self) -> list[Claims]:
        """Everybody there is, beside the service."""
        return [claims(number) for number in range(1, 2 + self.rng.randrange(4))]

    async def run(self, steps: int) -> None:
        """Play so many steps from an empty store."""
        await self.vale.start()
        service = await self._enter(SERVICE)
        await service.ask("load_fixture_world_and_return")
        await service.call("load_fixture_gallery", 2)
        for who in self.people:
            await self._enter(who)
        await self._gather()
        await self._look()
        try:
            for step in range(steps):
                await self._step(step)
            await self._restart()
        except BaseException as error:
            error.add_note("\n".join(self.history))
            raise
        finally:
            await self.vale.host.stop()

    async def _gather(self) -> None:
        """Everybody begins a story, or comes into the first one's."""
        rng = self.rng
        role, profile = rng.choice([("role_1", WILD_PROFILE), ("wanderer", PROFILE)])
        host, *others = (self.players[who.subject] for who in self.people)
        await host.begin(role, profile)
        await host.call("create_story_invite", host.story_id)
        is_party = rng.random() < 0.5
        for player in others:
            part = rng.choice([ParticipantRole.PLAYER] * 3 + [ParticipantRole.SPECTATOR])
            if is_party:
                code = host.session.invite_code
                await player.call("join_story_session", host.story_id, code, part, role)
            else:
                await player.begin(role, profile)

    async def _step(self, step: int) -> None:
        rng = self.rng
        await self._pass_time(step)
        draw = rng.random()
        if draw < 0.02:
            await self._come_and_go()
        elif draw < 0.024:
            await self._restart()
        elif draw < self.haste:
            await self._together(rng.randint(2, 9))
        else:
            await self._alone(self._next())
        await self._look()

    def _next(self) -> Call:
        users = [each for each in self.players.values() if each.claims != SERVICE]
        is_service = self.rng.random() < 0.06 or not users
        service = self.players[SERVICE.subject]
        return self.caller.next([service] if is_service else users)

    # Steps

    async def _pass_time(self, step: int) -> None:
        draw = self.rng.random()
        micros = self.rng.randint(100, 500) * 1_000
        if draw < 0.03:
            micros = self.rng.choice([3, 61, 61, 200]) * _SECOND
        elif draw < 0.0315:
            micros = 25 * 3600 * _SECOND
        elif draw < 0.0320:
            micros = 31 * 24 * 3600 * _SECOND
        self.history.append(f"step {step}: {micros / _SECOND} s later")
        await self.vale.let_time_pass(micros)
        await self._look()

    async def _come_and_go(self) -> None:
        """Somebody connects or disconnects."""
        who = self.rng.choice(self.people)
        self.history.append(f"{who.subject} comes or goes")
        if who.subject in self.players:
            await self.players.pop(who.subject).leave()
            await self.vale.settle()
        else:
            await self._enter(who)

    async def _enter(self, who: Claims) -> Player:
        player = self.players[who.subject] = await self.vale.enter(who)
        if who != SERVICE:
            await player.subscribe(*_FOLLOWED)
        await self.vale.settle()
        return player

    async def _alone(self, call: Call) -> None:
        """One call: a refused one and one that only reads leave no trace in any journal."""
        before = self._journals()
        code = await self._make(call)
        base = call.name.removesuffix("_and_return")
        is_told = base in MODULE.reducers and code is None
        if not is_told and not base.startswith(self.late):
            assert self._journals() == before, f"{call.name} changed rows: {code}"
        if code is None and base in MODULE.reducers and self.rng.random() < 0.1:
            await self._repeat(call)

    async def _repeat(self, call: Call) -> None:
        """The same request again answers the same and changes nothing (domain 1.5)."""
        _, name, args = self.vale.calls[-1]
        before = self._journals()
        again = call.name if call.asks else name
        answer = await call.player.repeat(again, args)
        await self.vale.settle()
        if call.asks and not call.name.startswith(self.late):
            assert answer == self.vale.answers[call.name, args], f"{call.name} answered otherwise"
        assert self._journals() == before, f"{call.name} changed rows when it was repeated"

    async def _together(self, count: int) -> None:
        """Some calls at once: their messages meet on the way, and the power may fail there."""
        calls = [self._next() for _ in range(count)]
        work: list[Coroutine[Any, Any, Any]] = [
            self._make(call, self.rng.randint(0, 9)) for call in calls
        ]
        is_told = not any(call.name.removesuffix("_and_return") in _FREE for call in calls)
        if is_told and self.rng.random() < 0.1:
            work.append(self._lose_power(self.rng.randint(1, 60)))
        await asyncio.gather(*work)

    async def _lose_power(self, turns: int) -> None:
        """What is on the disk after so many turns of the loop is enough to go on from."""
        for _ in range(turns):
            await asyncio.sleep(0)
        image = self._open(deepcopy(self.vale.disk), self.vale.clock.micros + _SECOND)
        await image.start()
        await image.host.activate([ActorKey(key) for key in image.disk.actors])
        await image.let_time_pass(2 * _SECOND)
        rows = {key: read_rows(image, ActorKey(key)) for key in image.disk.actors}
        image.check_mail()
        self._check_image(rows)
        await image.host.stop()

    def _check_image(self, rows: Mapping[str, Rows]) -> None:
        """Check what a host has whose power failed."""
        books = deepcopy(self.books)
        for key in sorted(rows):  # stories come before users
            if key.startswith("story/"):
                check_story(rows[key])
                books.note_story(self.rows.get(key), rows[key])
            elif key.startswith("user/"):
                check_user(rows[key])
                books.check(key.partition("/")[2], rows[key])
        _check_directories(rows)

    async def _make(self, call: Call, turns: int = 0) -> str | None:
        """Make a call after some turns of the loop; answers the code with which it was refused."""
        for _ in range(turns):
            await asyncio.sleep(0)
        player, name, fields = call
        self.history.append(f"{player.claims.subject}: {name}{repr(fields)[:_TOLD_CHARS]}")
        try:
            await (player.ask if call.asks else player.call)(name, *fields)
        except RefusedError as refusal:
            self.history.append(f"  {name}: {refusal.code}")
            check_refusal(name, refusal.code)
            self.refused[name, refusal.code] += 1
            return refusal.code
        finally:
            await self.vale.settle()
        self.accepted[name] += 1
        self._note(name.removesuffix("_and_return"), call)
        return None

    def _note(self, name: str, call: Call) -> None:
        """Remember what no row tells."""
        if name in _FREE:
            user_id = call.fields[0] if name.startswith("apply") else call.player.user_id
            self.changed_freely.add(user_id)
        if name == "upsert_chapter_progression" and not call.fields[-1]:
            self.reset_chapters.add((call.fields[0], call.fields[1]))

    # Laws

    def _journals(self) -> dict[str, int]:
        return {key: stored.last_seq for key, stored in self.vale.disk.actors.items()}

    async def _look(self) -> None:
        """Check every law that a step could have broken."""
        changed: dict[str, Rows] = {}
        for key, cell in self.vale.host._cells.items():
            assert not cell.core.evidence, key
            if self.seqs.get(key) != cell.core.seq:
                self.seqs[key] = cell.core.seq
                changed[key] = read_rows(self.vale, key)
        self.vale.check_mail()
        before, self.rows = self.rows, {**self.rows, **changed}
        self._check(before, changed)
        for player in self.players.values():
            assert player.cache.faults() == [], player.claims.subject

    def _check(self, before: dict[str, Rows], changed: dict[str, Rows]) -> None:
        """Check the laws that the changed rows could have broken."""
        for key, rows in changed.items():
            if key.startswith("story/"):
                self.books.note_story(before.get(key), rows)
                check_story(rows)
                if key in before:
                    check_story_step(before[key], rows)
        for key, rows in self.rows.items():
            if not key.startswith("user/"):
                continue
            user_id = key.partition("/")[2]
            if user_id in self.changed_freely:
                self.changed_freely.remove(user_id)
                self.books.trust(user_id, rows)
            if changed:
                self.books.check(user_id, rows)
            if key in changed:
                check_user(rows)
                resets = {chapter for owner, chapter in self.reset_chapters if owner == user_id}
                check_chapters(rows, resets)
                if key in before:
                    check_user_step(before[key], rows)
        if changed:
            self._check_together()
            self._check_secrets(before)

    def _check_together(self) -> None:
        _check_directories(self.rows)
        stories = [rows for key, rows in self.rows.items() if key.startswith("story/")]
        for player in self.players.values():
            if player.claims != SERVICE:
                self._check_view(player, stories)

    def _check_view(self, player: Player, stories: list[Rows]) -> None:
        """Domain 1.6: a client has its own rows and those of its live sessions, and no others."""
        mine = [self.rows[player.home]]
        for rows in stories:
            is_live = any(session.status in LIVE for session in rows[StorySession])
            if is_live and any(one.user_id == player.user_id for one in rows[StoryParticipant]):
                mine.append(rows)
        mine += creations_of(self.rows, player.user_id)
        for name, declared in MODULE.tables.items():
            if not declared.is_public:
                continue
            sources = mine
            if any(kind.audience is Audience.EVERYONE for kind in declared.kinds):
                sources = [rows for key, rows in self.rows.items() if key.startswith("catalog/")]
            reader = declared.readers or (lambda _: None)
            found = (row for rows in sources for row in rows.get(declared.row, ()))
            sees_all = declared.readers_role in player.claims.roles
            expected = {
                row[0]: row for row in found if sees_all or reader(row) in {None, player.user_id}
            }
            assert {row[0]: row for row in player.rows(name)} == expected, name
        for view, table in _VIEWED.items():
            expected = {row[0]: row for row in mine[0][table]}
            assert {row[0]: row for row in player.rows(view)} == expected, view

    def _check_secrets(self, before: dict[str, Rows]) -> None:
        """Domain 4.1, 5.1: no seed and no state of chance is ever among the bytes of a client."""
        numbers = set()
        for rows in (*before.values(), *self.rows.values()):
            numbers.update(row.rng_state for row in rows.get(BattleSecret, ()))
            for row in rows.get(StorySecret, ()):
                numbers.update((row.loot_seed, row.stock_seed))
        secrets = [number.to_bytes(8, "little") for number in numbers]
        secrets += [str(number).encode() for number in numbers]
        for player in self.players.values():
            heard = b"".join(player.heard)
            player.heard.clear()
            assert not any(secret in heard for secret in secrets), player.claims.subject

    async def _restart(self) -> None:
        """Everybody leaves; a host on the journals, and one on the checkpoints, have all rows."""
        self.history.append("restart")
        for player in self.players.values():
            await player.leave()
        await self.vale.settle()
        rows = self.vale.all_rows()
        await self.vale.host.stop()
        crashed = self._open(deepcopy(self.vale.disk), self.vale.clock.micros)
        for vale in (crashed, self.vale):
            await vale.start()
            await vale.host.activate([ActorKey(key) for key in vale.disk.actors])
            await vale.settle()
            assert vale.all_rows() == rows, "rows are others after a restart"
        await crashed.host.stop()
        people, self.players = list(self.players), {}
        for who in (SERVICE, *self.people):
            if who.subject in people:
                await self._enter(who)
        self.seqs.clear()


def _check_directories(actors: Mapping[str, Rows]) -> None:
    stories = [rows for key, rows in actors.items() if key.startswith("story/")]
    users = {key.partition("/")[2]: rows for key, rows in actors.items() if key.startswith("user/")}
    check_lineages(stories, users)


@contextmanager
def _wild_gallery() -> Iterator[None]:
    """Let the fixture gallery's first world be the wild one."""
    copy = fixture_worlds.vale_copy
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            fixture_worlds,
            "vale_copy",
            lambda number: wild_document() if number == 1 else copy(number),
        )
        yield


def play(seed: int, steps: int) -> RandomPlay:
    """Play a seed; the error of a broken law names the last calls."""
    with complaints(f"seed {seed}, {steps} steps"), _wild_gallery():
        one = RandomPlay(seed)
        asyncio.run(one.run(steps))
    return one


def _main(first: int, last: int, steps: int) -> None:
    accepted: Counter[str] = Counter()
    for seed in range(first, last + 1):
        one = play(seed, steps)
        accepted += one.accepted
        print(seed, sum(one.accepted.values()), sum(one.refused.values()), flush=True)
    print(accepted)


if __name__ == "__main__":
    _main(*map(int, sys.argv[1:]))
