from __future__ import annotations

import subprocess
import sys


def run(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "server", "loadtest", *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_the_rest_of_the_line_is_the_load_tests(tmp_path):
    shown = run("compare", "--help")
    assert (shown.returncode, "compare" in shown.stdout) == (0, True)
    missing = run("compare", str(tmp_path / "a"), str(tmp_path / "b"))
    assert (missing.returncode, missing.stdout) == (1, "")
    assert str(tmp_path / "a") in missing.stderr
