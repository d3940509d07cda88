from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.rng import DOMAIN_LABEL, IDENTIFIER_LABEL, SplitMix64, ctx_seed, new_id

seeds = st.integers(0, 2**64 - 1)


@pytest.mark.parametrize(
    ("seed", "draws"),
    [
        (0, (0xE220A8397B1DCDAF, 0x6E789E6AA1B965F4, 0x06C45D188009454F)),
        (42, (0xBDD732262FEB6E95, 0x28EFE333B266F103, 0x47526757130F9F52)),
    ],
)
def test_stream_vectors(seed, draws):
    rng = SplitMix64(seed)
    assert tuple(rng.next_u64() for _ in draws) == draws


def test_permille_vector():
    rng = SplitMix64(42)
    assert [rng.permille() for _ in range(6)] == [741, 159, 278, 344, 38, 868]


def test_context_seed_vector():
    seed = ctx_seed(bytes(32), "user/u_test", 1)
    assert seed == 0x842ADFF754CDCE7F
    assert SplitMix64(seed).next_u64() == 0x4CC1E97FCDC7294E


def test_context_seeds_differ_by_every_argument():
    arguments = [
        (bytes(32), "user/u_test", 1, DOMAIN_LABEL),
        (bytes(32), "user/u_test", 1, IDENTIFIER_LABEL),
        (bytes(32), "user/u_test", 2, DOMAIN_LABEL),
        (bytes(32), "user/u_tesu", 1, DOMAIN_LABEL),
        (b"\1" * 32, "user/u_test", 1, DOMAIN_LABEL),
    ]
    assert len({ctx_seed(*each) for each in arguments}) == len(arguments)


@given(seeds, st.integers(1, 2**32))
def test_below_stays_below(seed, bound):
    assert 0 <= SplitMix64(seed).below(bound) < bound


@given(seeds, st.integers(0, 20))
def test_a_stream_goes_on_from_its_stored_state(seed, taken):
    rng = SplitMix64(seed)
    for _ in range(taken):
        rng.next_u64()
    stored = SplitMix64(rng.state)
    assert [rng.next_u64() for _ in range(3)] == [stored.next_u64() for _ in range(3)]


@given(seeds, st.lists(st.integers()))
def test_shuffle_permutes_with_one_draw_less_than_elements(seed, items):
    shuffled, rng, twin = list(items), SplitMix64(seed), SplitMix64(seed)
    rng.shuffle(shuffled)
    for _ in range(len(items) - 1):
        twin.next_u64()
    assert Counter(shuffled) == Counter(items)
    assert rng.state == twin.state


def test_shuffle_swaps_from_the_end_down():
    items, rng = list("abcd"), SplitMix64(42)
    rng.shuffle(items)
    # below(4), below(3), below(2) of 741, 159, 278 permille: 2, 0, 0.
    assert items == list("bdac")


@given(seeds, st.lists(st.integers(0, 1000), min_size=1).filter(any))
def test_weighted_never_chooses_a_weight_of_nothing(seed, weights):
    assert weights[SplitMix64(seed).weighted(weights)] > 0


def test_weighted_takes_the_first_running_sum_beyond_the_draw():
    assert SplitMix64(42).weighted([741, 1, 258]) == 1
    assert SplitMix64(42).weighted([742, 258]) == 0
    assert SplitMix64(42).pick("abcd") == "c"


ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"


@given(st.integers(0, 2**48 - 1), st.integers(0, 2**64 - 1))
def test_a_new_id_spells_its_128_bits(millis, seed):
    made = new_id("rs_", millis * 1000 + 999, SplitMix64(seed))
    twin = SplitMix64(seed)
    bits = millis << 80 | (twin.next_u64() & 0xFFFF) << 64 | twin.next_u64()
    number = 0
    for char in made.removeprefix("rs_"):
        number = number * 32 + ALPHABET.index(char)
    assert len(made) == 29
    assert number == bits


@given(st.integers(0, 2**48 - 2), st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1))
def test_ids_of_later_milliseconds_sort_later(millis, seed, other):
    assert new_id("bt_", millis * 1000, SplitMix64(seed)) < new_id(
        "bt_", (millis + 1) * 1000, SplitMix64(other)
    )
