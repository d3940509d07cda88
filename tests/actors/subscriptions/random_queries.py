"""Queries of every form that SQLite understands as well, over the arena: a pool to draw from.

Made once from fixed seeds and not by Hypothesis, which would draw few and simple ones: so every
example can ask dozens of them at once.
"""

from __future__ import annotations

from random import Random

PLAYER = {"id": "key", "owner": "who", "team": "team", "hp": "number", "alive": "flag"}
ITEM = {"id": "key", "player_id": "key", "kind": "word"}
COLUMNS = {
    "player": PLAYER,
    "my_players": PLAYER,
    "item": ITEM,
    "loot": ITEM,
    "tag": {"player_id": "key", "word": "word"},
    "note": {"id": "key", "player_id": "key", "word": "word"},
    "gift": {"player_id": "key", "reader": "word"},
    "teams": {"name": "team", "mood": "mood"},
}
JOINED = {
    "player": ("id", "team"),
    "my_players": ("id", "team"),
    "item": ("player_id", "id"),
    "loot": ("player_id",),
    "tag": ("player_id",),
    "note": ("player_id",),
    "gift": ("player_id",),
    "teams": ("name",),
}
PAIRS = [
    (first, one, second, other)
    for first, ones in JOINED.items()
    for one in ones
    for second, others in JOINED.items()
    for other in others
    if COLUMNS[first][one] == COLUMNS[second][other]
]
LITERALS = {
    "key": ("1", "2", "3", "4"),
    "number": ("-1", "0", "1", "2", "3"),
    "mood": ("0", "1"),
    "team": ("'red'", "'blue'"),
    "word": ("''", "'a'", "'b'", "'bow'", "'axe'"),
    "flag": ("TRUE", "FALSE"),
}
OPERATORS = ("=", "=", "=", "<>", "<", "<=", ">", ">=")


def comparison(rng: Random, columns: dict[str, str]) -> str:
    """A column with a literal, ``:sender``, a column of its type, or one of several literals."""
    column = rng.choice(sorted(columns))
    kind = columns[column]
    if kind == "who":
        return f"{column} {rng.choice(('=', '<>'))} :sender"
    literals, operator = LITERALS[kind], rng.choice(OPERATORS)
    form = rng.choice(("plain", "plain", "turned", "column", "one of", "between"))
    if form == "one of":
        values = rng.sample(literals, 2)
        return f"({column} = {values[0]} OR {column} = {values[1]})"
    if form == "between":
        low, high = rng.choice(literals), rng.choice(literals)
        return f"({column} >= {low} AND {column} <= {high})"
    if form == "column":
        same = sorted(name for name, other in columns.items() if other == kind)
        return f"{column} {operator} {rng.choice(same)}"
    literal = rng.choice(literals)
    return (
        f"{literal} {operator} {column}" if form == "turned" else f"{column} {operator} {literal}"
    )


def condition(rng: Random, columns: dict[str, str], depth: int = 2) -> str:
    """A condition over columns, nested."""
    form = rng.choice(("one", "one", "AND", "OR", "NOT")) if depth else "one"
    if form == "one":
        return comparison(rng, columns)
    if form == "NOT":
        return f"NOT ({condition(rng, columns, depth - 1)})"
    terms = [condition(rng, columns, depth - 1) for _ in range(2)]
    return f"({f' {form} '.join(terms)})"


def selection(rng: Random) -> str:
    """A query of one table."""
    table = rng.choice(sorted(COLUMNS))
    where = rng.random() < 0.7
    return f"SELECT * FROM {table}" + (f" WHERE {condition(rng, COLUMNS[table])}" if where else "")


def window(rng: Random) -> str:
    """The first rows of one table, most often with equals among them."""
    text = selection(rng)
    columns = COLUMNS[text.split()[3]]
    names = sorted(name for name in columns if name != "id" or rng.random() < 0.2)
    order = rng.sample(names, rng.randint(1, min(2, len(names))))
    if "id" not in columns:
        order = list(dict.fromkeys((*order, *columns)))  # rows' bytes have another order
    terms = ", ".join(column + rng.choice(("", " ASC", " DESC")) for column in order)
    return f"{text} ORDER BY {terms} LIMIT {rng.choice((0, 1, 1, 2, 2, 3, 5))}"


def join(rng: Random) -> str:
    """A semijoin, of a table with itself too, in either order."""
    first, one, second, other = rng.choice(PAIRS)
    on = [f"a.{one}", f"b.{other}"]
    rng.shuffle(on)
    text = f"SELECT {rng.choice('ab')}.* FROM {first} a JOIN {second} b ON {on[0]} = {on[1]}"
    ours = {f"a.{name}": kind for name, kind in COLUMNS[first].items()}
    theirs = {f"b.{name}": kind for name, kind in COLUMNS[second].items()}
    form = rng.choice(("all", "one", "each", "each", "any"))
    if form == "one":
        return f"{text} WHERE {comparison(rng, rng.choice((ours, theirs)))}"
    if form == "each":
        return f"{text} WHERE {comparison(rng, ours)} AND {comparison(rng, theirs)}"
    return text if form == "all" else f"{text} WHERE {condition(rng, ours | theirs)}"


POOL = list(
    dict.fromkeys(make(Random(seed)) for make in (selection, window, join) for seed in range(250))
)
