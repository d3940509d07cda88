"""Bugs that a server must not have: a small change of its source each, and the test that finds it.

They are planted into a copy of the tree; a test that still passes there proves nothing.
"""

from __future__ import annotations

from typing import NamedTuple

DURABILITY = "tests/actors/host/test_durability.py"
CRASH_POINTS = "tests/actors/host/test_crash_points.py"
SQLITE = "tests/persistence/test_sqlite_store.py"
FILING = "tests/persistence/test_sqlite_filing.py"
REDIS = "tests/persistence/test_redis_store.py"


class Bug(NamedTuple):
    """``old`` stands once in ``file``; with ``new`` in its place ``test`` fails."""

    file: str
    old: str
    new: str
    test: str


BUGS = {
    "a call is acknowledged before its record is durable": Bug(
        "actors/host/rounds.py",
        "            if mouth.is_confirmed:\n",
        "            if mouth.is_confirmed and not appends:\n",
        f"{DURABILITY}::test_a_confirmed_connection_hears_nothing_before_it_is_durable",
    ),
    "a batch that the store refused is acknowledged": Bug(
        "persistence/sqlite_appends.py",
        "                errors[:accepted] = [error] * accepted\n",
        "",
        f"{SQLITE}::test_a_log_that_cannot_grow_fails_what_waits_and_takes_it_later",
    ),
    "memory stays ahead of a store that refused": Bug(
        "actors/host/host.py",
        "        cells = list(self._cells.values())\n        self._cells.clear()\n",
        "        cells: list[Cell] = []\n",
        f"{DURABILITY}::test_a_store_that_fails_shows_nothing_and_everything_is_loaded_again",
    ),
    "a procedure believes a call that the store took back": Bug(
        "actors/host/host.py",
        "        if not await self.durable() or self.rounds.restarts != restarts:\n"
        "            raise unavailable()\n",
        "        if not await self.durable():\n            raise unavailable()\n",
        f"{DURABILITY}::test_a_procedure_is_not_told_that_a_call_stands_which_the_store_took_back",
    ),
    "what is durable and not filed yet is not read": Bug(
        "persistence/sqlite_appends.py",
        "                self._unfiled.add(actors, commit)\n",
        "                del actors\n",
        f"{FILING}::test_a_commit_is_one_frame_until_something_needs_the_journals",
    ),
    "what a crash left in the commit log is forgotten": Bug(
        "persistence/sqlite_filing.py",
        "        self._write(left, self._log.lap)\n",
        "        self._write(left[:0], self._log.lap)\n",
        f"{FILING}::test_what_was_not_filed_is_after_a_crash",
    ),
    "a commit is not synced": Bug(
        "persistence/commit_log.py",
        " | os.O_TRUNC | os.O_DSYNC",
        " | os.O_TRUNC",
        f"{SQLITE}::test_durability_is_read_from_the_file",
    ),
    "the log begins again before what it held is in the journals": Bug(
        "persistence/schema.py",
        'connection.execute("PRAGMA synchronous = FULL")',
        'connection.execute("PRAGMA synchronous = OFF")',
        f"{SQLITE}::test_durability_is_read_from_the_file",
    ),
    "a damaged log is read up to the damage": Bug(
        "persistence/commit_log.py",
        "    while place >= 0:\n",
        "    while place > len(data):\n",
        f"{FILING}::test_a_damaged_frame_before_the_last_is_no_end",
    ),
    "an owner of an older epoch writes on SQLite": Bug(
        "persistence/commit_log.py",
        "        if fenced is not None:\n",
        "        if fenced is self:\n",
        f"{SQLITE}::TestSqliteStore::test_a_newer_owner_fences_the_older",
    ),
    "an owner of an older epoch writes on Redis": Bug(
        "persistence/redis_functions.lua",
        "  if held[1] ~= epoch then\n"
        "    return {'fenced', held[1] or '0'}\n"
        "  end\n"
        "  if held[2] ~= link then\n"
        "    return {'stale'}\n"
        "  end\n",
        "",
        f"{REDIS}::TestRedisStore::test_a_newer_owner_fences_the_older",
    ),
    "what Redis wrote and could not tell is written again": Bug(
        "persistence/redis_calls.py",
        "        self._found = min(max(batch - self._first + 1, 0), len(self._jobs))\n",
        "        self._found = 0 * batch\n",
        "tests/persistence/test_redis_faults.py"
        "::test_a_server_that_stands_still_is_asked_what_it_wrote",
    ),
    "an idle server never learns that its store was taken over": Bug(
        "server/ownership.py",
        "            lost(error)\n            return\n",
        "            del error\n            return\n",
        "tests/server/test_app.py::test_a_store_that_is_taken_over_ends_an_idle_server",
    ),
    "a journal is trimmed before its checkpoint is durable": Bug(
        "persistence/sqlite_checkpoint.py",
        "        self._owner.connection.execute(\n            WRITE_FOLDS,\n",
        "        for actor in plan.actors:\n"
        "            self._owner.connection.execute(\n"
        '                "DELETE FROM journal WHERE actor_id = ? AND seq <= ?", actor[:2]\n'
        "            )\n"
        "        self._owner.connection.execute(\n            WRITE_FOLDS,\n",
        f"{SQLITE}::test_a_checkpoint_on_a_full_disk_fails_alone",
    ),
    "a call leaves no receipt": Bug(
        "actors/host/turns.py",
        "                self._record(core, answer, context.timestamp)\n",
        "",
        "tests/actors/host/test_receipts.py::test_a_receipt_survives_a_crash",
    ),
    "a message leaves its outbox before it is acknowledged": Bug(
        "actors/host/mail.py",
        "        self._database[OutboxMessage].insert(row)\n        self.posted.append(row)\n",
        "        self.posted.append(row)\n",
        f"{CRASH_POINTS}::test_the_end_is_the_same_whatever_became_durable",
    ),
    "a cursor does not move with the effect": Bug(
        "actors/host/mail_turns.py",
        "            self._move_cursor(core, context.timestamp)\n"
        '            core.commit(message.kind, b"", message.payload)\n',
        '            core.commit(message.kind, b"", message.payload)\n'
        "\n"
        "            def move() -> None:\n"
        "                self._move_cursor(core, core.context(now).timestamp)\n"
        '                core.commit(message.kind, b"", b"")\n'
        "\n"
        "            import asyncio\n"
        "            asyncio.get_running_loop().call_later(0, move)\n",
        f"{CRASH_POINTS}::test_the_end_is_the_same_whatever_became_durable",
    ),
    "a timer does not go with its ringing": Bug(
        "actors/host/mail_turns.py",
        "            timers.delete(timer.timer_id)\n"
        "            core.mail.is_changed = True\n"
        "            declared = self._types.by_name[timer.kind]\n"
        "            declared.handle(context, declared.decode(timer.payload, 0)[0])\n"
        '            core.commit(timer.kind, b"", timer.payload)\n',
        "            declared = self._types.by_name[timer.kind]\n"
        "            declared.handle(context, declared.decode(timer.payload, 0)[0])\n"
        '            core.commit(timer.kind, b"", timer.payload)\n'
        "\n"
        "            def forget() -> None:\n"
        "                core.context(now)\n"
        "                timers.delete(timer.timer_id)\n"
        "                core.mail.is_changed = True\n"
        '                core.commit(timer.kind, b"", b"")\n'
        "\n"
        "            import asyncio\n"
        "            asyncio.get_running_loop().call_later(0, forget)\n",
        f"{CRASH_POINTS}::test_a_timer_rings_once_and_not_before_its_time",
    ),
    "a delta falls between first rows and registration": Bug(
        "actors/subscriptions/board.py",
        "            self._route(plan)\n",
        "            import asyncio\n"
        "            asyncio.get_running_loop().call_later(0, self._route, plan)\n",
        f"{DURABILITY}::test_a_commit_right_behind_the_first_rows_is_told",
    ),
    "the last connection of a round is not told": Bug(
        "actors/host/rounds.py",
        "        for mouth, messages in held:\n            _deliver(mouth, messages)\n",
        "        for mouth, messages in held[: max(1, len(held) - 1)]:\n"
        "            _deliver(mouth, messages)\n",
        f"{DURABILITY}::test_a_confirmed_connection_hears_nothing_before_it_is_durable",
    ),
}
