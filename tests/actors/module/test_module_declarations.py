"""Modules: what is collected, under which names, and which contradictions are refused."""

from __future__ import annotations

import importlib.util
import sys
import textwrap
from collections.abc import Callable
from types import ModuleType

import pytest

from actors.errors import DeclarationError
from actors.keys import DATABASE
from actors.module.module import Module
from actors.module.naming import camel, snake
from actors.module.system import SYSTEM_TABLES
from actors.module.tables import declaration_of
from protocol import types as sats
from protocol.schema import Lifecycle

PREAMBLE = """
from __future__ import annotations
from actors import *
from actors import ActorKind, Audience

USER = ActorKind("user", Audience.CALLER, ("user_id",))
ROOM = ActorKind("room", Audience.ATTACHED, ("room_id",))

@struct
class Note:
    text: str
"""


@pytest.fixture
def declare(tmp_path, monkeypatch) -> Callable[..., ModuleType]:
    """Makes a Python module of a text; the names of the public API are there."""
    made: list[str] = []

    def make(text: str) -> ModuleType:
        name = f"declared_{len(made)}"
        path = tmp_path / f"{name}.py"
        path.write_text(PREAMBLE + textwrap.dedent(text))
        spec = importlib.util.spec_from_file_location(name, path)
        module = importlib.util.module_from_spec(spec)
        monkeypatch.setitem(sys.modules, name, module)
        made.append(name)
        spec.loader.exec_module(module)
        return module

    return make


PLAIN = """
@table(public=True, primary_key="id", auto_increment="id", unique=["name"],
       index=["owner", ("owner", "name")])
class QuestRecord:
    id: u32
    name: str
    owner: Identity

@table(name="ping", event=True, public=True)
class PingHappened:
    text: str

@table()
class Secret:
    text: str

@reducer
def add(ctx: ReducerContext, name: str, from_: Identity | None) -> None: ...

@reducer(name="renamed", fixture=True)
def only_in_tests(ctx: ReducerContext, input: Note) -> Note: ...

@procedure
def look(ctx: ViewContext, id: u32) -> list[QuestRecord]: ...

@procedure
async def wander(ctx: ProcedureContext) -> u32: ...

@view(anonymous=True)
def all_quests(ctx: ViewContext) -> list[QuestRecord]: ...

@view(public=False)
def hidden(ctx: ViewContext) -> list[QuestRecord]: ...

@message(DATABASE)
def noted(ctx: ReducerContext, note: Note) -> None: ...

@init
def begin(ctx: ReducerContext) -> None: ...

@client_connected
def arrive(ctx: ReducerContext) -> None: ...

@client_disconnected
def leave(ctx: ReducerContext) -> None: ...
"""


def test_everything_that_is_declared_is_found(declare):
    module = Module("plain", [declare(PLAIN)])
    assert list(module.tables) == ["quest_record", "ping", "secret"]
    assert list(module.reducers) == ["add"]
    assert list(module.procedures) == ["look", "wander"]
    assert list(module.views) == ["all_quests", "hidden"]
    assert list(module.messages) == ["database.note"]
    assert module.lifecycle.keys() == set(Lifecycle)
    assert module.kinds == {"database": DATABASE}
    assert module.reducers["add"].parameters.elements == (
        sats.Field("name", sats.STRING),
        sats.Field("from", sats.OptionType(sats.IDENTITY)),
    )
    assert module.procedures["wander"].is_async
    assert not module.procedures["look"].is_async
    owned = [table.name for table in module.tables_of(DATABASE)]
    assert owned == [*module.tables, *(declaration_of(row).name for row in SYSTEM_TABLES)]


def test_fixtures_exist_where_they_are_enabled(declare):
    source = declare(PLAIN)
    module = Module("plain", [source], fixtures=True)
    assert module.reducers["renamed"].input is source.Note
    assert module.reducers["renamed"].returns == sats.ProductType(
        (sats.Field("text", sats.STRING),)
    )


def test_a_declaration_that_is_imported_twice_is_one(declare):
    source = declare(PLAIN)
    assert list(Module("plain", [source, source]).reducers) == ["add"]


def test_routes_are_found_by_method_and_path(declare):
    text = (
        "async def a(ctx: ProcedureContext, input: Note) -> Note: ...\n"
        "ROUTES = (Route('GET', '/x/{text}', a), Route('PUT', '/x/{text}', a))"
    )
    source = declare(text)
    # Another module may import the tuple: these are the same routes.
    module = Module("routed", [source, source])
    assert list(module.routes.values()) == list(source.ROUTES)


def test_the_schema_tells_clients_what_they_may_know(declare):
    schema = Module("plain", [declare(PLAIN)]).schema
    quest, ping, secret = schema.tables
    assert (quest.name, quest.primary_key, quest.is_public) == ("quest_record", 0, True)
    assert quest.unique == (("id",), ("name",))
    columns = [index.columns for index in quest.indexes]
    assert columns == [("id",), ("name",), ("owner",), ("owner", "name")]
    assert quest.sequences == ("id",)
    assert ping.is_event
    assert not secret.is_public
    assert [view.name for view in schema.views] == ["all_quests"]
    names = [function.name for function in schema.reducers]
    assert names == ["add", "begin", "arrive", "leave"]


def test_an_enveloped_module_has_a_procedure_for_every_answer(declare):
    schema = Module("plain", [declare(PLAIN)], enveloped=True, fixtures=True).schema
    procedures = {function.name: function.returns for function in schema.procedures}
    assert procedures.keys() == {"renamed_and_return", "look", "wander"}
    fields = {field.name: field.type for field in procedures["renamed_and_return"].elements}
    assert list(fields) == ["ok", "value", "error_code", "error_message", "error_details_json"]
    assert isinstance(fields["value"], sats.OptionType)


NOTE_TABLE = """
@table()
class Thing:
    id: u32
"""

CONTRADICTIONS = {
    "a table and a reducer of one name": (
        NOTE_TABLE + "@reducer\ndef thing(ctx: ReducerContext) -> None: ...",
        "two declarations are named thing",
    ),
    "a reducer and a procedure of one name": (
        (
            "@reducer\ndef a(ctx: ReducerContext) -> None: ...\n"
            "@procedure(name='a')\ndef b(ctx: ViewContext) -> u32: ..."
        ),
        "two declarations are named a",
    ),
    "a hook and a reducer of one name": (
        (
            "@init\ndef a(ctx: ReducerContext) -> None: ...\n"
            "@reducer(name='a')\ndef b(ctx: ReducerContext) -> None: ..."
        ),
        "two declarations are named a",
    ),
    "two hooks for one moment": (
        (
            "@init\ndef a(ctx: ReducerContext) -> None: ...\n"
            "@init\ndef b(ctx: ReducerContext) -> None: ..."
        ),
        "two reducers for",
    ),
    "two handlers of one message": (
        (
            "@message(USER)\ndef a(ctx: ReducerContext, note: Note) -> None: ...\n"
            "@message(USER)\ndef b(ctx: ReducerContext, note: Note) -> None: ..."
        ),
        "two handlers for message user.note",
    ),
    "a handler of no struct": (
        "@message(USER)\ndef a(ctx: ReducerContext, note: str) -> None: ...",
        "must take a context and a struct",
    ),
    "a table of the host": (
        "@table()\nclass OutboxMessage:\n    id: u32",
        "outbox_message is a table of the host",
    ),
    "a column that is not there": (
        "@table(primary_key='key')\nclass Thing:\n    id: u32",
        "table thing has no column key",
    ),
    "a reducer that waits": (
        "@reducer\nasync def a(ctx: ReducerContext) -> None: ...",
        "must not wait",
    ),
    "a kind that is the host's": (
        "@reducer(actor=ActorKind('effect'))\ndef a(ctx: ReducerContext) -> None: ...",
        "may be named effect",
    ),
    "two kinds of one name": (
        NOTE_TABLE.replace("()", "(actor=USER)")
        + "@reducer(actor=ActorKind('user'))\ndef a(ctx: ReducerContext) -> None: ...",
        "two kinds of actors are named user",
    ),
    "two kinds of callers' actors": (
        (
            "@reducer(actor=USER)\ndef a(ctx: ReducerContext) -> None: ...\n"
            "@reducer(actor=ActorKind('owner', Audience.CALLER))\n"
            "def b(ctx: ReducerContext) -> None: ..."
        ),
        "a caller has one actor",
    ),
    "a role for what everybody reads": (
        "@table(readers_role='moderator')\nclass Thing:\n    id: u32",
        "for everybody already",
    ),
    "two routes of one address": (
        (
            "async def a(ctx: ProcedureContext, input: Note) -> Note: ...\n"
            "ROUTES = (Route('GET', '/x/{text}/y', a), Route('GET', '/x/{other}/y', a))"
        ),
        "two routes are GET",
    ),
    "connections that begin and end elsewhere": (
        (
            "@client_connected(actor=USER)\ndef a(ctx: ReducerContext) -> None: ...\n"
            "@client_disconnected\ndef b(ctx: ReducerContext) -> None: ..."
        ),
        "in actors of different kinds",
    ),
}


@pytest.mark.parametrize("text", CONTRADICTIONS)
def test_a_contradiction_is_refused(declare, text):
    source, complaint = CONTRADICTIONS[text]
    with pytest.raises(DeclarationError, match=complaint):
        Module("bad", [declare(source)])


LATE = {
    "an argument without annotation": (
        "@reducer\ndef a(ctx: ReducerContext, name) -> None: ...",
        "argument name has no annotation",
    ),
    "an argument without a type on the wire": (
        "@reducer\ndef a(ctx: ReducerContext, n: int) -> None: ...",
        "has no algebraic type",
    ),
    "a view of no rows": (
        "@view()\ndef a(ctx: ViewContext) -> u32: ...",
        "must return a list of structs",
    ),
    "a name that is no identifier": (
        "@table(name='two words')\nclass Thing:\n    id: u32",
        "not an identifier",
    ),
    "a reserved name": (
        "@table(name='select')\nclass Thing:\n    id: u32",
        "reserved word",
    ),
    "a number that counts itself": (
        "@table(auto_increment='name')\nclass Thing:\n    name: str",
        "not an integer",
    ),
}


@pytest.mark.parametrize("text", LATE)
def test_what_no_client_could_use_is_refused_with_the_schema(declare, text):
    source, complaint = LATE[text]
    module = Module("bad", [declare(source)])
    with pytest.raises(DeclarationError, match=complaint):
        assert module.schema


def test_modules_are_loaded_by_name():
    module = Module.load("examples.chat")
    assert module.name == "chat"
    assert "send_message" in module.reducers
    with pytest.raises(DeclarationError, match="there is no module"):
        Module.load("examples.nothing_here")
    with pytest.raises(DeclarationError, match="declares nothing"):
        Module.load("protocol.limits")


def test_what_is_hosted_beside_a_module_is_in_no_schema():
    alone = Module.load("examples.chat")
    module = Module.load("examples.chat", beside=["actors.operations"])
    assert module.schema == alone.schema
    assert {"operations_audit", "operations_put_ban"} <= module.internal
    assert "operations_put_ban" in module.reducers
    assert "operations" in module.kinds
    readable = {table.name for table in module.readable.tables}
    assert "operations_announcement" in readable
    assert readable.isdisjoint({"operations_audit", "operations_ban", "operations_pending"})
    assert module.readable.reducers == alone.schema.reducers
    with pytest.raises(DeclarationError, match="declares nothing"):
        Module.load("protocol.limits", beside=["actors.operations"])


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("QuestRecord", "quest_record"),
        ("NPCState", "npc_state"),
        ("Item", "item"),
        ("Stage2Record", "stage2_record"),
        ("already_snake", "already_snake"),
    ],
)
def test_names_in_snake_case(name, expected):
    assert snake(name) == expected


@pytest.mark.parametrize(
    ("name", "expected"), [("drop_table", "dropTable"), ("id", "id"), ("a_1_b", "a1B")]
)
def test_names_in_camel_case(name, expected):
    assert camel(name) == expected
