from __future__ import annotations

import json

import pytest

from actors.module import Module
from loadtest.errors import WireError
from loadtest.schema_reader import read_schema
from protocol.bsatn import compile_codec
from protocol.schema_json import to_v10_json


@pytest.mark.parametrize("module", ["actors.domains.entry", "examples.bank", "examples.chat"])
def test_what_a_server_publishes_is_read_back(module) -> None:
    schema = Module.load(module, fixtures=True).schema
    found = read_schema(json.loads(json.dumps(to_v10_json(schema))))
    assert [table.name for table in found.tables] == [table.name for table in schema.tables]
    for ours, theirs in zip(found.tables, schema.tables, strict=True):
        assert ours.row_type == theirs.row_type
        assert (ours.primary_key, ours.is_public) == (theirs.primary_key, theirs.is_public)
    for ours, theirs in zip(found.views, schema.views, strict=True):
        assert (ours.name, ours.row_type) == (theirs.name, theirs.row_type)
    for kind in ("reducers", "procedures"):
        for ours, theirs in zip(getattr(found, kind), getattr(schema, kind), strict=True):
            assert (ours.name, ours.params) == (theirs.name, theirs.params)
            assert kind == "reducers" or ours.returns == theirs.returns


def test_rows_have_names_and_enumerations_have_members() -> None:
    schema = Module.load("actors.domains.entry").schema
    found = read_schema(json.loads(json.dumps(to_v10_json(schema))))
    battle = next(table for table in found.tables if table.name == "battle_event")
    codec = compile_codec(battle.row_type)
    row = codec.decode_all(codec.encode(("e", "b", 1, 2, 3, 4, 5, 6, "key", 7)))
    assert (row.seq, row.kind.name, row.detail_key) == (1, "Crit", "key")


def test_something_else_is_no_schema() -> None:
    broken = '{"sections": [{"Typespace": {"types": []}}, {"Types": [{"ty": 0}]}]}'
    for text in ("[]", "{}", broken):
        with pytest.raises(WireError):
            read_schema(json.loads(text))
