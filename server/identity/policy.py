"""Token policy: what a deployment asks of tokens beyond a good signature."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from server.identity.role_rules import RoleRule
from server.limits import CLOCK_SKEW_SECONDS_DEFAULT, WEBSOCKET_TOKEN_SECONDS_DEFAULT

__all__ = ["TokenPolicy"]


@dataclass(frozen=True, slots=True)
class TokenPolicy:
    """What is asked of tokens. The local issuer's need no audience, and its roles count.

    Attributes:
        role_rules: by trusted issuer, how its roles are read; others have none to give.
        audiences: of which an issuer's token must name one; empty when any will do.
        skew_seconds: how far issuers' clocks and ours may differ.
        websocket_seconds: life of the token that goes into a socket's address.
        lets_anonymous_in: whether whoever has no token gets a new identity.
    """

    role_rules: Mapping[str, RoleRule] = field(default_factory=dict)
    audiences: frozenset[str] = frozenset()
    skew_seconds: int = CLOCK_SKEW_SECONDS_DEFAULT
    websocket_seconds: int = WEBSOCKET_TOKEN_SECONDS_DEFAULT
    lets_anonymous_in: bool = True
