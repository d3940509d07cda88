"""The list of modules that are compiled, held against the source tree."""

from __future__ import annotations

import ast
import tomllib

import pytest
from source_tree import ROOT, Source, sources

HOOK = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"][
    "wheel"
]["hooks"]["mypyc"]
COMPILED = [entry.removeprefix("/") for entry in HOOK["include"]]


def test_the_list_names_modules_that_there_are_once_and_in_order():
    assert all((ROOT / path).is_file() for path in COMPILED)
    assert sorted(set(COMPILED)) == COMPILED


@pytest.mark.parametrize("module", sources(), ids=lambda module: module.path)
def test_what_inherits_from_a_compiled_class_is_compiled(module):
    """Python refuses other subclasses of compiled classes, when they are made."""
    if module.path in COMPILED:
        return
    foreign = compiled_classes(module)
    for node in ast.walk(module.tree):
        if isinstance(node, ast.ClassDef):
            bases = {base.id for base in node.bases if isinstance(base, ast.Name)}
            assert not bases & foreign, f"{node.name} inherits from {bases & foreign}"


def compiled_classes(module: Source) -> set[str]:
    """Names in a module that stand for classes of compiled ones, tuples and protocols aside."""
    found = set()
    for node in ast.walk(module.tree):
        if isinstance(node, ast.ImportFrom) and node.module is not None:
            classes = CLASSES.get(node.module, set())
            found.update(
                alias.asname or alias.name for alias in node.names if alias.name in classes
            )
    return found


def native_classes(module: Source) -> set[str]:
    names = set()
    for node in module.tree.body:
        if isinstance(node, ast.ClassDef):
            bases = {ast.unparse(base).partition("[")[0] for base in node.bases}
            if not bases & {"NamedTuple", "Protocol", "Enum", "Exception"}:
                names.add(node.name)
    return names


CLASSES = {module.dotted: native_classes(module) for module in sources() if module.path in COMPILED}
