from __future__ import annotations

import json

import pytest
from report_loads import report

from loadtest.errors import ReportError
from loadtest.reports.document import read_report, write_report


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "report.json"
    write_report(path, report("p99<1s", seconds=10, errors=2, broken=["a rule"]))
    return path


def test_a_report_is_read_as_it_was_written(path) -> None:
    assert read_report(path) == report("p99<1s", seconds=10, errors=2, broken=["a rule"])


def test_it_is_json_that_others_can_read(path) -> None:
    found = json.loads(path.read_text())
    assert found["schema_version"] == 1
    assert found["calls"]["choose"]["count"] == 900
    assert found["began"] == "2026-01-02T03:04:05Z"


def changed(path, place, value):
    found = json.loads(path.read_text())
    inner = found
    for name in place[:-1]:
        inner = inner[name]
    inner[place[-1]] = value
    path.write_text(json.dumps(found))


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (["schema_version"], 2),
        (["schema_version"], None),
        (["unknown"], 1),
        (["seconds"], 0),
        (["began"], "yesterday"),
        (["total", "count"], -1),
        (["total", "p99"], 0),
        (["total", "p99"], "fast"),
        (["total", "histogram"], "no base64 !"),
        (["total", "histogram"], "AAAA"),
        (["calls", "choose", "histogram"], "HISTFAAAAB542pNpmSzMwMDAwQABzFCaEUoz2X+AsQA/awK9"),
        (["points", 0, "server"], {"cpu": "much"}),
        (["points"], {}),
    ],
)
def test_what_is_no_report_is_refused(path, place, value) -> None:
    changed(path, place, value)
    with pytest.raises(ReportError, match="no report of this version"):
        read_report(path)


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", "\x00"])
def test_other_files_are_refused(path, text) -> None:
    path.write_text(text)
    with pytest.raises(ReportError, match="no report of this version"):
        read_report(path)


def test_missing_and_unwritable_files_are_one_line(tmp_path) -> None:
    with pytest.raises(ReportError, match="No such file"):
        read_report(tmp_path / "nothing.json")
    with pytest.raises(ReportError, match="No such file"):
        write_report(tmp_path / "nowhere" / "report.json", report(seconds=1))
