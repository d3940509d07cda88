"""Story state: what an archive keeps of a session, as canonical JSON (domain 2.6).

The state knows the session's rows and nothing else: no seeds, no battles, no choices, which are
made anew. It does not know the session's id either: ids that begin with it are written with
``@`` in its place, and get the id of whatever session the state is read for.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, Final, NamedTuple, cast

from actors.domains.gameplay.npc import NpcState
from actors.domains.gameplay.quest import QuestLog, QuestRecord
from actors.domains.gameplay.story import StoryMark, StoryParticipant, StorySession
from actors.domains.gameplay.story_language import StoryLocale
from actors.domains.gameplay.treasure import TreasureRecord
from actors.domains.rules.canonical_json import write_json
from actors.domains.rules.struct_json import struct_from_json, struct_to_json
from actors.module.tables import declaration_of
from actors.module.types import replace

__all__ = ["ARCHIVED_ROWS", "StoryState", "read_state", "write_state"]

ARCHIVED_ROWS: Final = (NpcState, QuestLog, QuestRecord, StoryLocale, StoryMark, TreasureRecord)
"""The tables whose rows are kept as they are, beside the session and its host."""

_VERSION: Final = 1
_TABLES: Final[dict[str, type]] = {declaration_of(row).name: row for row in ARCHIVED_ROWS}


class StoryState(NamedTuple):
    """A session, its host, and the rows of the archived tables."""

    session: StorySession
    host: StoryParticipant
    rows: list[object]


def write_state(state: StoryState) -> str:
    """The canonical JSON of a state; equal states give equal texts, in whatever order rows come."""
    session_id = state.session.story_session_id

    def write(row: object) -> dict[str, object]:
        return struct_to_json(_moved(row, session_id, "@"))

    tables: dict[str, list[dict[str, object]]] = {name: [] for name in _TABLES}
    for row in sorted(state.rows, key=_key):
        tables[declaration_of(type(row)).name].append(write(row))
    document = {
        "schemaVersion": _VERSION,
        "session": write(state.session),
        "host": write(state.host),
        "tables": tables,
    }
    return write_json(document)


def read_state(text: str, story_session_id: str) -> StoryState:
    """The state that a JSON text spells, for a session of this id.

    Raises:
        ValueError: it is no state that this version of the game has written.
    """

    def read(row: type, value: object) -> Any:
        return _moved(struct_from_json(row, value), "@", story_session_id)

    document = json.loads(text)
    try:
        version, tables = document["schemaVersion"], document["tables"]
        if version == _VERSION and tables.keys() == _TABLES.keys():
            return StoryState(
                read(StorySession, document["session"]),
                read(StoryParticipant, document["host"]),
                [read(row, value) for name, row in _TABLES.items() for value in tables[name]],
            )
    except (AttributeError, KeyError, TypeError) as error:
        raise ValueError("no state of a story") from error
    raise ValueError("a state of another version")


def _key(row: object) -> str:
    column = declaration_of(type(row)).primary_key
    assert column is not None
    return cast("str", getattr(row, column))


def _moved(row: object, old: str, new: str) -> Any:
    """The row with another session's id in each id that begins with the old one."""
    fields: Iterable[tuple[str, object]] = cast("Any", row)._asdict().items()
    ids = {
        name: new + value.removeprefix(old)
        for name, value in fields
        if name.endswith("_id") and isinstance(value, str) and value.startswith(old)
    }
    return replace(cast("Any", row), **ids)
