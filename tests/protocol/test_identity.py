from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.errors import EncodeError
from protocol.identity import identity_from_claims


@pytest.mark.parametrize(
    ("iss", "sub", "identity"),
    [
        (
            "localhost",
            "6d4b5430-00cf-4a99-932c-ad2d07bab841",
            "c200483152d642c7d402de06cacc36dcb0c2a1f2bbeb8e7d5a673f2435cca975",
        ),
        (
            "example.com",
            "123",
            "c200ef884364c1a99be0298dc68f2004e6b97c09d1b1658b7db22f51fb662059",
        ),
        (
            "localhost",
            "test-subject",
            "c200b3ce65d91b79ecfb7d881cd65bf8da2f647d590af1474ad19faa7aa87e38",
        ),
    ],
)
def test_known_identities(iss, sub, identity):
    assert str(identity_from_claims(iss, sub)) == identity


@given(st.text(), st.text())
def test_every_identity_has_the_prefix(iss, sub):
    assert str(identity_from_claims(iss, sub)).startswith("c200")


def test_claims_without_utf8_are_refused():
    with pytest.raises(EncodeError):
        identity_from_claims("localhost", "\ud800")
