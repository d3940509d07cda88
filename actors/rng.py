"""SplitMix64: the only source of chance inside actors, and of new ids (domain 1.3).

A stream is 64 bits of state. Whoever owns a long-lived stream stores ``state`` in a private table
and goes on from it later; equal states give equal draws on every machine.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import Final, TypeVar

__all__ = ["DOMAIN_LABEL", "IDENTIFIER_LABEL", "SplitMix64", "ctx_seed", "new_id"]

DOMAIN_LABEL: Final = b"genarrative-rng-v1\0"
"""Seeds the stream that rules draw from."""

IDENTIFIER_LABEL: Final = b"genarrative-id-v1\0"
"""Seeds the stream that new ids come from, so that an id never shifts a roll."""

_CROCKFORD: Final = "0123456789abcdefghjkmnpqrstvwxyz"
_ID_CHARACTERS: Final = 26
_MASK: Final = 0xFFFF_FFFF_FFFF_FFFF

T = TypeVar("T")


class SplitMix64:
    """A stream of 64-bit draws, fully described by ``state``."""

    __slots__ = ("state",)

    def __init__(self, state: int) -> None:
        self.state = state & _MASK

    def next_u64(self) -> int:
        """The next draw, 0..2^64-1."""
        self.state = state = (self.state + 0x9E3779B97F4A7C15) & _MASK
        mixed = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        mixed = ((mixed ^ (mixed >> 27)) * 0x94D049BB133111EB) & _MASK
        return mixed ^ (mixed >> 31)

    def below(self, bound: int) -> int:
        """One draw as a number in 0..bound-1, for 1 <= bound <= 2^32."""
        assert 1 <= bound <= 1 << 32
        return ((self.next_u64() >> 32) * bound) >> 32

    def permille(self) -> int:
        """One draw as a number in 0..999."""
        return ((self.next_u64() >> 32) * 1000) >> 32

    def shuffle(self, items: list[T]) -> None:
        """Shuffle in place with one draw per element but the first, from the end down."""
        for index in range(len(items) - 1, 0, -1):
            other = self.below(index + 1)
            items[index], items[other] = items[other], items[index]

    def pick(self, items: Sequence[T]) -> T:
        """One element of a non-empty sequence, one draw."""
        return items[self.below(len(items))]

    def weighted(self, weights: Sequence[int]) -> int:
        """The index of one weight, each as likely as its share of the sum; one draw."""
        draw = self.below(sum(weights))
        running = 0
        for index, weight in enumerate(weights):
            running += weight
            if running > draw:
                return index
        raise AssertionError("a draw is always below the sum of the weights")


def new_id(prefix: str, micros: int, stream: SplitMix64) -> str:
    """A new id: the prefix (with its underscore) and 26 characters; ids sort by time.

    Args:
        prefix: what the id names, e.g. ``rs_``.
        micros: the time of the message that makes the id, since the Unix epoch.
        stream: the message's id stream; two draws are taken.
    """
    number = ((micros // 1000) & 0xFFFF_FFFF_FFFF) << 80
    number |= (stream.next_u64() & 0xFFFF) << 64
    number |= stream.next_u64()
    places = range(_ID_CHARACTERS - 1, -1, -1)
    return prefix + "".join(_CROCKFORD[(number >> (5 * place)) & 31] for place in places)


def ctx_seed(cluster_secret: bytes, actor_key: str, seq: int, label: bytes = DOMAIN_LABEL) -> int:
    """The seed of one message's stream, the same whenever its journal record is replayed.

    Args:
        cluster_secret: 32 bytes that only the cluster knows.
        actor_key: the actor that takes the message, e.g. ``user/u_1``.
        seq: the message's journal sequence.
        label: ``DOMAIN_LABEL`` for rolls, ``IDENTIFIER_LABEL`` for ids.
    """
    assert len(cluster_secret) == 32
    text = label + cluster_secret + actor_key.encode() + b"\0" + seq.to_bytes(8, "little")
    return int.from_bytes(sha256(text).digest()[:8], "little")
