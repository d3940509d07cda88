"""Checks of the data folder: who may read and write it, who uses it, and its disk."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from server.admin.tokens import ADMIN_TOKEN_FILE, AdminTokens
from server.doctor.findings import Finding, error, fine, warning
from server.errors import KeyFileError
from server.identity.issuers import TrustedIssuers
from server.identity.keys import CLUSTER_SECRET_FILE, load_cluster_secret
from server.identity.secret_files import OTHERS
from server.identity.signing_keys import KEYS_FOLDER, SigningKeys, signing_key_files
from server.identity.tokens import Authenticator
from server.limits import (
    DOCTOR_DISK_BYTES_LOW,
    DOCTOR_DISK_BYTES_MIN,
    DOCTOR_SYNC_SECONDS_MAX,
)

__all__ = ["check_disk", "check_folder", "check_keys", "check_sync", "is_locked"]

_LOCK_FILE = "lock"
_MIB = 1024 * 1024


def check_folder(folder: Path) -> Finding:
    """Whether the folder can be worked in, by its owner alone."""
    if not folder.exists():
        parent = _existing(folder)
        if parent.is_dir() and os.access(parent, os.W_OK | os.X_OK):
            return fine("folder", f"{folder} is made at the first start")
        return error("folder", f"{folder} cannot be made", f"make {parent} a folder of yours")
    if not folder.is_dir():
        return error("folder", f"{folder} is not a folder", "name another one in `data_dir`")
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        advice = f"chown {os.geteuid()} {folder} && chmod 700 {folder}"
        return error("folder", f"{folder} is not ours to write", advice)
    if folder.stat().st_mode & OTHERS:
        return warning("folder", f"others may look into {folder}", f"chmod 700 {folder}")
    return fine("folder", str(folder))


def is_locked(folder: Path) -> bool:
    """Whether a server works in the folder now; the lock is tried for no longer than an instant."""
    try:
        descriptor = os.open(folder / _LOCK_FILE, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


async def check_keys(folder: Path, issuers: tuple[str, ...]) -> list[Finding]:
    """Whether the secrets of the folder are whole and nobody else's; those that are there."""
    findings: list[Finding] = []
    keys = folder / KEYS_FOLDER
    if keys.is_dir() and keys.stat().st_mode & OTHERS:
        findings.append(error("keys", f"others may look into {keys}", f"chmod 700 {keys}"))
    for path in (
        *signing_key_files(folder),
        folder / CLUSTER_SECRET_FILE,
        folder / ADMIN_TOKEN_FILE,
    ):
        if path.exists() and path.stat().st_mode & OTHERS:
            advice = f"chmod 600 {path}, and delete it to get a new one if others used the machine"
            findings.append(error("keys", f"others may read {path}", advice))
    if findings:
        return findings
    try:
        present = await _load_keys(folder, issuers)
    except KeyFileError as fault:
        advice = "restore it from a backup; a new key makes every token invalid"
        findings.append(error("keys", str(fault), advice))
    except OSError as fault:
        advice = f"make the files of {folder} yours"
        findings.append(error("keys", f"{fault.filename}: {fault.strerror}", advice))
    else:
        text = ", ".join(present) if present else "made at the first start"
        findings.append(fine("keys", text))
    return findings


async def _load_keys(folder: Path, issuers: tuple[str, ...]) -> list[str]:
    """Load what is there, and only that: loading makes what is missing."""
    present = []
    if (folder / CLUSTER_SECRET_FILE).exists():
        load_cluster_secret(folder)
        present.append(CLUSTER_SECRET_FILE)
    files = signing_key_files(folder)
    if files:
        keys = SigningKeys.load(folder)
        present += [file.relative_to(folder).as_posix() for file in files]
        if (folder / ADMIN_TOKEN_FILE).exists():
            trusted = TrustedIssuers(issuers, time.monotonic)
            authenticator = Authenticator(keys, trusted, clock=lambda: time.time_ns() // 1_000)
            await AdminTokens.load(folder, authenticator, trusted)
            present.append(ADMIN_TOKEN_FILE)
    elif (folder / ADMIN_TOKEN_FILE).exists():
        raise KeyFileError(folder / ADMIN_TOKEN_FILE, "the key that signed it is gone")
    return present


def check_disk(folder: Path) -> Finding:
    """Whether the folder's disk has room."""
    usage = shutil.disk_usage(_existing(folder))
    text = f"{usage.free // _MIB:,} MiB free where {folder} is"
    advice = "make room, or keep less history (`retention`)"
    if usage.free < DOCTOR_DISK_BYTES_MIN:
        return error("disk", text, advice)
    if usage.free < DOCTOR_DISK_BYTES_LOW:
        return warning("disk", text, advice)
    return fine("disk", text)


def check_sync(folder: Path) -> Iterator[Finding]:
    """Whether the folder's disk makes a write durable in good time; every commit waits for that."""
    if not folder.is_dir():
        return
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(bytes(4096))
            file.flush()
            began = time.monotonic()
            os.fsync(file.fileno())
            seconds = time.monotonic() - began
    except OSError as fault:
        advice = "free the disk, or name another folder in `data_dir`"
        yield error("disk", f"{folder} takes no writes: {fault.strerror}", advice)
        return
    text = f"a write is durable after {seconds * 1000:.1f} ms"
    if seconds > DOCTOR_SYNC_SECONDS_MAX:
        yield warning("disk", text, "use a disk of its own, or one with a protected cache")
    else:
        yield fine("disk", text)


def _existing(path: Path) -> Path:
    """The path, or the nearest folder above it that is there."""
    return next(place for place in (path.absolute(), *path.absolute().parents) if place.exists())
