import hashlib

from actors.domains.domain_types import WorldKind
from actors.domains.rules.ids import (
    chapter_id,
    content_hash,
    derived_id,
    local_id,
    owner_of,
    seed_of_text,
    world_key,
)


def test_derived_ids_join_their_parts():
    assert derived_id("u_1", "cwp_fixture_vale:c1") == "u_1:cwp_fixture_vale:c1"
    assert derived_id("rs_1", "u_1", "backpack", 3) == "rs_1:u_1:backpack:3"
    assert chapter_id("cwp_fixture_vale", 1) == "cwp_fixture_vale:c1"
    assert world_key(WorldKind.CUSTOM_WORLD, "cwp_1") == "custom_world:cwp_1"


def test_local_ids_lead_back_to_their_session():
    assert local_id("ss_1", "q", "clear_mill") == "ss_1.q.clear_mill"
    assert owner_of("ss_1.q.clear_mill") == "ss_1"
    assert owner_of("ss_1.bt_2:4") == "ss_1"
    assert owner_of("ss_1") == "ss_1"


def test_hash_and_seed_of_content():
    digest = hashlib.sha256(b"vale")
    assert content_hash(b"vale") == digest.hexdigest()
    assert seed_of_text("vale") == int.from_bytes(digest.digest()[:8], "little")
