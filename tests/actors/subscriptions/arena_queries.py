"""Queries over the arena, each with what it means, said in Python."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from typing import NamedTuple

import arena_module
from arena_module import Item, Player, Secret, Shout, Tag, Team
from host_bench import claims

from actors.module.module import Module
from actors.module.types import Identity, product_type
from protocol.bsatn import compile_codec

MODULE = Module("arena", [arena_module])
CALLERS = [claims(1), claims(2)]
OWNER = CALLERS[0].identity
ENCODERS = {
    row: compile_codec(product_type(row)).encode for row in (Player, Item, Tag, Shout, Secret, Team)
}


class Rows(NamedTuple):
    """The arena's rows; events never are among them."""

    players: list[Player]
    items: list[Item]
    tags: list[Tag]
    secrets: list[Secret]


class Asked(NamedTuple):
    """A query, the table it returns, and what it is to answer: a bag of rows."""

    text: str
    table: str
    means: Callable[[Rows, Identity], Iterable[tuple]]


def broken(rows: Rows) -> bool:
    return any(tag.word == "break" for tag in rows.tags)


QUERIES = [
    Asked("SELECT * FROM player", "player", lambda rows, me: rows.players),
    Asked("SELECT * FROM player WHERE TRUE = TRUE AND id = id", "player", lambda r, me: r.players),
    Asked(
        "SELECT * FROM player WHERE team = 'red'",
        "player",
        lambda rows, me: [p for p in rows.players if p.team == "red"],
    ),
    Asked(
        "SELECT * FROM player WHERE team = 'red' AND hp = 1",
        "player",
        lambda rows, me: [p for p in rows.players if p.team == "red" and p.hp == 1],
    ),
    Asked(
        "SELECT * FROM player WHERE hp >= 1 AND hp < 3 AND alive <> FALSE",
        "player",
        lambda rows, me: [p for p in rows.players if 1 <= p.hp < 3 and p.alive],
    ),
    Asked(
        "SELECT * FROM player WHERE team = 'red' OR id = 2",
        "player",
        lambda rows, me: [p for p in rows.players if p.team == "red" or p.id == 2],
    ),
    Asked(
        "SELECT * FROM player WHERE NOT (team = 'red' AND hp = 1)",
        "player",
        lambda rows, me: [p for p in rows.players if not (p.team == "red" and p.hp == 1)],
    ),
    Asked(
        "SELECT * FROM player WHERE team = 'red' AND team = 'blue'",
        "player",
        lambda rows, me: [],
    ),
    Asked(
        "SELECT * FROM player WHERE owner = :sender",
        "player",
        lambda rows, me: [p for p in rows.players if p.owner == me],
    ),
    Asked(
        "SELECT * FROM player WHERE owner <> :sender",
        "player",
        lambda rows, me: [p for p in rows.players if p.owner != me],
    ),
    Asked(
        f"SELECT * FROM player WHERE owner = 0x{OWNER}",
        "player",
        lambda rows, me: [p for p in rows.players if p.owner == OWNER],
    ),
    Asked("SELECT * FROM item", "item", lambda rows, me: rows.items),
    Asked(
        "SELECT * FROM item WHERE player_id = 1",
        "item",
        lambda rows, me: [i for i in rows.items if i.player_id == 1],
    ),
    Asked("SELECT * FROM tag", "tag", lambda rows, me: rows.tags),
    Asked(
        "SELECT * FROM tag WHERE word = 'a'",
        "tag",
        lambda rows, me: [t for t in rows.tags if t.word == "a"],
    ),
    Asked(
        "SELECT item.* FROM player JOIN item ON player.id = item.player_id",
        "item",
        lambda rows, me: [i for i in rows.items for p in rows.players if p.id == i.player_id],
    ),
    Asked(
        "SELECT i.* FROM item i JOIN player AS p ON i.player_id = p.id"
        " WHERE p.team = 'red' AND i.kind = 'bow'",
        "item",
        lambda rows, me: [
            i
            for i in rows.items
            for p in rows.players
            if p.id == i.player_id and p.team == "red" and i.kind == "bow"
        ],
    ),
    Asked(
        "SELECT player.* FROM item JOIN player ON player.id = item.player_id",
        "player",
        lambda rows, me: [p for p in rows.players for i in rows.items if p.id == i.player_id],
    ),
    Asked(
        "SELECT p.* FROM player p JOIN item i ON i.player_id = p.id"
        " WHERE p.owner = :sender OR i.kind = 'bow'",
        "player",
        lambda rows, me: [
            p
            for p in rows.players
            for i in rows.items
            if p.id == i.player_id and (p.owner == me or i.kind == "bow")
        ],
    ),
    Asked(
        "SELECT tag.* FROM tag JOIN item ON tag.player_id = item.player_id",
        "tag",
        lambda rows, me: [t for t in rows.tags for i in rows.items if t.player_id == i.player_id],
    ),
    Asked(
        "SELECT a.* FROM player a JOIN player b ON a.team = b.team WHERE b.alive = TRUE",
        "player",
        lambda rows, me: [
            a for a in rows.players for b in rows.players if a.team == b.team and b.alive
        ],
    ),
    Asked(
        "SELECT a.* FROM player a JOIN player b ON a.team = b.team WHERE a.hp < b.hp",
        "player",
        lambda rows, me: [
            a for a in rows.players for b in rows.players if a.team == b.team and a.hp < b.hp
        ],
    ),
    Asked("SELECT * FROM shout", "shout", lambda rows, me: []),
    Asked(
        "SELECT shout.* FROM shout JOIN player ON shout.player_id = player.id",
        "shout",
        lambda rows, me: [],
    ),
    Asked(
        "SELECT * FROM my_players",
        "my_players",
        lambda rows, me: [p for p in rows.players if p.owner == me],
    ),
    Asked(
        "SELECT * FROM my_players WHERE team = 'red'",
        "my_players",
        lambda rows, me: [p for p in rows.players if p.owner == me and p.team == "red"],
    ),
    Asked(
        "SELECT * FROM teams",
        "teams",
        lambda rows, me: [
            Team(p.team, int(all(q.id != 1 for q in rows.players))) for p in rows.players
        ],
    ),
    Asked(
        "SELECT * FROM teams WHERE mood = 1",
        "teams",
        lambda rows, me: [
            Team(p.team, 1) for p in rows.players if all(q.id != 1 for q in rows.players)
        ],
    ),
    Asked(
        "SELECT * FROM fragile",
        "fragile",
        lambda rows, me: [] if broken(rows) else rows.tags,
    ),
    Asked("SELECT * FROM whisper", "whisper", lambda rows, me: rows.secrets),
]


SAME = {"SELECT * FROM player WHERE TRUE = TRUE AND id = id": "SELECT * FROM player"}
"""Queries of one normal form are one query of a set, as one text twice is."""


def expected(rows: Rows, caller: Identity, sets: Iterable[tuple[str, ...]]) -> dict[str, Counter]:
    """What a client holds of query sets: every row, by table, with its reference count."""
    asked = {query.text: query for query in QUERIES}
    found: dict[str, Counter] = {}
    for texts in sets:
        for text in dict.fromkeys(SAME.get(text, text) for text in texts):
            query = asked[text]
            bag = found.setdefault(query.table, Counter())
            bag.update(ENCODERS[type(row)](row) for row in query.means(rows, caller))
    return {table: bag for table, bag in found.items() if bag}
