"""Examination: all checks, one after the other; what they find, in the order of the checks."""

from __future__ import annotations

import time
from pathlib import Path

from server.doctor.findings import Finding
from server.doctor.folder_checks import (
    check_disk,
    check_folder,
    check_keys,
    check_sync,
    is_locked,
)
from server.doctor.machine_checks import (
    Clocks,
    check_clock,
    check_files,
    check_memory,
    check_packages,
    check_programs,
    check_steps,
    memory_bytes,
)
from server.doctor.port_checks import check_ports, check_running
from server.doctor.settings_checks import check_module, check_settings
from server.doctor.store_checks import check_store
from server.settings import Settings

__all__ = ["examine"]


async def examine(config: Path | None, flags: dict[str, object]) -> list[Finding]:
    """Check everything; nothing is changed, and a server that runs is not disturbed.

    Args:
        config: file named on the command line, as in ``load_settings``.
        flags: settings given there.
    """
    began = Clocks.now()
    loaded, findings = check_settings(config, flags)
    findings += [*check_programs(), check_packages(), check_files()]
    if loaded is not None:
        findings += await _examine_place(loaded.settings)
    return [*findings, *check_steps(began, Clocks.now())]


async def _examine_place(settings: Settings) -> list[Finding]:
    folder = settings.data_dir
    is_running = is_locked(folder)
    return [
        check_module(settings),
        check_folder(folder),
        *await check_keys(folder, settings.trusted_issuers),
        check_disk(folder),
        *check_sync(folder),
        *await check_store(settings, lambda: time.time_ns() // 1_000),
        check_clock(folder, time.time()),
        *check_memory(settings.memory_budget, memory_bytes()),
        *await check_ports(settings, is_running=is_running),
        *(await check_running(settings) if is_running else ()),
    ]
