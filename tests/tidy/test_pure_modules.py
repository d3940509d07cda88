"""Pure modules stay pure, names that are offered exist, and nothing imports in circles."""

from __future__ import annotations

import ast
import re

import pytest
from source_tree import PACKAGES, Source, imported, source, sources

IMPORTS_BANNED = {
    "random": "ctx.rng, or a SplitMix64 that somebody seeded",
    "secrets": "ctx.new_id, or a seed that comes from outside",
    "time": "the time that the caller gives (ctx.timestamp, now)",
    "datetime": "microseconds since the Unix epoch, as integers",
    "uuid": "ctx.new_id",
    "os": "a value that the composition root gives",
    "socket": "bytes in, bytes out",
    "threading": "a turn: one owner, one queue",
    "multiprocessing": "another actor",
    "asyncio": "outputs as data, or a callback",
    "subprocess": "an effect request",
    "pathlib": "bytes or text that the caller read",
}
"""What pure modules must not import, and what to use instead."""

IMPORTS_ALLOWED = {
    "actors/module/types.py": {"uuid"},  # the value type of Uuid columns
    "protocol/sql/literals.py": {"datetime", "uuid"},  # reads texts; asks no clock
    "protocol/bsatn/decoder.py": {"uuid"},
    "protocol/sats_json/reader.py": {"uuid"},
    "protocol/sats_json/writer.py": {"uuid"},
}

ISSUE = re.compile(r"(?<![&\w])#\d+\b|\b(issue|ticket|pull request) \d+", re.IGNORECASE)
PLACE = re.compile(r"https?://[\w.-]*(registry|mirror|pypi)|(?<![\w.])/(home|Users)/\w")
"""Addresses of registries, and folders of somebody's machine."""


def test_there_is_something_to_look_at():
    assert {module.path.partition("/")[0] for module in sources()} == set(PACKAGES)
    assert sum(module.is_pure for module in sources()) > 50


@pytest.mark.parametrize("module", [m for m in sources() if m.is_pure], ids=lambda m: m.path)
def test_a_pure_module_touches_nothing_of_the_world(module):
    allowed = IMPORTS_ALLOWED.get(module.path, set())
    used = {name.partition(".")[0] for name in imported(module)} & IMPORTS_BANNED.keys()
    for name in sorted(used - allowed):
        pytest.fail(f"imports {name}; instead: {IMPORTS_BANNED[name]}")
    assert allowed <= used, f"no longer needed: {sorted(allowed - used)}"
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Call):
            name = ast.unparse(node.func)
            assert name not in {"open", "input", "breakpoint"}, f"{name}: pure modules do no I/O"


@pytest.mark.parametrize("module", sources(), ids=lambda m: m.path)
def test_what_a_module_offers_is_there(module):
    offered = _offered(module)
    assert len(offered) == len(set(offered)), "a name is offered twice"
    missing = set(offered) - _bound(module)
    assert not missing, f"__all__ names {sorted(missing)}, which is not there"


@pytest.mark.parametrize("module", sources(), ids=lambda m: m.path)
def test_a_module_speaks_of_the_project_alone(module):
    for pattern in (ISSUE, PLACE):
        found = pattern.search(module.text)
        assert not found, f"{found} is no business of the reader"


@pytest.mark.parametrize("package", ["protocol", "persistence", "actors", "server"])
def test_the_tree_of_errors_shows_nothing_else(package):
    module = source(f"{package}/errors.py")
    classes = {node.name for node in module.tree.body if isinstance(node, ast.ClassDef)}
    shown = set(re.findall(r"\b[A-Z]\w*Error\b", ast.get_docstring(module.tree) or ""))
    assert shown == classes


def test_modules_do_not_import_each_other_in_circles():
    names = {module.dotted for module in sources()}
    graph = {
        module.dotted: sorted((imported(module) & names) - {module.dotted}) for module in sources()
    }
    done: set[str] = set()

    def visit(name: str, trail: tuple[str, ...]) -> None:
        circle = [*trail[trail.index(name) :], name] if name in trail else []
        assert not circle, " imports ".join(circle)
        if name not in done:
            for other in graph[name]:
                # A package runs before its modules do; that alone is no circle.
                if not name.startswith(f"{other}."):
                    visit(other, (*trail, name))
            done.add(name)

    for name in sorted(graph):
        visit(name, ())


def _offered(module: Source) -> list[str]:
    for node in module.tree.body:
        if isinstance(node, ast.Assign | ast.AnnAssign) and _targets(node) == ["__all__"]:
            assert node.value is not None
            return list(ast.literal_eval(node.value))
    return []


def _bound(module: Source) -> set[str]:
    """Names bound at the top of a module, branches included."""
    found: set[str] = set()
    pending: list[ast.stmt] = list(module.tree.body)
    while pending:
        node = pending.pop()
        if isinstance(node, ast.If | ast.Try):
            pending += [*node.body, *node.orelse]
            pending += [inner for handler in _handlers(node) for inner in handler.body]
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            found.update(alias.asname or alias.name.partition(".")[0] for alias in node.names)
        else:
            found.update(_targets(node))
    return found


def _handlers(node: ast.stmt) -> list[ast.ExceptHandler]:
    return node.handlers if isinstance(node, ast.Try) else []


def _targets(node: ast.stmt) -> list[str]:
    targets: list[ast.expr] = []
    if isinstance(node, ast.Assign):
        targets = node.targets
    elif isinstance(node, ast.AnnAssign):
        targets = [node.target]
    elements = [e for t in targets for e in (t.elts if isinstance(t, ast.Tuple) else [t])]
    return [element.id for element in elements if isinstance(element, ast.Name)]
