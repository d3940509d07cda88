from __future__ import annotations

import pytest

from server.identity.role_rules import DEFAULT_ROLES, RoleRule, read_role_rules

ISSUER = "https://id.example/realms/vale"
OTHER = "https://other.example"


@pytest.mark.parametrize(
    ("rule", "payload", "roles"),
    [
        (RoleRule(), {"roles": ["admin", "wizard", 7]}, {"admin"}),
        (RoleRule(), {"roles": "moderator"}, {"moderator"}),
        (RoleRule(), {"roles": {"admin": True}}, DEFAULT_ROLES),
        (RoleRule(), {}, DEFAULT_ROLES),
        (RoleRule("a.b"), {"a": {"b": ["admin"]}}, {"admin"}),
        (RoleRule("a.b"), {"a.b": ["service"], "a": {"b": ["admin"]}}, {"service"}),
        (RoleRule("https://x.example/r"), {"https://x.example/r": ["admin"]}, {"admin"}),
        (RoleRule("a.b"), {"a": ["admin"], "roles": ["admin"]}, DEFAULT_ROLES),
        (RoleRule("groups", {"gm": "moderator"}), {"groups": ["gm", "admin"]}, {"moderator"}),
        (RoleRule("groups", {"gm": "moderator"}), {"groups": ["admin"]}, DEFAULT_ROLES),
    ],
)
def test_roles_of_a_payload(rule, payload, roles):
    assert rule.roles(payload) == roles


def test_rules_are_read_by_issuer():
    rules = read_role_rules(
        [ISSUER, OTHER],
        [f"{ISSUER}#realm_access.roles"],
        [f"{ISSUER}#game=masters=moderator", f"{ISSUER}#root=admin"],
    )
    names = {"game=masters": "moderator", "root": "admin"}
    assert rules == {ISSUER: RoleRule("realm_access.roles", names), OTHER: RoleRule()}


@pytest.mark.parametrize(
    ("claims", "names", "text"),
    [
        ([ISSUER], [], "is not ISSUER#CLAIM"),
        ([f"{OTHER}#roles"], [], "none of the trusted_issuers"),
        ([], [f"{ISSUER}#"], "is not ISSUER#NAME=ROLE"),
        ([], [f"{ISSUER}#gm"], "is not ISSUER#NAME=ROLE"),
        ([], [f"{ISSUER}#=admin"], "is not ISSUER#NAME=ROLE"),
        ([], [f"{ISSUER}#gm=wizard"], "one of the roles admin, creator"),
        ([], [f"{OTHER}#gm=admin"], "none of the trusted_issuers"),
    ],
)
def test_rules_without_meaning(claims, names, text):
    with pytest.raises(ValueError, match=text):
        read_role_rules([ISSUER], claims, names)
