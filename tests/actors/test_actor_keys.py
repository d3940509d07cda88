"""Keys of actors: who owns what, by name (domain 1.2, 1.8)."""

from __future__ import annotations

import hashlib

from hypothesis import given
from hypothesis import strategies as st

from actors.keys import DATABASE, ActorKind, Audience, user_id_of
from protocol.identity import identity_from_claims

CATALOG = ActorKind("catalog", Audience.EVERYONE, ("profile_id",), shards=5)


def test_a_key_is_kind_and_name():
    assert ActorKind("user", Audience.CALLER).key("u_1") == "user/u_1"
    assert DATABASE.shard_keys() == ("database/0",)
    assert CATALOG.shard_keys() == tuple(f"catalog/{shard}" for shard in range(5))


@given(st.text(max_size=40))
def test_a_shard_is_the_first_four_bytes_of_the_hash(routing_key):
    digest = hashlib.sha256(routing_key.encode()).hexdigest()
    assert CATALOG.shard_key(routing_key) == f"catalog/{int(digest[:8], 16) % 5}"
    assert CATALOG.shard_key(routing_key) in CATALOG.shard_keys()


@given(st.text(max_size=20), st.text(min_size=1, max_size=20))
def test_a_user_id_is_the_hash_part_of_the_identity(issuer, subject):
    identity = identity_from_claims(issuer, subject)
    user_id = user_id_of(identity)
    # The identity is c2 00, four bytes of checksum, then the hash.
    assert user_id == "u_" + int(identity).to_bytes(32, "big")[6:22].hex()
