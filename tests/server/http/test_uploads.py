"""Files that come in forms and in JSON (domain 8.4)."""

from __future__ import annotations

import base64
import tempfile

import pytest
from shelf import Shelf

from server.limits import UPLOAD_BYTES_MAX, UPLOAD_FIELD_BYTES_MAX, UPLOAD_FIELDS_MAX

PATH = "/api/shelves/s1/cover"
BOUNDARY = "----limit"
FORM = f'multipart/form-data; boundary="{BOUNDARY}"'


def part(name: str, data: bytes, *, filename: str | None = None) -> bytes:
    suffix = "" if filename is None else f'; filename="{filename}"'
    head = f'--{BOUNDARY}\r\ncontent-disposition: form-data; name="{name}"{suffix}\r\n\r\n'
    return head.encode() + data + b"\r\n"


def form(*parts: bytes) -> bytes:
    return b"".join(parts) + f"--{BOUNDARY}--\r\n".encode()


async def test_a_form_with_a_file(shelf: Shelf, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", "/nowhere")  # nothing is written to a disk
    data = bytes(range(256)) * 8_192
    body = form(part("profileId", "p_ä".encode()), part("file", data, filename="../../a.png"))
    answer = await shelf.ask("POST", PATH, token=shelf.token(), body=body, content_type=FORM)
    assert answer.status == 201
    assert answer.json == {"size": len(data), "fields": {"profileId": "p_ä", "shelf": "s1"}}
    assert list(shelf.objects.objects.values()) == [data]


async def test_json_with_a_data_url(shelf: Shelf):
    url = "data:image/png;charset=x;base64," + base64.b64encode(b"\x89PNG").decode()
    value = {"dataUrl": url, "sessionId": "cws_1", "profileId": None}
    answer = await shelf.ask("POST", PATH, token=shelf.token(), value=value)
    assert answer.status == 201
    assert answer.json == {"size": 4, "fields": {"sessionId": "cws_1", "shelf": "s1"}}


async def test_what_the_path_says_cannot_be_said_otherwise(shelf: Shelf):
    value = {"dataUrl": "data:;base64,", "shelf": "s2"}
    answer = await shelf.ask("POST", PATH, token=shelf.token(), value=value)
    assert answer.json["fields"] == {"shelf": "s1"}


@pytest.mark.parametrize(
    ("value", "code", "path"),
    [
        ({}, "input.missing_field", "dataUrl"),
        ({"dataUrl": None}, "input.missing_field", "dataUrl"),
        ({"dataUrl": 1}, "input.invalid_type", "dataUrl"),
        ({"dataUrl": "http://x/y.png"}, "input.invalid_type", "dataUrl"),
        ({"dataUrl": "data:image/png,abc"}, "input.invalid_type", "dataUrl"),
        ({"dataUrl": "data:image/png;base64,a?=="}, "input.invalid_type", "dataUrl"),
        ({"dataUrl": "data:image/png;base64,AAA"}, "input.invalid_type", "dataUrl"),
        ({"dataUrl": "data:;base64,", "profileId": 1}, "input.invalid_type", "profileId"),
    ],
)
async def test_bad_json(shelf: Shelf, value, code, path):
    answer = await shelf.ask("POST", PATH, token=shelf.token(), value=value)
    assert (answer.status, answer.code) == (400, code)
    assert answer.json["error"]["details"] == {"path": path}


FILE = part("file", b"x", filename="a")


@pytest.mark.parametrize(
    ("body", "media_type", "code"),
    [
        (b"", FORM, "input.missing_field"),
        (b"garbage", FORM, "input.form_malformed"),
        (FILE, FORM, "input.missing_field"),  # without the boundary behind it, it is not whole
        (form(FILE), "multipart/form-data", "input.form_malformed"),
        (form(FILE, FILE), FORM, "input.form_malformed"),
        (form(part("file", b"x")), FORM, "input.missing_field"),
        (form(part("other", b"x", filename="a")), FORM, "input.missing_field"),
        (
            form(FILE, *[part("a", b"x")] * (UPLOAD_FIELDS_MAX + 1)),
            FORM,
            "input.form_malformed",
        ),
        (
            form(FILE, part("a", b"x" * (UPLOAD_FIELD_BYTES_MAX + 1))),
            FORM,
            "input.form_malformed",
        ),
        (form(b"--" + BOUNDARY.encode() + b"\r\nx: y\r\n\r\n\r\n"), FORM, "input.form_malformed"),
    ],
)
async def test_bad_forms(shelf: Shelf, body, media_type, code):
    answer = await shelf.ask("POST", PATH, token=shelf.token(), body=body, content_type=media_type)
    assert (answer.status, answer.code) == (400, code)


async def test_other_types_are_refused_before_they_are_read(shelf: Shelf):
    answer = await shelf.ask(
        "POST", PATH, token=shelf.token(), content_type="image/png", content_length="100"
    )
    assert (answer.status, answer.code) == (415, "input.unsupported_media")


async def test_large_files_are_refused_before_they_are_read(shelf: Shelf):
    length = str(UPLOAD_BYTES_MAX + 1)
    answer = await shelf.ask(
        "POST", PATH, token=shelf.token(), content_type=FORM, content_length=length
    )
    assert (answer.status, answer.code) == (413, "input.payload_too_large")


async def test_what_the_module_refuses(shelf: Shelf):
    body = form(part("file", b"<svg></svg>", filename="a.svg"))
    answer = await shelf.ask("POST", PATH, token=shelf.token(), body=body, content_type=FORM)
    assert (answer.status, answer.code) == (415, "asset.unsupported_media")
