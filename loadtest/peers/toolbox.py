"""Toolbox: what the other servers are written with, installed by name in a cache folder."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from loadtest.errors import ServerProcessError
from loadtest.peers.limits import INSTALL_SECONDS_MAX

__all__ = ["Toolbox"]

_SERVERS = Path(__file__).parent / "servers"
_STAMP = ".installed"


class Toolbox:
    """Two folders below one: packages of npm in ``node``, a virtual environment in ``python``.

    Node.js itself is one of the packages, so that its version is the same everywhere.
    """

    def __init__(self, folder: Path) -> None:
        self._node = folder.resolve() / "node"
        self._python = folder.resolve() / "python"

    def node_command(self, script: str) -> list[str]:
        """Run one of our servers on Node.js."""
        return [str(self._node / "node_modules" / ".bin" / "node"), str(self._node / script)]

    def python_command(self, script: str) -> list[str]:
        """Run one of our servers on Python, this one's version, without our packages."""
        return [str(self._python / "bin" / "python"), "-I", str(_SERVERS / script)]

    def install(self) -> None:
        """Install what is missing or has changed; takes a minute the first time.

        Raises:
            ServerProcessError: a package manager failed; it has said why.
        """
        self._node.mkdir(parents=True, exist_ok=True)
        for script in _SERVERS.glob("*.mjs"):
            shutil.copy(script, self._node)
        packages = _SERVERS / "package.json"
        if not _is_stamped(self._node, packages):
            shutil.copy(packages, self._node)
            _run("npm", "install", "--prefix", str(self._node), "--no-audit", "--no-fund",
                 "--loglevel=error")  # fmt: skip
            _stamp(self._node, packages)
        requirements = _SERVERS / "requirements.txt"
        if not _is_stamped(self._python, requirements):
            _run(sys.executable, "-m", "venv", "--clear", str(self._python))
            _run(str(self._python / "bin" / "python"), "-m", "pip", "install", "--quiet",
                 "--disable-pip-version-check", "-r", str(requirements))  # fmt: skip
            _stamp(self._python, requirements)


def _is_stamped(folder: Path, wanted: Path) -> bool:
    stamp = folder / _STAMP
    return stamp.is_file() and stamp.read_text() == wanted.read_text()


def _stamp(folder: Path, wanted: Path) -> None:
    (folder / _STAMP).write_text(wanted.read_text())


def _run(*command: str) -> None:
    """Run one of our own commands; what it says goes where our own errors go."""
    try:
        subprocess.run(  # noqa: S603
            command, check=True, timeout=INSTALL_SECONDS_MAX, stdout=sys.stderr
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise ServerProcessError(f"{command[0]} failed: {error}") from None
