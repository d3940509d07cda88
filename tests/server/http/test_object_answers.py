"""Stored objects over HTTP: tags, caching, and what is not there (domain 8.4, 8.5)."""

from __future__ import annotations

import pytest
from shelf import Shelf, running_shelf


async def test_an_object_is_served_with_its_tag(shelf: Shelf):
    drawing = b"<svg></svg>"
    shelf.objects.objects["public", "u_1/a/b.svg"] = drawing
    answer = await shelf.ask("GET", "/objects/public/u_1/a/b.svg")
    assert (answer.status, answer.body) == (200, drawing)
    assert answer.headers["etag"] == f'"{"ab" * 32}"'
    assert answer.headers["content-type"] == "image/svg+xml"
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["x-content-type-options"] == "nosniff"
    policy = "sandbox; default-src 'none'; style-src 'unsafe-inline'"
    assert answer.headers["content-security-policy"] == policy
    head = await shelf.ask("HEAD", "/objects/public/u_1/a/b.svg")
    assert (head.status, head.body) == (200, b"")
    for name in ("content-length", "etag", "content-type"):
        assert head.headers[name] == answer.headers[name]


@pytest.mark.parametrize("condition", ["*", f'"{"ab" * 32}"', f'"x", W/"{"ab" * 32}"'])
async def test_an_object_that_the_client_has(shelf: Shelf, condition):
    answer = await shelf.ask("GET", "/objects/public/gone", if_none_match=condition)
    assert (answer.status, answer.body) == (304, b"")
    assert answer.headers["etag"] == f'"{"ab" * 32}"'


async def test_a_private_object_is_asked_for_each_time(shelf: Shelf):
    shelf.objects.objects["private", "a"] = b"<svg></svg>"
    answer = await shelf.ask("GET", "/objects/private/a", if_none_match='"other"')
    assert (answer.status, answer.headers["cache-control"]) == (200, "private, no-cache")


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize(
    "path",
    [
        "/objects/public/gone",
        "/objects/secret/a",
        "/objects/public/../secret/a",
        "/objects/public/%2e%2e/a",
        "/objects/public/a%2f..%2fb",
        "/objects/public/",
        "/objects/public",
        "/objects",
    ],
)
async def test_an_object_that_is_not_there(shelf: Shelf, method, path):
    shelf.objects.objects["secret", "a"] = b"x"
    assert (await shelf.ask(method, path)).status == 404


async def test_a_server_without_objects(tmp_path):
    async with running_shelf(tmp_path, objects=False) as shelf:
        answer = await shelf.ask("GET", "/objects/public/a")
    assert (answer.status, answer.code) == (503, "dependency.unavailable")
