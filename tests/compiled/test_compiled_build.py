"""The wheel with compiled modules: it is built from this checkout and passes the same tests."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]
SUITES = (
    "actors/datastore",
    "actors/host",
    "actors/subscriptions",
    "persistence/test_sqlite_appends.py",
    "persistence/test_sqlite_filing.py",
    "persistence/test_unfiled.py",
    "protocol/test_client_v1.py",
    "protocol/test_connection.py",
    "protocol/test_messages_v1.py",
    "protocol/test_messages_v2.py",
    "server/test_frames.py",
    "server/test_socket.py",
)
"""Whatever goes through compiled modules and needs no minutes."""

SOURCES_ONLY = {
    "actors/host/test_loop_actor.py": "its actors are subclasses of a compiled class",
    "actors/host/test_durability.py::test_calls_while_the_store_recovers_are_kept": "patches it",
    (
        "actors/host/test_failing_turns.py::test_what_escapes_from_a_turn_takes_nobody_with_it"
    ): "has a turn of its own",
    "actors/host/test_inspection.py::test_what_a_message_took_and_waits_for_is_listed": "the same",
    "actors/host/test_inspection.py::test_a_store_that_cannot_be_read_is_said": "patches it",
    "actors/host/test_orders.py::test_a_checkpoint_that_fails_is_said_and_loses_nothing": "same",
    "actors/host/test_population_bench.py": "starts a program of its own, from the sources",
}
"""Tests that replace what a compiled class does, which only classes made of Python allow."""


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    """A folder with the installed wheel."""
    compiler = (sysconfig.get_config_var("CC") or "cc").split()[0]
    if shutil.which(compiler) is None:
        pytest.skip(f"there is no C compiler {compiler}")
    if importlib.util.find_spec("hatch_mypyc") is None:
        pytest.skip("hatch-mypyc is not installed")
    folder = tmp_path_factory.mktemp("compiled")
    run(
        *("-m", "build", "--no-isolation", "--outdir", str(folder / "dist"), str(CHECKOUT)),
        HATCH_BUILD_HOOK_ENABLE_MYPYC="1",
    )
    (wheel,) = folder.glob("dist/*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "site")
    shutil.copytree(CHECKOUT / "examples", folder / "site" / "examples")
    return folder / "site"


def run(*arguments: str, cwd: Path = CHECKOUT, **environment: str) -> str:
    """Run Python; what it prints is told when it fails."""
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=cwd,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-8_000:]
    return done.stdout


@pytest.mark.timeout(900)
def test_the_wheel_runs_compiled(site):
    program = (
        "import actors.host.session, server.transport.connection\n"
        "from server.build import running_build\n"
        "print(actors.host.session.__file__, running_build().value)\n"
    )
    said = run("-c", program, cwd=site, PYTHONPATH=str(site))
    assert said.startswith(str(site))
    assert said.endswith(" compiled\n")


@pytest.mark.timeout(900)
def test_the_same_tests_pass(site):
    tests = CHECKOUT / "tests"
    options = [f"--deselect=tests/{name}" for name in SOURCES_ONLY]
    said = run(
        *("-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", str(CHECKOUT / "pyproject.toml")),
        *("--rootdir", str(CHECKOUT), *options, *(str(tests / suite) for suite in SUITES)),
        cwd=site,
        PYTHONPATH=str(site),
    )
    assert " passed" in said
