import ast
from pathlib import Path

import pytest

import actors.domains.rules

ROOT = Path(actors.domains.rules.__file__).parent
PURE = {
    "__future__",
    "base64",
    "bisect",
    "collections",
    "dataclasses",
    "enum",
    "functools",
    "hashlib",
    "itertools",
    "json",
    "pydantic",
    "re",
    "string",
    "types",
    "typing",
    "unicodedata",
    "xml",
}
OURS = (
    "actors.domains.domain_types",
    "actors.domains.rules",
    "actors.errors",
    "actors.module.types",
    "actors.rng",
    "protocol.types",
)


def imported(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0
            yield from (f"{node.module}.{name.name}" for name in node.names)


@pytest.mark.parametrize(
    "path", sorted(ROOT.rglob("*.py")), ids=lambda path: str(path.relative_to(ROOT))
)
def test_rules_import_nothing_that_could_surprise(path):
    for name in imported(path):
        assert name.partition(".")[0] in PURE or name.startswith(OURS), name


def test_there_are_rules_to_look_at():
    assert len(list(ROOT.rglob("*.py"))) > 20
