"""Checks of the machine: clocks, file descriptors, memory, and versions of what is installed."""

from __future__ import annotations

import contextlib
import importlib.metadata
import platform
import re
import resource
import sqlite3
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import server
from server.doctor.findings import Finding, error, fine, warning
from server.limits import (
    DOCTOR_CLOCK_SECONDS_MAX,
    DOCTOR_FILES_LOW,
    DOCTOR_FILES_MIN,
    DOCTOR_STEP_SECONDS_MAX,
)

__all__ = [
    "LOCK_FILE",
    "Clocks",
    "check_clock",
    "check_files",
    "check_memory",
    "check_packages",
    "check_programs",
    "check_steps",
    "memory_bytes",
]

LOCK_FILE = Path(server.__file__).parents[1] / "requirements.lock"
"""In a checkout; an installed package has none."""

_PYTHON = (3, 11), (3, 15)
_SQLITE = (3, 38, 0)
_BUILT_AT = 1_735_689_600
"""Start of 2025, in seconds since 1970: a clock that shows an earlier time is wrong."""

_MIB = 1024 * 1024
_PINNED = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^]]*])?==(\S+)( ;)?", re.MULTILINE)
_CGROUP = Path("/sys/fs/cgroup/memory.max")
_MEMINFO = Path("/proc/meminfo")


class Clocks(NamedTuple):
    """Both clocks at one moment, in seconds."""

    wall: float
    monotonic: float

    @classmethod
    def now(cls) -> Clocks:
        """Read them."""
        return cls(time.time(), time.monotonic())


def check_clock(folder: Path, now: float) -> Finding:
    """Whether the wall clock can be right: it is not before what was written to the folder."""
    written = [path.stat().st_mtime for path in folder.glob("*")] if folder.is_dir() else []
    behind = max(written, default=0.0) - now
    advice = "set the clock, by NTP if you can; timers and tokens go by it"
    if now < _BUILT_AT:
        return error("clock", f"it shows {time.strftime('%Y-%m-%d', time.gmtime(now))}", advice)
    if behind > DOCTOR_CLOCK_SECONDS_MAX:
        text = f"it is {behind:.0f} s behind what was last written to {folder}"
        return error("clock", text, advice)
    return fine("clock", time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(now)))


def check_steps(began: Clocks, ended: Clocks) -> Iterator[Finding]:
    """Whether somebody moved the wall clock meanwhile."""
    step = (ended.wall - began.wall) - (ended.monotonic - began.monotonic)
    if abs(step) > DOCTOR_STEP_SECONDS_MAX:
        text = f"it was moved by {step:+.3f} s while we looked"
        yield warning("clock", text, "let NTP slew the clock (chrony) and not step it")


def check_files(soft: int | None = None) -> Finding:
    """Whether enough files may be open; each connection is one."""
    if soft is None:
        soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    if soft == resource.RLIM_INFINITY:
        return fine("files", "any number may be open")
    text = f"{soft:,} may be open, each connection is one"
    advice = "`ulimit -n 65536`, or LimitNOFILE=65536 in the unit"
    if soft < DOCTOR_FILES_MIN:
        return error("files", text, advice)
    return warning("files", text, advice) if soft < DOCTOR_FILES_LOW else fine("files", text)


def memory_bytes(cgroup: Path = _CGROUP, meminfo: Path = _MEMINFO) -> int | None:
    """What this process may take: its control group's bound or the machine's; None if unknown."""
    found = []
    with contextlib.suppress(OSError, ValueError):  # no control group, or one without a bound
        found.append(int(cgroup.read_text(encoding="ascii")))
    try:
        total = re.search(
            r"^MemTotal:\s+(\d+) kB", meminfo.read_text(encoding="ascii"), re.MULTILINE
        )
    except OSError:
        total = None
    if total is not None:
        found.append(int(total[1]) * 1024)
    return min(found, default=None)


def check_memory(budget: int, available: int | None) -> Iterator[Finding]:
    """Whether the actors' budget fits into the memory that there is."""
    if available is None:
        return
    text = f"actors may take {budget // _MIB:,} of {available // _MIB:,} MiB"
    if budget > available:
        yield warning("memory", text, "lower `memory_budget`, or give more memory")
    else:
        yield fine("memory", text)


def check_programs(
    python: tuple[int, ...] = sys.version_info[:3],
    sqlite: tuple[int, ...] = sqlite3.sqlite_version_info,
) -> Iterator[Finding]:
    """Whether Python and SQLite are of versions that we know."""
    text = f"Python {platform.python_version()}, SQLite {'.'.join(map(str, sqlite))}"
    first, last = _PYTHON
    if not first <= python[:2] < last:
        numbers = ".".join(map(str, python))
        yield error("versions", f"this is Python {numbers}", "use Python 3.11 to 3.14")
    elif sqlite < _SQLITE:
        yield error("versions", text, "use a Python with SQLite 3.38 or newer")
    else:
        yield fine("versions", text)
    try:
        yield fine("uvloop", importlib.metadata.version("uvloop"))
    except importlib.metadata.PackageNotFoundError:
        yield error("uvloop", "it is not installed", "`pip install uvloop`")


def check_packages(lock_file: Path = LOCK_FILE) -> Finding:
    """Whether what is installed is what was tested."""
    try:
        pinned = _PINNED.findall(lock_file.read_text(encoding="utf-8"))
    except OSError:
        return fine("packages", "there is no lock file to compare with")
    others = []
    for name, wanted, marker in pinned:
        try:
            found = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            if not marker:  # else it may be for another machine
                others.append(f"{name} is missing")
            continue
        if found != wanted:
            others.append(f"{name} is {found}, not {wanted}")
    if others:
        advice = f"`pip install --require-hashes -r {lock_file}`"
        return warning("packages", "; ".join(others), advice)
    return fine("packages", f"{len(pinned)} as in {lock_file.name}")
