"""Uploads: a file in a form, or in a JSON object as a ``dataUrl`` (domain 8.4, 11.2)."""

from __future__ import annotations

import base64
import re
from collections.abc import AsyncGenerator, Mapping
from typing import Final

from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from actors.errors import ReducerError
from actors.module.routes import Upload
from server.http.bodies import media_type_of
from server.http.json_reading import parse_object
from server.limits import UPLOAD_BYTES_MAX, UPLOAD_FIELD_BYTES_MAX, UPLOAD_FIELDS_MAX

__all__ = ["DATA_URL", "FILE", "read_upload"]

FILE: Final = "file"
"""The form's field that holds the file."""

DATA_URL: Final = "dataUrl"
"""The JSON object's field that holds the file."""

_DATA_URL: Final = re.compile(r"data:[^,;]*(?:;[^,;]+)*;base64,")


class _InMemory(MultiPartParser):
    """Forms whose files never touch a disk."""

    spool_max_size = UPLOAD_BYTES_MAX * 2

    def close(self) -> None:
        """Let go of the files, also of those whose end never came."""
        for file in self._files_to_close_on_error:
            file.close()


async def read_upload(request: Request, body: bytes, parameters: Mapping[str, str]) -> Upload:
    """The file that a body holds, with the other fields and the path's parameters.

    Raises:
        ReducerError: ``input.unsupported_media``: neither a form nor JSON; ``input.missing_field``:
            no file; ``input.form_malformed``, ``input.json_malformed``, ``input.invalid_type``.
    """
    media_type = media_type_of(request)
    if media_type == "multipart/form-data":
        upload = await _of_form(request, body)
    elif media_type == "application/json":
        upload = _of_object(parse_object(body))
    else:
        raise ReducerError("input.unsupported_media", "send multipart/form-data or JSON")
    return upload._replace(fields={**upload.fields, **parameters})


async def _of_form(request: Request, body: bytes) -> Upload:
    async def stream() -> AsyncGenerator[bytes, None]:
        yield body

    parser = _InMemory(
        request.headers,
        stream(),
        max_files=1,
        max_fields=UPLOAD_FIELDS_MAX,
        max_part_size=UPLOAD_FIELD_BYTES_MAX,
    )
    try:
        form = await parser.parse()
        file = form.get(FILE)
        if not isinstance(file, UploadFile):
            raise ReducerError("input.missing_field", "the form has no file", path=FILE)
        fields = {name: value for name, value in form.items() if isinstance(value, str)}
        return Upload(await file.read(), fields)
    except MultiPartException as error:
        raise ReducerError("input.form_malformed", error.message) from None
    finally:
        parser.close()


def _of_object(found: dict[str, object]) -> Upload:
    url = found.pop(DATA_URL, None)
    if url is None:
        raise ReducerError("input.missing_field", "the object has no dataUrl", path=DATA_URL)
    match = _DATA_URL.match(url) if isinstance(url, str) else None
    if match is None or not isinstance(url, str):
        raise _invalid(DATA_URL, "data:TYPE;base64,...")
    try:
        data = base64.b64decode(url[match.end() :], validate=True)
    except ValueError:
        raise _invalid(DATA_URL, "data:TYPE;base64,...") from None
    fields: dict[str, str] = {}
    for name, value in found.items():
        if value is None:
            continue
        if not isinstance(value, str):
            raise _invalid(name, "a string")
        fields[name] = value
    return Upload(data, fields)


def _invalid(path: str, wanted: str) -> ReducerError:
    return ReducerError("input.invalid_type", f"{path} must be {wanted}", path=path)
