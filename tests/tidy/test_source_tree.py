"""The rules of the house, held against the source tree itself."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("protocol", "persistence", "actors", "server", "loadtest")
SOURCES = sorted(path for name in PACKAGES for path in (ROOT / name).rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("*.py"))
EXAMPLES = sorted((ROOT / "examples").rglob("*.py"))

FILE_LINES_MAX = 500
FUNCTION_LINES_MAX = 70
LINE_COLUMNS_MAX = 100

BANNED_NAMES = {"utils", "util", "helpers", "helper", "manager", "common", "base", "misc"}
BANNED_CALLS = {
    "time.sleep": "wait on an event",
    "datetime.now": "take the time as a parameter",
    "datetime.utcnow": "take the time as a parameter",
    "os.system": "asyncio.create_subprocess_exec",
    "eval": "compile the source with exec at start-up, or parse it",
}
PRINTING = {"server/commands", "server/cli", "loadtest"}
MARKERS = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")
LIMIT = re.compile(r"^[A-Z][A-Z0-9_]*_(MAX|BYTES|SECONDS)$")


def relative(path):
    return str(path.relative_to(ROOT))


def parsed(path):
    return ast.parse(path.read_text())


def dotted(node):
    parts = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if isinstance(node, ast.Name):
        parts.append(node.id)
        return ".".join(reversed(parts))
    return ""


@pytest.mark.parametrize("path", SOURCES, ids=relative)
def test_a_module_says_what_it_is_and_what_it_offers(path):
    tree = parsed(path)
    assert ast.get_docstring(tree), "a module begins with its one responsibility"
    if path.name == "__main__.py":
        return
    names = [
        target.id
        for node in tree.body
        if isinstance(node, ast.Assign | ast.AnnAssign)
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
        if isinstance(target, ast.Name)
    ]
    defines = any(isinstance(node, ast.FunctionDef | ast.ClassDef) for node in tree.body)
    assert "__all__" in names or not defines, "public names belong into __all__"


@pytest.mark.parametrize("path", [*SOURCES, *TESTS, *EXAMPLES], ids=relative)
def test_a_file_can_be_read_at_once(path):
    lines = path.read_text().splitlines()
    assert len(lines) <= FILE_LINES_MAX
    too_long = [
        number
        for number, line in enumerate(lines, 1)
        if len(line) > LINE_COLUMNS_MAX and " " in line.strip()  # vectors cannot be broken
    ]
    assert not too_long, f"lines over {LINE_COLUMNS_MAX} columns: {too_long}"


@pytest.mark.parametrize("path", SOURCES, ids=relative)
def test_a_function_can_be_read_at_once(path):
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.end_lineno is not None
            assert node.end_lineno - node.lineno < FUNCTION_LINES_MAX, node.name


@pytest.mark.parametrize("path", SOURCES, ids=relative)
def test_a_name_says_something(path):
    assert path.stem not in BANNED_NAMES
    assert path.parent.name not in BANNED_NAMES


@pytest.mark.parametrize("path", SOURCES, ids=relative)
def test_banned_calls_have_a_replacement(path):
    may_print = any(relative(path).startswith(place) for place in PRINTING)
    for node in ast.walk(parsed(path)):
        if not isinstance(node, ast.Call):
            continue
        name = dotted(node.func)
        assert may_print or name != "print", "log, or answer"
        for banned, replacement in BANNED_CALLS.items():
            if name == banned or name.endswith(f".{banned}"):
                pytest.fail(f"line {node.lineno}: {banned}; instead: {replacement}")


@pytest.mark.parametrize(
    "path", [path for path in TESTS if path.name.startswith("test_")], ids=relative
)
def test_tests_wait_on_events(path):
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Call) and dotted(node.func) in {"time.sleep", "asyncio.sleep"}:
            is_yield = isinstance(node.args[0], ast.Constant) and node.args[0].value == 0
            assert is_yield, f"line {node.lineno}: a test that sleeps"


@pytest.mark.parametrize("path", SOURCES, ids=relative)
def test_limits_live_in_one_place_per_package(path):
    if path.name == "limits.py":
        return
    for node in parsed(path).body:
        targets = node.targets if isinstance(node, ast.Assign) else []
        if isinstance(node, ast.AnnAssign):
            targets = [node.target]
        for target in targets:
            if isinstance(target, ast.Name) and isinstance(node.value, ast.Constant):
                assert not LIMIT.match(target.id), f"{target.id} belongs into limits.py"


@pytest.mark.parametrize("path", [*SOURCES, *TESTS, *EXAMPLES], ids=relative)
def test_nothing_is_left_over(path):
    if path != Path(__file__).resolve():
        assert not MARKERS.search(path.read_text())


@pytest.mark.parametrize("name", ["protocol", "persistence", "actors", "server"])
def test_the_error_tree_is_printed(name):
    tree = parsed(ROOT / name / "errors.py")
    printed = ast.get_docstring(tree) or ""
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            assert node.name in printed, f"{node.name} is missing in the docstring of errors.py"


@pytest.mark.parametrize("name", PACKAGES)
def test_packages_are_typed(name):
    assert (ROOT / name / "py.typed").exists()


def test_test_modules_have_names_of_their_own():
    names = [path.name for path in TESTS if path.name.startswith("test_")]
    assert len(names) == len(set(names))
