"""Queries over the arena, each with what it means, said in Python."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from typing import NamedTuple

import arena_module
from arena_module import Gift, Item, Knock, Note, Player, Secret, Shout, Tag, Team
from host_bench import claims

from actors.keys import user_id_of
from actors.module.module import Module
from actors.module.types import Identity, product_type
from protocol.bsatn import compile_codec

MODULE = Module("arena", [arena_module])
CALLERS = [claims(1), claims(2)]
MODERATOR = claims(3, "moderator")
OWNER = CALLERS[0].identity
OWNER_ID = user_id_of(OWNER)
ENCODERS = {
    row: compile_codec(product_type(row)).encode
    for row in (Player, Item, Tag, Note, Gift, Shout, Knock, Secret, Team)
}


class Rows(NamedTuple):
    """The arena's rows; events never are among them."""

    players: list[Player]
    items: list[Item]
    tags: list[Tag]
    notes: list[Note]
    gifts: list[Gift]
    secrets: list[Secret]


class Asked(NamedTuple):
    """A query, the table it returns, and what it is to answer: a bag of rows."""

    text: str
    table: str
    means: Callable[[Rows, Identity], Iterable[tuple]]


def sees(me: Identity, row: Note | Gift | Knock) -> bool:
    """Whether a row is for this caller; the moderator has a role for two of the tables."""
    if me == MODERATOR.identity and not isinstance(row, Gift):
        return True
    return row.reader in ("", user_id_of(me))


def notes(rows: Rows, me: Identity) -> list[Note]:
    return [note for note in rows.notes if sees(me, note)]


def gifts(rows: Rows, me: Identity) -> list[Gift]:
    return [gift for gift in rows.gifts if sees(me, gift)]


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
        "SELECT * FROM loot",
        "loot",
        lambda rows, me: rows.items if any(p.id == 1 for p in rows.players) else [],
    ),
    Asked(
        "SELECT * FROM fragile",
        "fragile",
        lambda rows, me: [] if broken(rows) else rows.tags,
    ),
    Asked("SELECT * FROM whisper", "whisper", lambda rows, me: rows.secrets),
    Asked("SELECT * FROM note", "note", notes),
    Asked("SELECT * FROM gift", "gift", gifts),
    Asked("SELECT * FROM knock", "knock", lambda rows, me: []),
    Asked(
        "SELECT * FROM note WHERE player_id = 1",
        "note",
        lambda rows, me: [n for n in notes(rows, me) if n.player_id == 1],
    ),
    Asked(
        "SELECT * FROM note WHERE word <> 'a'",
        "note",
        lambda rows, me: [n for n in notes(rows, me) if n.word != "a"],
    ),
    Asked(
        f"SELECT * FROM note WHERE reader = '{OWNER_ID}' OR word <> 'other'",
        "note",
        notes,
    ),
    Asked(
        f"SELECT * FROM note WHERE reader = '{OWNER_ID}'",
        "note",
        lambda rows, me: [n for n in notes(rows, me) if n.reader == OWNER_ID],
    ),
    Asked(
        "SELECT note.* FROM note JOIN player ON note.player_id = player.id",
        "note",
        lambda rows, me: [n for n in notes(rows, me) for p in rows.players if n.player_id == p.id],
    ),
    Asked(
        "SELECT player.* FROM note JOIN player ON note.player_id = player.id WHERE note.word = 'a'",
        "player",
        lambda rows, me: [
            p
            for p in rows.players
            for n in notes(rows, me)
            if n.player_id == p.id and n.word == "a"
        ],
    ),
    Asked(
        "SELECT note.* FROM note JOIN player ON note.player_id = player.id"
        " WHERE player.owner = :sender",
        "note",
        lambda rows, me: [
            n
            for n in notes(rows, me)
            for p in rows.players
            if n.player_id == p.id and p.owner == me
        ],
    ),
    Asked(
        "SELECT note.* FROM note JOIN gift ON note.player_id = gift.player_id",
        "note",
        lambda rows, me: [
            n for n in notes(rows, me) for g in gifts(rows, me) if n.player_id == g.player_id
        ],
    ),
    Asked(
        "SELECT gift.* FROM note JOIN gift ON note.player_id = gift.player_id",
        "gift",
        lambda rows, me: [
            g for g in gifts(rows, me) for n in notes(rows, me) if n.player_id == g.player_id
        ],
    ),
    Asked(
        "SELECT a.* FROM note a JOIN note b ON a.player_id = b.player_id WHERE a.word < b.word",
        "note",
        lambda rows, me: [
            a
            for a in notes(rows, me)
            for b in notes(rows, me)
            if a.player_id == b.player_id and a.word < b.word
        ],
    ),
]


def expected(rows: Rows, caller: Identity, sets: Iterable[tuple[str, ...]]) -> dict[str, Counter]:
    """What a client holds of query sets: every row, by table, with its reference count."""
    asked = {query.text: query for query in QUERIES}
    found: dict[str, Counter] = {}
    for texts in sets:
        for text in dict.fromkeys(texts):
            query = asked[text]
            bag = found.setdefault(query.table, Counter())
            bag.update(ENCODERS[type(row)](row) for row in query.means(rows, caller))
    return {table: bag for table, bag in found.items() if bag}
