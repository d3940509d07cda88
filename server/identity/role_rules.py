"""Role rules: which claim of a trusted issuer's tokens holds roles, and by what names.

An issuer may keep them in a claim of its own (``realm_access.roles``) and call them otherwise
(``game-admins``). Once names are given for an issuer, only they count: whoever may make up groups
there makes no roles here. Source: domain 1.8.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from actors.claims import ROLES

__all__ = ["DEFAULT_ROLES", "ROLES_CLAIM", "RoleRule", "read_role_rules"]

DEFAULT_ROLES = frozenset({"player", "creator"})
"""Roles of whoever holds a valid token that no trusted issuer gave others (domain 1.8)."""

ROLES_CLAIM = "roles"


class RoleRule(NamedTuple):
    """How to read the roles of one issuer's tokens.

    Attributes:
        claim: name of the claim, or of claims inside each other, joined by dots.
        names: roles by the issuer's names; empty when the names are ours.
    """

    claim: str = ROLES_CLAIM
    names: Mapping[str, str] = {}

    def roles(self, payload: Mapping[str, object]) -> frozenset[str]:
        """The roles that a payload gives; the default ones when there are none of ours."""
        value = _find(payload, self.claim)
        entries = [value] if isinstance(value, str) else value
        if not isinstance(entries, list):
            return DEFAULT_ROLES
        texts = [entry for entry in entries if isinstance(entry, str)]
        if self.names:
            texts = [self.names[text] for text in texts if text in self.names]
        return ROLES.intersection(texts) or DEFAULT_ROLES


def _find(payload: Mapping[str, object], name: str) -> object:
    """The claim of that name, dots and all, or else the one inside others."""
    if name in payload:
        return payload[name]
    found: object = payload
    for part in name.split("."):
        if not isinstance(found, Mapping):
            return None
        found = found.get(part)
    return found


def read_role_rules(
    trusted: Iterable[str], claims: Iterable[str], names: Iterable[str]
) -> Mapping[str, RoleRule]:
    """Read the rules of trusted issuers from settings.

    Args:
        trusted: issuers whose roles count.
        claims: ``ISSUER#CLAIM``, where that is not ``roles``.
        names: ``ISSUER#NAME=ROLE``, where the names are not ours.

    Raises:
        ValueError: an entry has another form, names an issuer that is not trusted or no role.
    """
    rules = dict.fromkeys(trusted, RoleRule())
    for entry in claims:
        issuer, claim = _split(rules, entry, "ISSUER#CLAIM")
        rules[issuer] = rules[issuer]._replace(claim=claim)
    for entry in names:
        issuer, meaning = _split(rules, entry, "ISSUER#NAME=ROLE")
        name, _, role = meaning.rpartition("=")
        if not name or role not in ROLES:
            roles = ", ".join(sorted(ROLES))
            raise ValueError(f"{entry} is not ISSUER#NAME=ROLE with one of the roles {roles}")
        rule = rules[issuer]
        rules[issuer] = rule._replace(names={**rule.names, name: role})
    return rules


def _split(rules: Mapping[str, RoleRule], entry: str, form: str) -> tuple[str, str]:
    issuer, _, rest = entry.partition("#")
    if not rest:
        raise ValueError(f"{entry} is not {form}")
    if issuer not in rules:
        raise ValueError(f"{issuer} is none of the trusted_issuers")
    return issuer, rest
