"""The build as the ready line says it."""

from __future__ import annotations

import os
import sys
from importlib.machinery import EXTENSION_SUFFIXES
from types import ModuleType

import pytest

from server.build import Build, running_build


@pytest.fixture(autouse=True)
def _only_sources(monkeypatch):
    """What this very test run imported is not what the tests are about."""
    for name, module in tuple(sys.modules.items()):
        if (getattr(module, "__file__", None) or "").endswith(tuple(EXTENSION_SUFFIXES)):
            monkeypatch.delitem(sys.modules, name)


@pytest.fixture
def imported(monkeypatch, tmp_path):
    """Imports a module from a library and its source, changed at two times."""

    def put(name: str, *, library: int, source: int) -> None:
        short = name.rpartition(".")[2]
        module = ModuleType(name)
        files = (tmp_path / f"{short}{EXTENSION_SUFFIXES[0]}", tmp_path / f"{short}.py")
        module.__file__ = str(files[0])
        for path, changed in zip(files, (library, source), strict=True):
            path.touch()
            os.utime(path, (changed, changed))
        monkeypatch.setitem(sys.modules, name, module)

    return put


def test_sources_alone_are_a_pure_build():
    assert running_build() is Build.PURE


def test_libraries_of_others_do_not_count(imported):
    imported("orjson.orjson", library=1, source=1)
    assert running_build() is Build.PURE


def test_a_library_beside_its_source_is_a_compiled_build(imported):
    imported("actors.host.turnstile", library=5, source=5)
    imported("protocol.messages.v9", library=5, source=4)
    assert running_build() is Build.COMPILED


def test_one_source_that_has_changed_since_makes_it_stale(imported):
    imported("actors.host.turnstile", library=5, source=5)
    imported("protocol.messages.v9", library=5, source=6)
    assert running_build() is Build.STALE


def test_installed_sources_do_not_change_whatever_their_times_say(imported, monkeypatch, tmp_path):
    monkeypatch.setattr("server.build.__file__", str(tmp_path / "server" / "build.py"))
    imported("actors.host.turnstile", library=5, source=6)
    assert running_build() is Build.COMPILED
