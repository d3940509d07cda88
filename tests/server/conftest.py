from __future__ import annotations

import pytest

from server.identity.issuers import TrustedIssuers
from server.identity.signing_keys import SigningKeys
from server.identity.tokens import Authenticator

NOW = 1_800_000_000_000_000
"""Microseconds; the moment at which the tests of tokens play."""


@pytest.fixture
def signing_key(tmp_path) -> SigningKeys:
    return SigningKeys.load(tmp_path / "keys")


@pytest.fixture
def authenticator(signing_key) -> Authenticator:
    return Authenticator(signing_key, TrustedIssuers((), lambda: 0.0), clock=lambda: NOW)
