"""A module whose one reducer does whatever it is told, with something of every kind to query."""

from __future__ import annotations

from actors import (
    Identity,
    ReducerContext,
    ReducerError,
    ViewContext,
    i32,
    reducer,
    struct,
    table,
    u8,
    u32,
    view,
)


@table(public=True, primary_key="id", index=["team", "owner"])
class Player:
    id: u32
    owner: Identity
    team: str
    hp: i32
    alive: bool


@table(public=True, primary_key="id", index=["player_id"])
class Item:
    id: u32
    player_id: u32
    kind: str


@table(public=True, index=["player_id"])
class Tag:
    player_id: u32
    word: str


@table(public=True, event=True, index=["player_id"])
class Shout:
    player_id: u32
    word: str


@table(primary_key="id")
class Secret:
    id: u32
    word: str


def reader(row: Note | Gift | Knock) -> str | None:
    """Whom a row is for; without a name it is for everybody."""
    return row.reader or None


@table(
    public=True,
    primary_key="id",
    index=["player_id"],
    readers=reader,
    readers_role="moderator",
)
class Note:
    id: u32
    player_id: u32
    reader: str
    word: str


@table(public=True, index=["player_id"], readers=reader)
class Gift:
    player_id: u32
    reader: str


@table(public=True, event=True, readers=reader, readers_role="moderator")
class Knock:
    reader: str


@struct
class Team:
    name: str
    mood: u8


@struct
class DropPlayer:
    id: u32


@struct
class DropItem:
    id: u32


@struct
class DropTag:
    player_id: u32
    word: str


@struct
class DropNote:
    id: u32


@struct
class DropGift:
    player_id: u32
    reader: str


@struct
class Hide:
    word: str


@struct
class Refuse:
    word: str


Change = (
    Player
    | DropPlayer
    | Item
    | DropItem
    | Tag
    | DropTag
    | Note
    | DropNote
    | Gift
    | DropGift
    | Shout
    | Knock
    | Hide
    | Refuse
)

KEPT = (Player, Item, Note)
ADDED = (Tag, Gift, Shout, Knock)
DROPPED = {DropPlayer: Player, DropItem: Item, DropNote: Note}
TAKEN = {DropTag: Tag, DropGift: Gift}


@reducer
def play(ctx: ReducerContext, changes: list[Change]) -> None:
    for change in changes:
        _apply(ctx, change)


def _apply(ctx: ReducerContext, change: Change) -> None:
    db = ctx.db
    kind = type(change)
    if isinstance(change, KEPT):
        db[kind].upsert(change)
    elif isinstance(change, ADDED):
        db[kind].insert(change)
    elif kind in DROPPED:
        db[DROPPED[kind]].delete(change.id)
    elif kind in TAKEN:
        db[TAKEN[kind]].delete_row(TAKEN[kind](*change))
    elif isinstance(change, Hide):
        db[Secret].upsert(Secret(1, change.word))
    else:
        raise ReducerError("arena.refused", change.word)


@view()
def my_players(ctx: ViewContext) -> list[Player]:
    return ctx.db[Player].filter(owner=ctx.sender)


@view(anonymous=True)
def teams(ctx: ViewContext) -> list[Team]:
    """A row for each living player: the same row as often as its team has such."""
    assert ctx.sender == 0
    return [Team(player.team, int(ctx.db[Player].find(1) is None)) for player in ctx.db[Player]]


@view(anonymous=True)
def loot(ctx: ViewContext) -> list[Item]:
    """Looks at the items only as long as there is a first player."""
    return list(ctx.db[Item]) if ctx.db[Player].find(1) is not None else []


@view()
def fragile(ctx: ViewContext) -> list[Tag]:
    """Breaks as long as there is a tag of the word ``break``; it has no rows then."""
    tags = list(ctx.db[Tag])
    if any(tag.word == "break" for tag in tags):
        raise RuntimeError("broken on purpose")
    return tags


@view()
def whisper(ctx: ViewContext) -> list[Secret]:
    return list(ctx.db[Secret])
