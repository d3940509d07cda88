"""Checks of the settings: that they can be read, and are not more open than they must be."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import SecretStr

from actors.errors import ActorError
from actors.module import Module
from actors.operations import MODULE as OPERATIONS_MODULE
from server.doctor.findings import Finding, error, fine, warning
from server.errors import SettingsError
from server.http.listening import is_loopback
from server.settings import LoadedSettings, Settings, load_settings

__all__ = ["check_module", "check_settings"]


def check_settings(
    config: Path | None, flags: dict[str, object]
) -> tuple[LoadedSettings | None, list[Finding]]:
    """Read the settings; None when that cannot be done, so that nothing else is known."""
    try:
        loaded = load_settings(flags, config)
    except SettingsError as fault:
        advice = "correct it; `genarrative config show` prints every setting and its source"
        return None, [error("settings", str(fault), advice)]
    sources = sorted(set(loaded.sources.values()) - {"default"})
    text = f"read from {', '.join(sources)}" if sources else "all as they are by default"
    return loaded, [
        fine("settings", text),
        *_exposure(loaded.settings),
        *_secrets(loaded),
    ]


def check_module(settings: Settings) -> Finding:
    """Whether the module can be served."""
    folder = str(Path.cwd())
    if folder not in sys.path:
        sys.path.insert(0, folder)  # as the server does
    advice = "correct the setting `module`, or the module"
    try:
        module = Module.load(
            settings.module, fixtures=settings.dev_fixtures, beside=[OPERATIONS_MODULE]
        )
        count = len(module.schema.tables)
    except ActorError as fault:
        return error("module", str(fault), advice)
    except Exception as fault:  # noqa: BLE001 - it is somebody's code
        text = f"{settings.module} cannot be imported: {type(fault).__name__}: {fault}"
        return error("module", text, advice)
    unknown = sorted(settings.retention.kinds.keys() - module.kinds.keys())
    if unknown:
        text = f"retention names {unknown[0]}, and the module has no actors of that kind"
        return error("module", text, "correct the setting `retention`")
    return fine("module", f"{settings.module}, {count} tables")


def _exposure(settings: Settings) -> Iterator[Finding]:
    if settings.allow_public_bind and not is_loopback(settings.host):
        if settings.dev_fixtures:
            advice = "switch `dev_fixtures` off"
            yield error("exposure", "whoever gets a service token may load fixtures", advice)
        if not settings.rate_limits:
            advice = "switch `rate_limits` on"
            yield warning("exposure", "anybody may call as often as they like", advice)
    if settings.admin and settings.admin_allow_public_bind and not is_loopback(settings.admin_host):
        text = "operators' tokens travel unencrypted to an address that others can reach"
        advice = "listen on 127.0.0.1 and put TLS or a tunnel in front"
        yield warning("exposure", text, advice)


def _secrets(loaded: LoadedSettings) -> Iterator[Finding]:
    files = {
        source
        for key, source in loaded.sources.items()
        if source.endswith(".toml") and _is_secret(getattr(loaded.settings, key))
    }
    for name in sorted(files):
        if Path(name).stat().st_mode & 0o077:
            advice = f"chmod 600 {name}"
            yield warning("settings", f"{name} holds secrets and others may read it", advice)


def _is_secret(value: object) -> bool:
    if isinstance(value, SecretStr):
        return bool(value.get_secret_value())
    if isinstance(value, tuple):
        return any(map(_is_secret, value))
    return isinstance(value, str) and urlsplit(value).password is not None
