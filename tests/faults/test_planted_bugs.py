"""Tests find the bugs that they are there for: each is planted into a copy, and its test fails."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from planted import BUGS, Bug

pytestmark = pytest.mark.crash

ROOT = Path(__file__).parents[2]
PACKAGES = ("protocol", "persistence", "actors", "server", "tests")
LEFT_OUT = shutil.ignore_patterns("node", "__pycache__")
FIRST_FAILURE = """
from hypothesis import Phase, settings

settings.register_profile("planted", phases=[Phase.explicit, Phase.generate])
settings.load_profile("planted")
"""
"""Any failure will do: no time is spent on finding a smaller one."""

FAILED = 1
"""Exit code of pytest when tests ran and some did not pass."""


@pytest.fixture(scope="module")
def tree(tmp_path_factory) -> Path:
    """A copy of the sources and their tests."""
    copy = tmp_path_factory.mktemp("tree")
    for name in PACKAGES:
        shutil.copytree(ROOT / name, copy / name, ignore=LEFT_OUT)
    shutil.copy(ROOT / "pyproject.toml", copy)
    (copy / "conftest.py").write_text(FIRST_FAILURE)
    return copy


def _run(tree: Path, *tests: str) -> subprocess.CompletedProcess[str]:
    """Run tests of the copy, on the copy."""
    return subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-q", "-x", "--no-header", "--timeout=60"),
            *("-p", "no:cacheprovider", "--hypothesis-seed=0", *tests),
        ],
        cwd=tree,
        env=os.environ | {"PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )


def test_without_bugs_everything_passes(tree):
    done = _run(tree, *sorted({bug.test for bug in BUGS.values()}))
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", BUGS)
def test_a_planted_bug_is_found(tree, name):
    bug: Bug = BUGS[name]
    file = tree / bug.file
    sound = file.read_text()
    assert sound.count(bug.old) == 1, f"{bug.file} has changed: this bug must be planted anew"
    file.write_text(sound.replace(bug.old, bug.new))
    try:
        done = _run(tree, bug.test)
    finally:
        file.write_text(sound)
    assert done.returncode == FAILED, f"{bug.test} does not find it\n{done.stdout}{done.stderr}"
    assert "1 failed" in done.stdout, done.stdout
