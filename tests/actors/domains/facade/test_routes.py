"""Domain 11.2 and 11.3: every row of the tables is a route, with the access that the row says."""

from __future__ import annotations

import pytest
from route_tables import ANYONE, MODERATOR, ROWS, SERVICE, USER, Row

from actors.module.module import Module
from actors.module.routes import Access, Route

ACCESS = {
    frozenset({"service"}): SERVICE,
    frozenset({"moderator", "admin"}): MODERATOR,
}
ROUTES = Module.load("actors.domains.entry").routes


def row_of(route: Route) -> Row:
    if route.access is Access.ANYONE:
        assert not route.roles
        return Row(route.method, route.path, ANYONE)
    if not route.roles:
        return Row(route.method, route.path, USER)
    return Row(route.method, route.path, ACCESS[route.roles])


def test_the_routes_are_the_tables() -> None:
    assert sorted(map(row_of, ROUTES.values())) == sorted(ROWS)


@pytest.mark.parametrize("route", ROUTES.values(), ids=lambda route: f"{route.method} {route.path}")
def test_a_route_needs_the_role_of_its_function(route: Route) -> None:
    declaration = getattr(route.function, "__declaration__", None)
    if declaration is not None:
        assert declaration.roles == route.roles
