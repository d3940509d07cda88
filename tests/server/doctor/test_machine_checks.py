from __future__ import annotations

import importlib.metadata
import os
import time

import pytest

from server.doctor.findings import Level
from server.doctor.machine_checks import (
    LOCK_FILE,
    Clocks,
    check_clock,
    check_files,
    check_memory,
    check_packages,
    check_programs,
    check_steps,
    memory_bytes,
)

NOW = 1_800_000_000.0


def test_a_clock_that_can_be_right(tmp_path):
    (tmp_path / "journal").touch()
    assert check_clock(tmp_path, time.time()).level is Level.OK
    assert check_clock(tmp_path / "nowhere", NOW).level is Level.OK


def test_a_clock_that_was_never_set(tmp_path):
    found = check_clock(tmp_path, 86_400.0)
    assert found.level is Level.ERROR
    assert "1970-01-02" in found.text


def test_a_clock_behind_what_was_written(tmp_path):
    (tmp_path / "journal").touch()
    os.utime(tmp_path / "journal", (NOW, NOW))
    assert check_clock(tmp_path, NOW + 1).level is Level.OK
    found = check_clock(tmp_path, NOW - 90)
    assert found.level is Level.ERROR
    assert "90 s behind" in found.text


@pytest.mark.parametrize("step", [-3_600.0, -0.06, 0.06, 2.0])
def test_a_clock_that_is_moved(step):
    began = Clocks(NOW, 5.0)
    (found,) = check_steps(began, Clocks(NOW + 0.3 + step, 5.3))
    assert found.level is Level.WARNING
    assert list(check_steps(began, Clocks(NOW + 0.3, 5.3))) == []


@pytest.mark.parametrize(
    ("soft", "level"),
    [(64, Level.ERROR), (1_024, Level.WARNING), (65_536, Level.OK), (-1, Level.OK)],
)
def test_files(soft, level):
    found = check_files(soft)
    assert found.level is level
    assert ("LimitNOFILE" in found.advice) is (level is not Level.OK)


def test_memory(tmp_path):
    group, machine = tmp_path / "memory.max", tmp_path / "meminfo"
    assert memory_bytes(group, machine) is None
    assert list(check_memory(10, None)) == []
    machine.write_text("MemTotal:       16 kB\nMemFree: 3 kB\n")
    group.write_text("max\n")
    assert memory_bytes(group, machine) == 16_384
    group.write_text("4096\n")
    assert memory_bytes(group, machine) == 4_096
    (found,) = check_memory(4_097, 4_096)
    assert found.level is Level.WARNING
    (found,) = check_memory(4_096, 4_096)
    assert found.level is Level.OK


def test_programs_that_are_too_old_or_missing(monkeypatch):
    assert [found.level for found in check_programs()] == [Level.OK, Level.OK]
    assert next(check_programs(python=(3, 10, 12))).level is Level.ERROR
    assert next(check_programs(sqlite=(3, 31, 1))).level is Level.ERROR

    def missing(name: str) -> str:
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "version", missing)
    uvloop = list(check_programs())[-1]
    assert (uvloop.level, uvloop.advice) == (Level.ERROR, "`pip install uvloop`")


def test_packages(tmp_path):
    lock = tmp_path / "requirements.lock"
    assert check_packages(lock).level is Level.OK
    version = importlib.metadata.version("rich")
    lock.write_text(
        f"rich=={version} \\\n    --hash=sha256:00\n    # via us\n"
        "not-there-on-windows==1.0 ; sys_platform == 'win32' \\\n"
    )
    found = check_packages(lock)
    assert (found.level, found.text) == (Level.OK, "2 as in requirements.lock")
    lock.write_text("rich==0.1 \\\nredis[hiredis]==0.2\nnot-there-at-all==1.0 \\\n")
    found = check_packages(lock)
    assert found.level is Level.WARNING
    assert f"rich is {version}, not 0.1" in found.text
    assert "redis is " in found.text
    assert "not-there-at-all is missing" in found.text
    assert LOCK_FILE.is_file()
