"""``loadtest run`` and ``loadtest compare`` as whole commands, against real servers."""

from __future__ import annotations

import asyncio
import os
import re
import sys

import pytest
from typer.testing import CliRunner

from loadtest import cli
from loadtest.reports.document import read_report


async def command(*arguments, folder):
    """Run the command in a folder; its exit code and everything that it printed."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "loadtest", *map(str, arguments)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "COLUMNS": "160"},
    )
    output, _ = await process.communicate()
    return process.returncode, output.decode()


LOAD = ("run", "bank", "--start-server", "--store", "memory:", "--users", "4", "--rate", "40",
        "--warm-up", "1", "--duration", "2")  # fmt: skip


async def test_a_load_is_run_reported_and_compared(tmp_path) -> None:
    slos = ("--slo", "p99<20s", "--slo", "errors<=0", "--slo", "transfer.rate>10")
    code, output = await command(*LOAD, *slos, "--out", "before", folder=tmp_path)
    assert code == 0, output
    assert "errors<=0" in output
    found = read_report(tmp_path / "before" / "report.json")
    assert found.seconds == 2.0
    assert [verdict.kept for verdict in found.verdicts] == [True, True, True]
    assert found.server_micros is not None
    assert found.arrivals == 80
    assert "store=memory" in found.server
    page = (tmp_path / "before" / "report.html").read_text()
    assert "Resident memory" in page
    code, output = await command(*LOAD, "--slo", "p50<1us", "--against", "before", folder=tmp_path)
    assert code == 3, output
    assert "not kept" in output
    assert "Beside the earlier load" in output
    (made,) = (tmp_path / ".genarrative" / "loads").iterdir()
    assert re.fullmatch(r"bank-\d{8}-\d{6}", made.name)
    code, output = await command("compare", "before", made, "--threshold", "1e9", folder=tmp_path)
    assert code == 0, output


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("run", "nothing"), "no such scenario: nothing"),
        ((*LOAD, "--slo", "p99"), "is no bound"),
        ((*LOAD, "--weight", "transfer"), "no weight: transfer"),
        ((*LOAD, "--protocol", "v9"), "no version of the wire: v9"),
        ((*LOAD, "--closed"), "a closed loop has no rate"),
        ((*LOAD, "--threshold", "1"), "greater than or equal to 1.001"),
        (("run", "bank", "--url", "file:///x"), "no address of a server"),
    ],
)
def test_wrong_arguments_end_before_the_load(tmp_path, monkeypatch, arguments, words) -> None:
    monkeypatch.chdir(tmp_path)
    found = CliRunner().invoke(cli.app, arguments)
    assert found.exit_code == 2
    assert words in " ".join(found.output.replace("│", " ").split())
    assert not list(tmp_path.iterdir())


async def test_a_missing_report_is_one_line(tmp_path) -> None:
    code, output = await command(*LOAD, "--against", "nothing", folder=tmp_path)
    assert code == 1
    assert output.strip() == "ReportError: nothing: No such file or directory"
    assert not list(tmp_path.iterdir())
