"""Domain 8.5: the same promises of a folder and of a service that speaks S3."""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple
from urllib.parse import SplitResult, parse_qsl, quote, urlsplit

import obstore
import pytest
from hypothesis import given
from hypothesis import strategies as st
from s3_server import BUCKET, S3Service, s3_service

from actors.errors import ReducerError
from actors.module.object_store import ObjectStore, check_locator
from server.effects.folder_objects import FolderObjects
from server.effects.s3_objects import S3Objects, S3Place

KEY = "u_1/cover/ab/abcdef.svg"
DATA = bytes(range(256)) * 40


class Stores(NamedTuple):
    """Both stores of one test run; each test has a folder of its own in each."""

    folder: Path
    service: S3Service

    def open(self, kind: str, name: str) -> ObjectStore:
        if kind == "folder":
            return FolderObjects(self.folder / name)
        return S3Objects(place(self.service, prefix=f"genarrative/{name}"))


def place(service: S3Service, **others: str) -> S3Place:
    endpoint, access_key, secret_key = service
    return S3Place(BUCKET, "", "us-east-1", endpoint, access_key, secret_key)._replace(**others)


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stores]:
    with s3_service() as service:
        yield Stores(tmp_path_factory.mktemp("objects"), service)


@pytest.fixture(params=["folder", "s3"])
def store(request: pytest.FixtureRequest, stores: Stores) -> ObjectStore:
    return stores.open(request.param, request.node.originalname)


def files(folder: Path) -> list[str]:
    return [path.name for path in folder.rglob("*") if path.is_file()]


async def listed(store: ObjectStore, bucket: str = "private") -> dict[str, int]:
    return {found.key: found.content_length async for found in store.list(bucket)}


async def test_what_is_put_is_there(store: ObjectStore) -> None:
    assert await store.get("private", KEY) is None
    assert await store.head("private", KEY) is None
    await store.put("private", KEY, DATA, "image/svg+xml")
    assert await store.get("private", KEY) == DATA
    assert await store.get("public", KEY) is None
    found = await store.head("private", KEY)
    assert found is not None
    assert (found.bucket, found.key, found.content_length) == ("private", KEY, len(DATA))
    assert found.modified_at > 1_700_000_000_000_000


async def test_what_is_put_again_is_replaced_whole(store: ObjectStore) -> None:
    await store.put("private", KEY, DATA, "image/svg+xml")
    await store.put("private", KEY, b"short", "image/png")
    assert await store.get("private", KEY) == b"short"


async def test_what_is_deleted_is_gone(store: ObjectStore) -> None:
    await store.put("private", KEY, DATA, "image/svg+xml")
    await store.delete("private", KEY)
    await store.delete("private", KEY)
    assert await store.get("private", KEY) is None
    assert await listed(store) == {}


async def test_a_bucket_lists_what_it_has(store: ObjectStore) -> None:
    assert await listed(store) == {}
    keys = [f"u_{number % 3}/scene/{number:02}/x.png" for number in range(60)]
    await asyncio.gather(*(store.put("private", key, b"12345", "image/png") for key in keys))
    await store.put("private-too", "a", b"", "image/png")
    assert await listed(store) == dict.fromkeys(keys, 5)
    assert await listed(store, "private-too") == {"a": 0}


async def test_one_of_many_writers_wins_whole(store: ObjectStore) -> None:
    texts = [bytes([number]) * 50_000 for number in range(8)]
    await asyncio.gather(*(store.put("private", KEY, text, "image/png") for text in texts))
    assert await store.get("private", KEY) in texts


@pytest.mark.parametrize(
    "key",
    ["../secret", "a/../../secret", "/etc/passwd", "a\\b", "", "a//b", "a/", "./a", "a\0b", "ä"],
)
async def test_keys_lead_nowhere_else(store: ObjectStore, key: str) -> None:
    for work in (
        store.put("private", key, b"x", "image/png"),
        store.get("private", key),
        store.head("private", key),
        store.delete("private", key),
        store.signed_url("private", key, 60),
    ):
        with pytest.raises(ReducerError) as refused:
            await work
        assert refused.value.code == "asset.invalid_locator"


@given(st.text(alphabet="ab./\\-", max_size=12), st.text(alphabet="ab./-", max_size=6))
def test_a_locator_stays_in_its_root(key: str, bucket: str) -> None:
    try:
        check_locator(bucket, key)
    except ReducerError:
        return
    root = Path("/objects")
    path = root / bucket / key
    assert path == root / Path(*path.relative_to(root).parts)
    assert ".." not in path.parts
    assert len(path.parts) >= 4


async def test_a_service_knows_what_a_file_is(stores: Stores) -> None:
    store = stores.open("s3", "types")
    assert isinstance(store, S3Objects)
    await store.put("private", KEY, DATA, "image/svg+xml")
    found = await obstore.get_async(store._store, f"private/{KEY}")
    assert found.attributes["Content-Type"] == "image/svg+xml"


async def test_a_service_has_addresses_that_anybody_may_read(stores: Stores) -> None:
    store = stores.open("s3", "signed")
    url = await store.signed_url("private", KEY, 60)
    assert url is not None
    assert stores.service.secret_key not in url
    parts = urlsplit(url)
    assert parts.path == f"/{BUCKET}/genarrative/signed/private/{KEY}"
    query = dict(parse_qsl(parts.query))
    assert query["X-Amz-Expires"] == "60"
    assert query.pop("X-Amz-Signature") == signature(parts, query, stores.service.secret_key)


def signature(parts: SplitResult, query: dict[str, str], secret: str) -> str:
    """What the published algorithm makes of a request to read (AWS signature version 4)."""
    asked = "&".join(f"{name}={quote(query[name], safe='')}" for name in sorted(query))
    request = f"GET\n{parts.path}\n{asked}\nhost:{parts.netloc}\n\nhost\nUNSIGNED-PAYLOAD"
    moment, scope = query["X-Amz-Date"], query["X-Amz-Credential"].partition("/")[2]
    text = f"AWS4-HMAC-SHA256\n{moment}\n{scope}\n{sha256(request.encode()).hexdigest()}"
    key = f"AWS4{secret}".encode()
    for step in (*scope.split("/"), text):
        key = hmac.digest(key, step.encode(), "sha256")
    return key.hex()


async def test_a_folder_has_no_addresses(stores: Stores) -> None:
    assert await stores.open("folder", "signed").signed_url("private", KEY, 60) is None


@pytest.mark.parametrize(
    ("others", "seconds", "code"),
    [
        ({"secret_key": "wrong"}, 30.0, "dependency.unavailable"),
        ({"access_key": "AKIAUNKNOWN"}, 30.0, "dependency.unavailable"),
        ({"bucket": "nobodys"}, 30.0, "dependency.unavailable"),
        ({"endpoint": "http://127.0.0.1:9"}, 30.0, "dependency.unavailable"),
        ({}, 0.0, "dependency.timeout"),
    ],
)
async def test_a_service_that_refuses_says_nothing_of_keys(
    others: dict[str, str],
    seconds: float,
    code: str,
    stores: Stores,
    caplog: pytest.LogCaptureFixture,
) -> None:
    store = S3Objects(place(stores.service, **others), seconds)
    with pytest.raises(ReducerError) as refused:
        await store.put("private", KEY, DATA, "image/png")
    assert refused.value.code == code
    told = str(refused.value) + caplog.text
    assert not any(key in told for key in stores.service)


async def test_a_folder_keeps_nothing_unfinished(tmp_path: Path) -> None:
    left = tmp_path / ".drafts" / "half"
    left.parent.mkdir()
    left.write_bytes(b"half of an image")
    store = FolderObjects(tmp_path)
    await store.put("private", KEY, DATA, "image/png")
    assert files(tmp_path) == ["abcdef.svg"]


async def test_a_disk_that_refuses_is_told_without_paths(tmp_path: Path) -> None:
    store = FolderObjects(tmp_path)
    (tmp_path / "private").write_text("a file where a folder should be")
    with pytest.raises(ReducerError) as refused:
        await store.put("private", KEY, DATA, "image/png")
    assert refused.value.code == "dependency.unavailable"
    assert str(tmp_path) not in str(refused.value)
    assert await store.get("private", KEY) is None
    assert await store.head("private", KEY) is None
    await store.delete("private", KEY)


async def test_a_folder_of_an_object_is_no_object(tmp_path: Path) -> None:
    store = FolderObjects(tmp_path)
    await store.put("private", "a/b", DATA, "image/png")
    assert await store.get("private", "a") is None
    assert await store.head("private", "a") is None
    await store.delete("private", "a")
    assert await store.get("private", "a/b") == DATA
