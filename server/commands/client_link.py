"""Client link: the command line's end of a server's HTTP API."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, Self
from urllib.parse import quote, urlsplit

import httpx2

from protocol.errors import DecodeError, SchemaError
from protocol.sats_json import loads
from protocol.schema import ModuleSchema
from protocol.schema_reading import read_v10_json
from server.errors import RefusedError, StartError
from server.limits import CLIENT_ANSWER_SECONDS_MAX
from server.settings import load_settings

__all__ = ["TOKEN_VARIABLE", "ClientLink", "Target", "find_target"]

TOKEN_VARIABLE = "GENARRATIVE_TOKEN"  # noqa: S105 - a name
"""Environment variable that may hold the caller's token."""

_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - only looked for
"""Addresses that servers listen on and nobody connects to, and what stands for them."""


class Target(NamedTuple):
    """Which database of which server, and as whom; ``token`` is None for somebody new."""

    server: str
    database: str
    token: str | None

    @property
    def headers(self) -> dict[str, str]:
        """What says who asks."""
        return {} if self.token is None else {"authorization": f"Bearer {self.token}"}

    def url(self, path: str) -> str:
        """An address of the database."""
        return f"{self.server}/v1/database/{quote(self.database, safe='')}{path}"


def find_target(
    server: str | None, database: str | None, token_file: Path | None, config: Path | None = None
) -> Target:
    """Find out whom to ask: what is named, else what the settings would serve on this machine.

    Raises:
        StartError: the server's address is none, or the file has no token, or one for everybody.
        SettingsError: the settings have no meaning.
    """
    settings = load_settings({}, config).settings
    if server is None:
        host = _EVERYWHERE.get(settings.host, settings.host)
        host = f"[{host}]" if ":" in host else host
        server = f"http://{host}:{settings.port}"
    parts = urlsplit(server)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query:
        raise StartError(f"{server} is no server, as in http://127.0.0.1:3000")
    return Target(server.rstrip("/"), database or settings.database, _token(token_file))


def _token(path: Path | None) -> str | None:
    if path is None:
        return os.environ.get(TOKEN_VARIABLE, "").strip() or None
    try:
        with path.open(encoding="ascii") as file:
            mode = os.fstat(file.fileno()).st_mode
            token = file.read().strip()
    except (OSError, UnicodeDecodeError):
        token = ""
    if not token:
        raise StartError(f"there is no token in {path}")
    if stat.S_IMODE(mode) & 0o077:
        raise StartError(f"others may read the token in {path}; chmod 600 {path}")
    return token


class ClientLink:
    """Requests to one database; to be closed."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self._client = httpx2.Client(
            headers=target.headers, trust_env=False, timeout=CLIENT_ANSWER_SECONDS_MAX
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def ask(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: bytes | None = None,
        media_type: str = "text/plain",
    ) -> httpx2.Response:
        """Send a request and answer its good answer.

        Raises:
            RefusedError: the server refuses it; the text is the server's.
            StartError: the server cannot be reached.
        """
        url = self.target.url(path)
        try:
            headers = {} if body is None else {"content-type": media_type}
            answer = self._client.request(
                method, url, content=body, headers=headers, params=dict(query or {})
            )
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise _unreachable(self.target, error) from None
        _check(answer)
        return answer

    @contextmanager
    def lines(
        self, path: str, query: Mapping[str, str], *, is_endless: bool
    ) -> Iterator[Iterator[str]]:
        """The lines of an answer as they come; raises as ``ask`` does, also in between."""
        timeout = httpx2.Timeout(CLIENT_ANSWER_SECONDS_MAX, read=None) if is_endless else None
        options: dict[str, Any] = {} if timeout is None else {"timeout": timeout}
        try:
            with self._client.stream(
                "GET", self.target.url(path), params=dict(query), **options
            ) as answer:
                if answer.is_error:
                    answer.read()
                _check(answer)
                yield answer.iter_lines()
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise _unreachable(self.target, error) from None

    def schema_json(self) -> Any:
        """The definition of the module, version 10; raises as ``ask`` does."""
        answer = self.ask("GET", "/schema", query={"version": "10"})
        try:
            return loads(answer.content)
        except DecodeError as error:
            raise StartError(f"{self.target.server} answers no schema: {error}") from None

    def schema(self) -> ModuleSchema:
        """The definition of the module; raises as ``ask`` does."""
        try:
            return read_v10_json(self.schema_json())
        except SchemaError as error:
            raise StartError(f"{self.target.server} answers no schema: {error}") from None


def _check(answer: httpx2.Response) -> None:
    if not answer.is_success:
        raise RefusedError(_text_of(answer))


def _text_of(answer: httpx2.Response) -> str:
    """What a refusal says: its text, or a problem's detail."""
    if "json" in answer.headers.get("content-type", ""):
        problem = answer.json()
        if isinstance(problem, dict) and isinstance(problem.get("detail"), str):
            return f"{problem.get('title', answer.status_code)}: {problem['detail']}"
    text: str = answer.text.strip()
    return text or f"the server answers {answer.status_code}"


def _unreachable(target: Target, error: Exception) -> StartError:
    return StartError(f"{target.server}: {error or type(error).__name__}")
