"""Chance and ids inside turns: the vectors of domain 1.3, and the laws behind them."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from actors.rng import DOMAIN_LABEL, IDENTIFIER_LABEL, SplitMix64, ctx_seed, new_id

CROCKFORD = "0123456789abcdefghjkmnpqrstvwxyz"
SEEDS = st.integers(0, (1 << 64) - 1)


def test_the_draws_of_two_seeds():
    zero, other = SplitMix64(0), SplitMix64(42)
    assert [zero.next_u64() for _ in range(3)] == [
        0xE220A8397B1DCDAF,
        0x6E789E6AA1B965F4,
        0x06C45D188009454F,
    ]
    assert [other.next_u64() for _ in range(3)] == [
        0xBDD732262FEB6E95,
        0x28EFE333B266F103,
        0x47526757130F9F52,
    ]


def test_six_permille_of_seed_42():
    stream = SplitMix64(42)
    assert [stream.permille() for _ in range(6)] == [741, 159, 278, 344, 38, 868]


def test_the_seed_of_a_message():
    seed = ctx_seed(bytes(32), "user/u_test", 1)
    assert seed == 0x842ADFF754CDCE7F
    assert SplitMix64(seed).next_u64() == 0x4CC1E97FCDC7294E


def test_every_part_of_the_seed_counts():
    seeds = {
        ctx_seed(bytes(32), "user/u_test", 1, DOMAIN_LABEL),
        ctx_seed(bytes(32), "user/u_test", 1, IDENTIFIER_LABEL),
        ctx_seed(bytes(32), "user/u_test", 2),
        ctx_seed(bytes(32), "user/u_tes", 1),
        ctx_seed(bytes(31) + b"\1", "user/u_test", 1),
    }
    assert len(seeds) == 5


@given(SEEDS, st.integers(1, 1 << 32))
def test_below_is_the_upper_half_scaled(seed, bound):
    draw = SplitMix64(seed).next_u64()
    assert SplitMix64(seed).below(bound) == (draw >> 32) * bound >> 32 < bound


@given(SEEDS, st.lists(st.integers(0, 5), max_size=12))
def test_a_shuffle_keeps_the_items_and_takes_one_draw_for_each_but_the_first(seed, items):
    stream, counted = SplitMix64(seed), SplitMix64(seed)
    shuffled = list(items)
    stream.shuffle(shuffled)
    assert Counter(shuffled) == Counter(items)
    for _ in items[1:]:
        counted.next_u64()
    assert stream.state == counted.state


@given(SEEDS, st.lists(st.integers(0, 9), min_size=1, max_size=6).filter(any))
def test_a_weighted_draw_is_the_first_running_sum_above_it(seed, weights):
    draw = SplitMix64(seed).below(sum(weights))
    index = SplitMix64(seed).weighted(weights)
    assert sum(weights[:index]) <= draw < sum(weights[: index + 1])


@given(SEEDS, st.lists(st.text(max_size=1), min_size=1, max_size=6))
def test_a_pick_is_one_draw(seed, items):
    assert SplitMix64(seed).pick(items) == items[SplitMix64(seed).below(len(items))]


@given(SEEDS, st.integers(0, 1 << 50))
def test_an_id_is_time_then_two_draws(seed, micros):
    text = new_id("rs_", micros, SplitMix64(seed))
    assert text.startswith("rs_")
    assert len(text) == 3 + 26
    number = 0
    for character in text[3:]:
        number = number * 32 + CROCKFORD.index(character)
    draws = SplitMix64(seed)
    assert number >> 80 == micros // 1000 % (1 << 48)
    assert number >> 64 & 0xFFFF == draws.next_u64() & 0xFFFF
    assert number & 0xFFFF_FFFF_FFFF_FFFF == draws.next_u64()


@given(SEEDS, SEEDS, st.integers(0, 1 << 40), st.integers(1, 1 << 40))
def test_ids_sort_by_the_millisecond(first, second, millis, later):
    early = new_id("rs_", millis * 1000, SplitMix64(first))
    late = new_id("rs_", (millis + later) * 1000, SplitMix64(second))
    assert early < late
