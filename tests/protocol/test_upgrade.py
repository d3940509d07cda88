from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.errors import DecodeError
from protocol.upgrade import (
    Compression,
    Subprotocol,
    choose_subprotocol,
    parse_upgrade_query,
)
from protocol.values import ConnectionId

V3 = Subprotocol.V3_BSATN
V1 = Subprotocol.V1_BSATN


@pytest.mark.parametrize(
    ("offered", "chosen"),
    [
        (["v3.bsatn.spacetimedb, v2.bsatn.spacetimedb"], V3),
        (["v2.bsatn.spacetimedb", "v3.bsatn.spacetimedb"], V3),
        (["v2.bsatn.spacetimedb"], Subprotocol.V2_BSATN),
        (["V3.BSATN.SPACETIMEDB"], None),
        (["chat"], None),
        ([], None),
    ],
)
def test_the_server_prefers_its_own_order(offered, chosen):
    assert choose_subprotocol(offered) is chosen


def test_only_what_is_supported_is_chosen():
    assert (
        choose_subprotocol(["v1.json.spacetimedb, v1.bsatn.spacetimedb"], tuple(Subprotocol)) is V1
    )


def test_defaults():
    options = parse_upgrade_query("", V3)
    assert options == (Compression.BROTLI, False, True, None, None)
    assert not parse_upgrade_query("", V1).confirmed


def test_all_parameters():
    query = (
        "token=a%2Bb&compression=Gzip&light=true&confirmed=false&other=1"
        "&connection_id=00112233445566778899aabbccddeeff"
    )
    assert parse_upgrade_query(query, V3) == (
        Compression.GZIP,
        True,
        False,
        "a+b",
        ConnectionId(0x00112233445566778899AABBCCDDEEFF),
    )


def test_an_empty_token_counts_as_none():
    assert parse_upgrade_query("token=", V3).token is None


@pytest.mark.parametrize(
    "query",
    [
        "compression=gzip",
        "compression=",
        "light=True",
        "confirmed=1",
        "confirmed=true&confirmed=true",
        "connection_id=" + "0" * 32,
        "connection_id=1",
        "connection_id=0x112233445566778899aabbccddeeff",
        "connection_id=" + "_1" * 16,
    ],
)
def test_bad_values_are_refused(query):
    with pytest.raises(DecodeError):
        parse_upgrade_query(query, V3)


@given(st.text(max_size=60))
def test_random_queries_raise_decode_errors_only(query):
    try:
        options = parse_upgrade_query(query, V3)
    except DecodeError:
        return
    assert options.connection_id != 0
