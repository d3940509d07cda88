"""Domain 6.5, 8.3: what no text may contain, and what only models are denied."""

from __future__ import annotations

from actors.domains.data.unsafe import DENIED, UNSAFE


def test_the_test_token_is_always_there() -> None:
    assert UNSAFE.finds_in("Here is XX-Blocked-XX.")


def test_authors_may_write_of_machines_and_models_may_not() -> None:
    text = "The oracle says: as a language model of brass, I hum."
    assert not UNSAFE.finds_in(text)
    assert DENIED.finds_in(text)
    assert DENIED.finds_in("xx-blocked-xx")
