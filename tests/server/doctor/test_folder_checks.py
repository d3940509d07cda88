from __future__ import annotations

import time
from pathlib import Path

import pytest

from persistence.folder import DataFolder
from server.admin.roles import Role
from server.admin.tokens import ADMIN_TOKEN_FILE, AdminTokens, mint_admin_token
from server.doctor import folder_checks
from server.doctor.findings import Level
from server.doctor.folder_checks import (
    check_disk,
    check_folder,
    check_keys,
    check_sync,
    is_locked,
)
from server.identity.issuers import TrustedIssuers
from server.identity.keys import CLUSTER_SECRET_FILE, load_cluster_secret
from server.identity.signing_keys import KEYS_FOLDER, SIGNING_KEY_FILE, SigningKeys
from server.identity.tokens import Authenticator


def authenticator(folder) -> Authenticator:
    issuers = TrustedIssuers((), time.monotonic)
    return Authenticator(SigningKeys.load(folder), issuers, clock=lambda: time.time_ns() // 1_000)


@pytest.fixture
async def kept(tmp_path):
    """A data folder with all its secrets."""
    folder = tmp_path / "data"
    load_cluster_secret(folder)
    await AdminTokens.load(folder, authenticator(folder), TrustedIssuers((), time.monotonic))
    return folder


def test_a_folder_of_ours(tmp_path):
    folder = tmp_path / "data"
    assert check_folder(folder).level is Level.OK
    assert not folder.exists()
    folder.mkdir(mode=0o700)
    assert check_folder(folder).level is Level.OK


def test_a_folder_that_others_may_look_into(tmp_path):
    tmp_path.chmod(0o755)
    found = check_folder(tmp_path)
    assert found.level is Level.WARNING
    assert found.advice == f"chmod 700 {tmp_path}"


def test_a_file_in_the_place_of_the_folder(tmp_path):
    file = tmp_path / "file"
    file.touch()
    assert check_folder(file).level is Level.ERROR
    assert check_folder(file / "data").level is Level.ERROR


def test_a_folder_that_is_in_use(tmp_path):
    assert not is_locked(tmp_path)
    folder = DataFolder(tmp_path)
    folder.acquire()
    assert is_locked(tmp_path)
    folder.release()
    assert not is_locked(tmp_path)
    folder.acquire()  # asking has taken nothing away
    folder.release()


async def test_secrets_that_are_whole_or_not_made_yet(tmp_path, kept):
    (found,) = await check_keys(kept, ())
    assert found.level is Level.OK
    assert ADMIN_TOKEN_FILE in found.text
    (found,) = await check_keys(tmp_path / "nowhere", ())
    assert found.level is Level.OK
    assert not (tmp_path / "nowhere").exists()


async def test_a_folder_of_keys_that_others_may_look_into(kept):
    (kept / KEYS_FOLDER).chmod(0o755)
    (found,) = await check_keys(kept, ())
    assert found.level is Level.ERROR
    assert found.advice == f"chmod 700 {kept / KEYS_FOLDER}"


@pytest.mark.parametrize("name", [SIGNING_KEY_FILE, CLUSTER_SECRET_FILE, ADMIN_TOKEN_FILE])
async def test_secrets_that_others_may_read(kept, name):
    (kept / name).chmod(0o640)
    (found,) = await check_keys(kept, ())
    assert found.level is Level.ERROR
    assert f"chmod 600 {kept / name}" in found.advice


@pytest.mark.parametrize("name", [SIGNING_KEY_FILE, CLUSTER_SECRET_FILE, ADMIN_TOKEN_FILE])
async def test_secrets_that_are_damaged(kept, name):
    (kept / name).write_bytes(b"scribble")
    (found,) = await check_keys(kept, ())
    assert found.level is Level.ERROR
    assert name in found.text


async def test_an_admin_token_of_another_key(tmp_path, kept):
    other = mint_admin_token(authenticator(tmp_path), Role.DANGER, "other", 60)
    (kept / ADMIN_TOKEN_FILE).write_text(other)
    (found,) = await check_keys(kept, ())
    assert found.level is Level.ERROR


async def test_an_admin_token_without_its_key(kept):
    (kept / SIGNING_KEY_FILE).unlink()
    (found,) = await check_keys(kept, ())
    assert found.level is Level.ERROR
    assert not (kept / SIGNING_KEY_FILE).exists()


@pytest.mark.parametrize(
    ("limit", "level"),
    [("DOCTOR_DISK_BYTES_MIN", Level.ERROR), ("DOCTOR_DISK_BYTES_LOW", Level.WARNING)],
)
def test_a_disk_without_room(tmp_path, monkeypatch, limit, level):
    assert check_disk(tmp_path / "not/there/yet").level is not Level.ERROR
    monkeypatch.setattr(folder_checks, limit, 2**62)
    assert check_disk(tmp_path).level is level


def test_a_disk_that_takes_no_writes(tmp_path):
    (found,) = check_sync(Path("/proc/self"))
    assert found.level is Level.ERROR
    assert list(check_sync(tmp_path / "nowhere")) == []


def test_a_disk_that_is_slow(tmp_path, monkeypatch):
    (found,) = check_sync(tmp_path)
    assert found.level in {Level.OK, Level.WARNING}
    assert list(tmp_path.iterdir()) == []
    monkeypatch.setattr(folder_checks, "DOCTOR_SYNC_SECONDS_MAX", -1.0)
    (found,) = check_sync(tmp_path)
    assert found.level is Level.WARNING
