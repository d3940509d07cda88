from __future__ import annotations

import io

import pytest
from report_loads import BEGAN, MACHINE, outcome, report
from rich.console import Console
from typer.testing import CliRunner

from loadtest import cli
from loadtest.errors import ReportError
from loadtest.reports.document import read_report, write_report
from loadtest.reports.publishing import Publication, compare_reports, publish
from loadtest.reports.slo import parse_slo


@pytest.fixture
def console():
    return Console(file=io.StringIO(), width=140, color_system=None)


def published(console, folder, *slos, against=None, **changes):
    publication = Publication(folder, [parse_slo(slo) for slo in slos], against)
    earlier = publication.earlier()
    return publish(outcome(**changes), BEGAN, publication, earlier, console)


def test_a_good_load_is_document_and_page(console, tmp_path) -> None:
    folder = tmp_path / "made" / "here"
    assert published(console, folder, "p99<1s") == 0
    found = read_report(folder / "report.json")
    assert found.model_copy(update={"machine": MACHINE}) == report("p99<1s")
    assert (folder / "report.html").read_text().startswith("<!doctype html>")
    assert str(folder / "report.html") in console.file.getvalue()


def test_exit_codes_tell_broken_rules_from_bounds(console, tmp_path) -> None:
    assert published(console, tmp_path, "p99<1us") == 3
    assert published(console, tmp_path, "p99<1us", broken=["a rule"]) == 1
    assert published(console, tmp_path, broken=["a rule"]) == 1


def test_a_load_that_became_worse_is_told_by_its_exit_code(console, tmp_path) -> None:
    before, after = tmp_path / "before", tmp_path / "after"
    published(console, before)
    assert published(console, after, against=before, seed=2) == 0
    assert published(console, after, against=before / "report.json", seed=2, slower=2.0) == 3
    assert "Beside the earlier load" in (after / "report.html").read_text()
    assert published(console, before, against=after) == 0


def test_an_earlier_report_is_read_before_the_load(tmp_path) -> None:
    with pytest.raises(ReportError, match="No such file"):
        Publication(tmp_path, against=tmp_path / "nothing").earlier()


def test_what_cannot_be_written_is_one_line(console, tmp_path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ReportError, match="Not a directory"):
        published(console, tmp_path / "file" / "folder")
    write_report(tmp_path / "report.json", report())
    with pytest.raises(ReportError, match="No such file"):
        compare_reports(tmp_path, tmp_path, 1.1, tmp_path / "nowhere" / "page.html", console)


def run(*arguments):
    return CliRunner().invoke(cli.app, ["compare", *map(str, arguments)])


@pytest.fixture
def loads(tmp_path):
    paths = [tmp_path / name for name in ("before.json", "after.json")]
    for path, slower in zip(paths, (1.0, 1.5), strict=True):
        write_report(path, report(slower=slower, seed=int(slower * 2)))
    return paths


def test_the_command_compares(loads, tmp_path) -> None:
    before, after = loads
    page = tmp_path / "page.html"
    found = run(before, after, "--html", page)
    assert found.exit_code == 3
    assert "worse" in found.output
    assert "Beside the earlier load" in page.read_text()
    assert run(after, before).exit_code == 0
    assert run(before, after, "--threshold", "2").exit_code == 0


def test_wrong_arguments_are_told_apart(loads, tmp_path) -> None:
    before, _ = loads
    assert run(before).exit_code == 2
    assert run(before, before, "--threshold", "1").exit_code == 2
    assert isinstance(run(before, tmp_path / "nothing").exception, ReportError)
