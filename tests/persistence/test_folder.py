from __future__ import annotations

import subprocess
import sys

import pytest

from persistence import DataFolder, FolderLockedError


def test_the_folder_is_made_for_its_owner_only(tmp_path):
    folder = DataFolder(tmp_path / "outer" / "data")
    folder.acquire()
    assert folder.path.stat().st_mode & 0o777 == 0o700
    folder.release()


def test_a_second_holder_is_refused(tmp_path):
    first, second = DataFolder(tmp_path), DataFolder(tmp_path)
    first.acquire()
    with pytest.raises(FolderLockedError, match="data folder is locked") as caught:
        second.acquire()
    assert caught.value.path == tmp_path
    first.release()
    first.release()
    second.acquire()
    second.release()


def test_the_lock_goes_with_its_process(tmp_path):
    hold = (
        "import sys\nfrom pathlib import Path\nfrom persistence import DataFolder\n"
        "folder = DataFolder(Path(sys.argv[1]))\nfolder.acquire()\n"
        "print('held', flush=True)\nsys.stdin.read()\n"
    )
    folder = DataFolder(tmp_path)
    with subprocess.Popen(
        [sys.executable, "-c", hold, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as child:
        assert child.stdout.readline() == b"held\n"
        with pytest.raises(FolderLockedError):
            folder.acquire()
        child.kill()
    folder.acquire()
    folder.release()
