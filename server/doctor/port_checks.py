"""Checks of the ports: free for us, or already ours; and what a server that runs says of itself."""

from __future__ import annotations

import asyncio
import json
import urllib.error
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit

from server.admin.composition import ADMIN_ADDRESS_FILE
from server.doctor.findings import Finding, error, fine
from server.errors import BindRefusedError, PortInUseError, StartError
from server.http.listening import bind_port
from server.limits import DOCTOR_ANSWER_SECONDS_MAX
from server.settings import Settings

__all__ = ["check_ports", "check_running"]

_PACKAGE = "genarrative-server"


async def check_ports(settings: Settings, *, is_running: bool) -> list[Finding]:
    """Whether the server can listen where it should, or does."""
    host, port = settings.host, settings.port
    fault = _bind_fault(host, port, allow_public=settings.allow_public_bind)
    if isinstance(fault, PortInUseError) and is_running:
        _, content = await _get(_address(settings), "/v1/health")
        if content.get("package_name") == _PACKAGE:
            fault = None
    findings = [_judged("port", host, port, fault)]
    if settings.admin:
        findings.append(_admin_port(settings))
    return findings


async def check_running(settings: Settings) -> list[Finding]:
    """Ask a server that works in the data folder how it is."""
    if settings.port == 0:
        return [fine("server", "a server works in the data folder, on a port that it chose")]
    findings = []
    for path, advice in (
        ("/readyz", "see `genarrative admin server info` and the log"),
        ("/healthz", "see docs/operations.md, under the part that is named"),
    ):
        status, content = await _get(_address(settings), path)
        if status == 200:
            findings.append(fine("server", f"{path} says {content.get('status')}"))
        else:
            reason = content.get("reason", "nothing")
            findings.append(error("server", f"{path} answers {status}: {reason}", advice))
    return findings


def _admin_port(settings: Settings) -> Finding:
    host, port = settings.admin_host, settings.admin_port
    allow_public = settings.admin_allow_public_bind
    flag = "admin_allow_public_bind"
    fault = _bind_fault(host, port or 0, allow_public=allow_public, flag=flag)
    if isinstance(fault, PortInUseError) and _admin_port_of(settings.data_dir) == port:
        fault = None
    return _judged("admin port", host, port or 0, fault)


def _admin_port_of(folder: Path) -> int | None:
    """The port on which a running server of this folder lets operators in."""
    try:
        url = (folder / ADMIN_ADDRESS_FILE).read_text(encoding="ascii")
    except OSError:
        return None
    return urlsplit(url.strip()).port


def _bind_fault(
    host: str, port: int, *, allow_public: bool, flag: str = "allow_public_bind"
) -> StartError | None:
    try:
        bind_port(host, port, allow_public=allow_public, flag=flag).close()
    except StartError as fault:
        return fault
    return None


def _judged(check: str, host: str, port: int, fault: StartError | None) -> Finding:
    if fault is None:
        return fine(check, f"{host}, port {port}" if port else f"{host}, any free port")
    if isinstance(fault, PortInUseError):
        return error(check, str(fault), f"end who listens there (`ss -ltnp sport = :{port}`)")
    if isinstance(fault, BindRefusedError):
        return error(check, str(fault), "permit it, or listen on 127.0.0.1 behind a proxy")
    return error(check, str(fault), "name an address of this machine")


def _address(settings: Settings) -> str:
    host = settings.host
    if host in {"0.0.0.0", "::"}:  # noqa: S104 - compared, not bound
        host = "127.0.0.1"
    return f"http://[{host}]:{settings.port}" if ":" in host else f"http://{host}:{settings.port}"


async def _get(address: str, path: str) -> tuple[int, dict[str, object]]:
    """Status and JSON of an answer; 0 and nothing when there is none."""
    return await asyncio.to_thread(_get_now, address + path)


def _get_now(url: str) -> tuple[int, dict[str, object]]:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=DOCTOR_ANSWER_SECONDS_MAX) as answer:
            return answer.status, _object(answer.read())
    except urllib.error.HTTPError as fault:
        with fault:
            return fault.code, _object(fault.read())
    except OSError:
        return 0, {}


def _object(data: bytes) -> dict[str, object]:
    try:
        value = json.loads(data)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
