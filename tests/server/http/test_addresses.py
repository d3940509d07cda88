from __future__ import annotations

import pytest

from actors.errors import DeclarationError
from server.http.addresses import Addresses, parameters_of


@pytest.fixture
def addresses() -> Addresses[str]:
    tree: Addresses[str] = Addresses()
    for method, path in (
        ("GET", "/api/works"),
        ("GET", "/api/works/{work_id}"),
        ("PUT", "/api/works/{work_id}"),
        ("POST", "/api/works/new"),
        ("POST", "/api/works/{work_id}/runs"),
        ("GET", "/api/works/{owner_id}/runs/{run_id}"),
        ("GET", "/objects/{bucket}/{key:path}"),
    ):
        tree.add(method, path, f"{method} {path}")
    return tree


@pytest.mark.parametrize(
    ("method", "path", "target", "parameters"),
    [
        ("GET", "/api/works", "/api/works", {}),
        ("GET", "/api/works/a", "/api/works/{work_id}", {"work_id": "a"}),
        ("POST", "/api/works/new", "/api/works/new", {}),
        # Written out as well, but not with this method: the parameter takes it.
        ("GET", "/api/works/new", "/api/works/{work_id}", {"work_id": "new"}),
        ("POST", "/api/works/new/runs", "/api/works/{work_id}/runs", {"work_id": "new"}),
        (
            "GET",
            "/api/works/a/runs/b",
            "/api/works/{owner_id}/runs/{run_id}",
            {"owner_id": "a", "run_id": "b"},
        ),
        ("GET", "/objects/b/k", "/objects/{bucket}/{key:path}", {"bucket": "b", "key": "k"}),
        (
            "GET",
            "/objects/b/u/1/a.png",
            "/objects/{bucket}/{key:path}",
            {"bucket": "b", "key": "u/1/a.png"},
        ),
    ],
)
def test_a_path_leads_to_its_route(addresses, method, path, target, parameters):
    found = addresses.find(method, path)
    assert found is not None
    assert found.target == f"{method} {target}"
    assert found.parameters == parameters


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/api",
        "/api/",
        "/api/works/",
        "/api/works//runs",
        "/api/other",
        "/objects/b",
        "/objects/b/",
        "/objects/b/../secret",
        "/objects/b/..",
        "/objects/b/a//c",
        "/objects/b/./c",
    ],
)
def test_other_paths_lead_nowhere(addresses, path):
    assert addresses.find("GET", path) is None


def test_another_method_is_told_which_there_are(addresses):
    found = addresses.find("DELETE", "/api/works/new")
    assert found is not None
    assert found.target is None
    assert found.methods == {"GET", "PUT", "POST"}


@pytest.mark.parametrize(
    "path",
    ["api", "/api//x", "/api/../x", "/api/{x}y", "/api/{X}", "/api/{x:path}/y", "/api/works"],
)
def test_a_path_that_is_none_is_refused(addresses, path):
    with pytest.raises(DeclarationError):
        addresses.add("GET", path, "x")


def test_the_parameters_of_a_path():
    assert parameters_of("/objects/{bucket}/{key:path}") == ("bucket", "key")
