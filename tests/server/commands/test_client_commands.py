"""Commands that ask a server: against one that serves, by processes as a user starts them."""

from __future__ import annotations

import json
import signal
import socket
import stat

import pytest
from command_line import Asked, begin, run, serving

POINT = '{"x": 1, "y": 2}'


@pytest.fixture(scope="module")
def asked(tmp_path_factory):
    with serving("shapes_module", tmp_path_factory.mktemp("asked") / "data") as running:
        yield running


def test_calls_and_queries(asked: Asked):
    for words in (("1", "sea", "true"), ("2", '"über"', "false"), ("3", 'a "b"', "true")):
        done = asked.run("call", "put_layer", *words)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    shown = asked.run("sql", "SELECT * FROM layer WHERE id < 4")
    assert shown.returncode == 0
    lines = [line.split() for line in shown.stdout.splitlines()]
    assert lines[0] == ["id", "name", "is_shown"]
    assert ["2", "über", "false"] in lines
    assert lines[-1][:2] == ["(3", "rows;"]
    (statement,) = json.loads(asked.run("sql", "SELECT * FROM layer", "--json").stdout)
    assert [1, "sea", True] in statement["rows"]
    assert [3, 'a "b"', True] in statement["rows"]


def test_every_type_can_be_an_argument(asked: Asked):
    corners = '{"Polygon": {"corners": [{"x": -1, "y": 2}]}}'
    done = asked.run(
        *("call", "draw", "triangle", "1", "Green", corners, "nick"),
        *("[-1, 2]", '"00ff"', "0.5", "1e3", str(2**100), '"-0x2a"'),
        *("00112233-4455-6677-8899-aabbccddeeff", '{"__time_duration_micros__": -5}'),
    )
    assert (done.returncode, done.stderr) == (0, "")
    query = "SELECT hue, nickname, picture, tally, debt, mark, span FROM shape"
    (statement,) = json.loads(asked.run("sql", query, "--json").stdout)
    mark = 0x00112233445566778899AABBCCDDEEFF
    wanted = [[1, []], [0, "nick"], "00ff", 2**100, "-0x2a", [mark], [-5]]
    assert statement["rows"] == [wanted]
    shown = asked.run("sql", "SELECT nickname, tally, mark FROM shape").stdout.splitlines()[1]
    assert shown.split() == ["nick", str(2**100), str(mark)]


def test_what_a_procedure_answers(asked: Asked):
    assert asked.run("call", "add_two", "40", "2").stdout == "42\n"
    answer = json.loads(asked.run("call", "add_two", "40", "2", "--json").stdout)
    assert answer["value"] == 42
    assert answer["execution_duration_micros"] >= 0
    summary = json.loads(asked.run("call", "summary", "999").stdout)
    assert summary == {"count": 0, "heaviest": {"none": []}, "hues": []}


@pytest.mark.parametrize(
    ("words", "code", "text"),
    [
        (("call", "refuse_after_writing"), 1, "shapes.refused: as asked"),
        (("call", "break_down"), 1, "The instance encountered a fatal error."),
        (("call", "divide", "1", "0"), 1, "The module instance encountered a fatal error"),
        (("call", "put_layr", "1"), 2, "did you mean put_layer"),
        (("call", "put_layer", "1"), 2, "put_layer takes 3 arguments, not 1: put_layer(id: U32"),
        (("call", "put_layer", "-1", "x", "true"), 2, "id is no U32"),
        (("call", "put_layer", "one", "x", "true"), 2, "id is no U32"),
        (("sql", "SELECT * FROM nothing"), 1, "no such table: `nothing`"),
        (("sql", "DELETE FROM layer"), 1, ""),
        (("describe", "table", "nothing"), 2, "no such table: nothing"),
        (("describe", "table"), 2, "which table?"),
        (("subscribe", "SELECT * FROM nothing"), 1, "no such table: `nothing`"),
        (("logs",), 1, "view module logs"),
    ],
)
def test_refusals_are_one_line_and_a_code(asked: Asked, words, code, text):
    done = asked.run(*words)
    assert done.returncode == code
    assert text in done.stderr
    assert done.stderr.startswith("genarrative: ")
    assert len(done.stderr.splitlines()) == 1
    assert done.stdout == ""


def test_no_server_and_no_such_database(asked: Asked):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        nobody = f"http://127.0.0.1:{taken.getsockname()[1]}"
        for words in (("sql", "SELECT 1"), ("describe",), ("logs", "-f"), ("subscribe", "x")):
            done = run(*words, "--server", nobody)
            assert (done.returncode, done.stdout) == (2, "")
            assert nobody in done.stderr
    other = run("describe", "--server", asked.url, "--database", "a b")
    assert other.returncode == 1
    assert other.stderr == "genarrative: `a b` not found\n"
    for server in ("ftp://x", "127.0.0.1:3000", "http://"):
        assert run("describe", "--server", server).returncode == 2


def test_describe(asked: Asked):
    definition = json.loads(asked.run("describe", "--json").stdout)
    assert list(definition) == ["sections"]
    table = json.loads(asked.run("describe", "table", "layer", "--json").stdout)
    assert (table["source_name"], table["primary_key"]) == ("layer", [0])
    type_ = json.loads(asked.run("describe", "type", "Point", "--json").stdout)
    assert [one["name"]["some"] for one in type_["Product"]["elements"]] == ["x", "y"]
    whole = asked.run("describe").stdout
    assert "add_two(a: U64, b: U64) -> U64" in whole
    assert "id: U64 primary key auto-increment" in whole
    one = asked.run("describe", "reducer", "put_tag").stdout
    assert one.split() == ["reducer", "put_tag", "put_tag(layer_id:", "U32,", "text:", "String)"]


def test_subscribe_prints_what_is_there_and_what_comes(asked: Asked):
    asked.run("call", "put_layer", "50", "before", "true")
    queries = ("SELECT * FROM layer WHERE id >= 50", "SELECT * FROM drawn")
    going = asked.begin("subscribe", *queries, "--print-initial-update", "-n", "2")
    assert going.stdout is not None
    row = {"id": 50, "name": "before", "is_shown": True}
    assert json.loads(going.stdout.readline()) == {"layer": {"deletes": [], "inserts": [row]}}
    asked.run("call", "put_layer", "1", "not asked for", "true")
    asked.run("call", "put_layer", "50", "after", "true")
    changed = {"layer": {"deletes": [row], "inserts": [{**row, "name": "after"}]}}
    assert json.loads(going.stdout.readline()) == changed
    asked.run("call", "drop_layer", "50")
    gone = {"layer": {"deletes": [{**row, "name": "after"}], "inserts": []}}
    assert json.loads(going.stdout.readline()) == gone
    rest, errors = going.communicate(timeout=30)
    assert (going.returncode, rest, errors) == (0, "", "")


def test_subscribe_prints_events(asked: Asked):
    going = asked.begin(
        *("subscribe", "SELECT * FROM drawn", "SELECT * FROM layer"),
        *("--print-initial-update", "-n", "1"),
    )
    assert going.stdout is not None
    assert going.stdout.readline()
    circle = f'{{"Circle": {{"center": {POINT}, "radius": 3}}}}'
    drawn = asked.run(
        *("call", "draw", "dot", "1", "Blue", circle, "null", "[]", '""', "0", "0", "0", '"0x0"'),
        *(f'{{"__uuid__": {7}}}', "[0]"),
    )
    assert drawn.returncode == 0, drawn.stderr
    event = {"label": "dot", "hue": {"Blue": []}}
    line = json.loads(going.communicate(timeout=30)[0])
    assert line == {"drawn": {"deletes": [], "inserts": [event]}}


def test_subscribe_does_not_wait_for_ever(asked: Asked):
    query = "SELECT * FROM tag"
    done = asked.run("subscribe", query, "--timeout", "0.2")
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == "timed out after 0.2s\n"
    missed = asked.run("subscribe", query, "--timeout", "0.2", "--num-updates", "3")
    assert missed.returncode == 1
    assert missed.stderr.splitlines()[-1].endswith("after receiving 0/3 updates")
    nothing = asked.run("subscribe", query, "--num-updates", "0")
    assert (nothing.returncode, nothing.stdout) == (0, "")


def test_subscribe_ends_with_an_interruption(asked: Asked):
    going = asked.begin("subscribe", "SELECT * FROM layer", "--print-initial-update")
    assert going.stdout is not None
    assert going.stdout.readline()
    going.send_signal(signal.SIGINT)
    assert going.communicate(timeout=30) == ("", "")
    assert going.returncode == 0


def test_logs(asked: Asked):
    asked.run("call", "break_down")
    token = asked.token("service")
    record = json.loads(asked.run("logs", "-n", "1", "--json", GENARRATIVE_TOKEN=token).stdout)
    assert (record["level"], record["function"]) == ("Error", "break_down")
    shown = asked.run("logs", "--level", "error", GENARRATIVE_TOKEN=token).stdout
    assert "ERROR: break_down actors.turn: " in shown
    assert "ZeroDivisionError" in shown
    assert asked.run("logs", "--level", "panic", GENARRATIVE_TOKEN=token).stdout == ""


def test_logs_are_followed(asked: Asked):
    token = asked.token("service")
    asked.run("call", "break_down")
    going = asked.begin("logs", "-f", "-n", "1", "--json", GENARRATIVE_TOKEN=token)
    assert going.stdout is not None
    before = json.loads(going.stdout.readline())
    asked.run("call", "break_down")
    after = json.loads(going.stdout.readline())
    assert before["function"] == after["function"] == "break_down"
    assert before["ts"] < after["ts"]
    going.send_signal(signal.SIGINT)
    going.communicate(timeout=30)
    assert going.returncode == 0


def test_a_token_comes_from_a_file_that_nobody_else_reads(asked: Asked, tmp_path):
    file = tmp_path / "token"
    file.write_text(asked.token("service") + "\n")
    file.chmod(0o600)
    words = ("logs", "-n", "0", "--token-file", str(file))
    assert asked.run(*words).returncode == 0
    file.chmod(0o640)
    refused = asked.run(*words)
    assert refused.returncode == 2
    assert f"chmod 600 {file}" in refused.stderr
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    assert asked.run("logs", "--token-file", str(tmp_path / "none")).returncode == 2
    wrong = asked.run("logs", GENARRATIVE_TOKEN="nonsense")
    assert wrong.returncode == 1


def test_the_settings_say_whom_to_ask(asked: Asked, tmp_path):
    port = asked.url.rpartition(":")[2]
    (tmp_path / "genarrative.toml").write_text(
        f'port = {port}\nhost = "0.0.0.0"\ndatabase = "asked"\n'
    )
    done = run("call", "add_two", "1", "2", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "3\n")


def test_a_server_that_stops_ends_subscriptions(tmp_path):
    with serving("examples.chat", tmp_path / "data") as chat:
        counted = chat.begin("subscribe", "SELECT * FROM user", "--print-initial-update", "-n", "9")
        endless = chat.begin("subscribe", "SELECT * FROM user", "--print-initial-update")
        for going in (counted, endless):
            assert going.stdout is not None
            assert going.stdout.readline()
        chat.process.terminate()
        errors = [going.communicate(timeout=30)[1] for going in (counted, endless)]
    assert [counted.returncode, endless.returncode] == [1, 0]
    assert all("disconnected by server" in text for text in errors)


def test_help_needs_no_server():
    for command in ("call", "describe", "logs", "schema", "sql", "subscribe"):
        shown = begin(command, "--help")
        assert shown.communicate(timeout=30)[0]
        assert shown.returncode == 0
