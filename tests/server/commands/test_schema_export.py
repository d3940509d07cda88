"""Exported definitions of our own modules are what the official tools accept."""

from __future__ import annotations

import copy
import json

import pytest
from command_line import ROOT, run
from definition_rules import check_definition

EXAMPLES = sorted(path.parent.name for path in ROOT.glob("examples/*/__init__.py"))
MODULES = ("actors.domains.entry", "shapes_module", *(f"examples.{name}" for name in EXAMPLES))


@pytest.fixture(scope="module")
def exported() -> dict[tuple[str, str], dict]:
    found = {}
    for module in MODULES:
        for version in ("9", "10"):
            done = run("schema", "export", "--module", module, "--version", version)
            assert done.returncode == 0, done.stderr
            found[module, version] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("version", ["9", "10"])
@pytest.mark.parametrize("module", MODULES)
def test_a_definition_keeps_the_rules(exported, module, version):
    wrapped = exported[module, version]
    assert list(wrapped) == [f"V{version}"]
    check_definition(wrapped)


def table_of(wrapped: dict, name: str) -> dict:
    return next(table for table in wrapped["V9"]["tables"] if table["name"] == name)


def lose_a_constraint(wrapped: dict) -> None:
    table_of(wrapped, "layer")["constraints"].clear()


def lose_an_index(wrapped: dict) -> None:
    table_of(wrapped, "layer")["indexes"].pop(0)


def lose_a_name(wrapped: dict) -> None:
    wrapped["V9"]["types"].pop()


def order_by_itself(wrapped: dict) -> None:
    wrapped["V9"]["types"][0]["custom_ordering"] = False


def point_nowhere(wrapped: dict) -> None:
    wrapped["V9"]["reducers"][0]["params"]["elements"].append(
        {"name": {"some": "x"}, "algebraic_type": {"Ref": 999}}
    )


def stand_inline(wrapped: dict) -> None:
    field = {"name": {"some": "x"}, "algebraic_type": {"U8": []}}
    inline = {"Product": {"elements": [field]}}
    wrapped["V9"]["reducers"][0]["params"]["elements"].append(
        {"name": {"some": "y"}, "algebraic_type": inline}
    )


def share_a_name(wrapped: dict) -> None:
    wrapped["V9"]["reducers"][1]["name"] = wrapped["V9"]["reducers"][0]["name"]


def name_it_otherwise(wrapped: dict) -> None:
    table_of(wrapped, "layer")["indexes"][0]["name"] = {"some": "my_index"}


@pytest.mark.parametrize(
    "spoil",
    [
        *(lose_a_constraint, lose_an_index, lose_a_name, order_by_itself),
        *(point_nowhere, stand_inline, share_a_name, name_it_otherwise),
    ],
)
def test_the_rules_find_what_breaks_them(exported, spoil):
    wrapped = copy.deepcopy(exported["shapes_module", "9"])
    check_definition(wrapped)
    spoil(wrapped)
    with pytest.raises((AssertionError, KeyError)):
        check_definition(wrapped)


def test_a_file_is_written_but_never_over_another(tmp_path, exported):
    out = tmp_path / "chat.json"
    command = ("schema", "export", "--module", "examples.chat", "--out", str(out))
    for _ in range(2):
        done = run(*command)
        assert (done.returncode, done.stdout) == (0, "")
        assert json.loads(out.read_text()) == exported["examples.chat", "10"]
    out.write_text('{"mine": 1}')
    refused = run(*command)
    assert refused.returncode == 2
    assert "was not generated" in refused.stderr
    assert out.read_text() == '{"mine": 1}'
