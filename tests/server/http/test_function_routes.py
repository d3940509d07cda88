"""One call, one statement: bodies, statuses and headers as the official clients know them."""

from __future__ import annotations

import asyncio
import json

import pytest
from parlour import CORS, WAIT_SECONDS_MAX, Parlour, open_parlour
from websockets.asyncio.client import connect

from protocol.client import Client
from protocol.messages.answers import TransactionUpdate
from protocol.upgrade import Subprotocol
from server.limits import JSON_BODY_BYTES_MAX

PROBLEM = "application/problem+json"


@pytest.fixture
async def parlour(tmp_path):
    async with open_parlour(tmp_path, rate_limits=False) as opened:
        yield opened


async def test_a_reducer(parlour: Parlour):
    answer = await parlour.call("say", ["hello", False])
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["spacetime-energy-used"] == "0"
    assert int(answer.headers["spacetime-execution-duration-micros"]) >= 0
    assert len(answer.headers["spacetime-identity"]) == 64
    assert answer.headers["spacetime-identity-token"].startswith("ey")
    assert answer.headers.items() >= CORS.items()
    assert await parlour.rows("SELECT * FROM word") == [[1, "welcome"], [2, "hello"]]


async def test_arguments_by_name(parlour: Parlour):
    assert (await parlour.call("say", {"loud": True, "text": "hello"})).status_code == 200
    assert [2, "HELLO"] in await parlour.rows("SELECT * FROM word")


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (b"", "no JSON"),
        (b"[", "no JSON"),
        (b'["a", NaN]', "no JSON"),
        (b"[" * 100_000, "no JSON"),
        (b"7", "expected an object or an array"),
        ([], "invalid length 0, expected args for say with 2 elements"),
        (["a"], "invalid length 1, expected args for say with 2 elements"),
        (["a", False, 1], "invalid length 3, expected args for say with 2 elements"),
        (["a", 1], "loud: expected true or false"),
        ({"text": "a"}, "missing field 'loud'"),
        ({"text": "a", "loud": True, "soft": True}, "unknown field 'soft'"),
        (b'["\\ud800", true]', "text: the string is no valid Unicode"),
    ],
)
async def test_arguments_that_do_not_fit(parlour: Parlour, arguments, text):
    answer = await parlour.call("say", arguments)
    assert answer.status_code == 400
    assert answer.text.startswith("invalid arguments for reducer say: ")
    assert text in answer.text
    assert answer.headers["content-type"].startswith("text/plain")
    assert answer.headers.items() >= CORS.items()
    assert len(answer.headers["spacetime-identity"]) == 64


async def test_a_procedure_answers_in_the_untyped_form(parlour: Parlour):
    who = parlour.bearer().claims.identity
    given = {
        "huge": 2**127,
        "debt": "-0x2a",
        "hue": {"Green": []},
        "form": {"Line": {"length": 7}},
        "note": None,
        "data": "00ff",
        "who": [hex(who)],
        "ratios": [0.5, 1],
    }
    answer = await parlour.call("echo", [given])
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    wanted = [2**127, "-0x2a", [1, []], [1, [7]], [1, []], "00ff", [hex(who)], [0.5, 1.0]]
    assert json.loads(answer.content) == wanted
    assert "spacetime-execution-duration-micros" in answer.headers
    in_order = await parlour.call("echo", [wanted])
    assert in_order.content == answer.content, "what is answered can be sent"


async def test_a_procedure_without_an_answer_answers_unit(parlour: Parlour):
    answer = await parlour.call("say_twice", ["hello"])
    assert (answer.status_code, answer.content) == (200, b"[]")
    assert len(await parlour.rows("SELECT * FROM word WHERE text = 'hello'")) == 2


@pytest.mark.parametrize(
    ("name", "arguments", "status", "text"),
    [
        ("nothing", [], 404, "no such reducer"),
        ("arrive", [], 400, "can't directly call special OnConnect lifecycle reducer"),
        ("leave", [], 400, "can't directly call special OnDisconnect lifecycle reducer"),
        ("furnish", [], 400, "can't directly call special Init lifecycle reducer"),
        ("say", ["", False], 530, "word.empty: say something"),
        ("be_refused_after_writing", [], 530, "auth.forbidden: the reducer says so"),
        ("break_down", [], 530, "The instance encountered a fatal error."),
        ("decline", [], 530, "word.declined: rather not"),
        ("say_twice", [""], 530, "word.empty: say something"),
        ("sweep", [], 403, "sweep needs another role"),
        ("echo", [7], 400, "invalid arguments for procedure echo: "),
    ],
)
async def test_refusals(parlour: Parlour, name, arguments, status, text):
    answer = await parlour.call(name, arguments)
    assert (answer.status_code, answer.text[: len(text)]) == (status, text)
    assert answer.headers["content-type"].startswith("text/plain")
    assert ("spacetime-energy-used" in answer.headers) == (status == 530)
    assert await parlour.rows("SELECT * FROM word") == [[1, "welcome"]]


async def test_a_procedure_that_breaks_says_nothing_of_why(parlour: Parlour):
    answer = await parlour.call("divide", [0])
    assert answer.status_code == 500
    assert answer.text.startswith("The module instance encountered a fatal error")
    assert "division" not in answer.text


async def test_the_body_must_say_that_it_is_json(parlour: Parlour):
    bare = await parlour.ask("POST", "/call/say", content=b'["a", false]')
    assert (bare.status_code, bare.text) == (400, "Header of type `content-type` was missing")
    form = "application/x-www-form-urlencoded"
    other = await parlour.ask(
        "POST", "/call/say", content=b'["a", false]', headers={"content-type": form}
    )
    text = "Expected request with `Content-Type: application/json`"
    assert (other.status_code, other.text) == (415, text)
    with_charset = await parlour.ask(
        *("POST", "/call/say"),
        content=b'["a", false]',
        headers={"content-type": "application/json; charset=utf-8"},
    )
    assert with_charset.status_code == 200
    wrong = await parlour.call("say", b'["\xff", false]')
    assert (wrong.status_code, wrong.text) == (400, "Request body didn't contain valid UTF-8")


async def test_a_body_that_is_too_large(parlour: Parlour):
    for path, headers in (("/call/say", {"content-type": "application/json"}), ("/sql", {})):
        body = b" " * (JSON_BODY_BYTES_MAX + 1)
        answer = await parlour.ask("POST", path, content=body, headers=headers)
        assert answer.status_code == 413
        assert answer.headers["content-type"] == PROBLEM
        assert answer.json()["status"] == 413
        assert answer.json()["title"]


async def test_every_call_arrives_and_leaves(parlour: Parlour):
    bearer = parlour.bearer("somebody")
    calls = (("say", ["a", False]), ("say", [""]), ("nothing", []), ("break_down", []))
    for name, arguments in (*calls, ("echo", [7]), ("divide", [0]), ("count_words", [])):
        await parlour.call(name, arguments, bearer.token)
    await parlour.rows("SELECT * FROM word", bearer.token)
    await parlour.ask("POST", "/sql", bearer.token, content="SELECT nonsense")
    who = f"SELECT arrivals, departures FROM guest WHERE identity = 0x{bearer.claims.identity}"
    assert await parlour.rows(who) == [[9, 9]]


async def test_a_caller_without_a_token_is_somebody_new(parlour: Parlour):
    seen = [(await parlour.call("count_words")).headers["spacetime-identity"] for _ in range(2)]
    assert seen[0] != seen[1]
    bearer = parlour.bearer("somebody")
    answer = await parlour.call("count_words", token=bearer.token)
    assert answer.headers["spacetime-identity"] == str(bearer.claims.identity)
    assert answer.headers["spacetime-identity-token"] == bearer.token


async def test_whom_the_module_refuses(parlour: Parlour):
    intruder = parlour.bearer("x", extra={"name": "Intruder"})
    called = await parlour.call("say", ["a", False], intruder.token)
    asked = await parlour.ask("POST", "/sql", intruder.token, content="SELECT * FROM word")
    for answer in (called, asked):
        assert (answer.status_code, answer.text) == (403, "visitor.refused: not you")
    assert await parlour.rows("SELECT * FROM word") == [[1, "welcome"]]


@pytest.mark.parametrize(("header", "status"), [("Bearer nonsense", 401), ("Basic eDp5", 400)])
async def test_bad_credentials(parlour: Parlour, header, status):
    for path in ("/call/say", "/sql", "/logs", "", "/schema?version=9"):
        method = "POST" if path in ("/call/say", "/sql") else "GET"
        answer = await parlour.ask(method, path, headers={"authorization": header})
        assert answer.status_code == status
        assert answer.text
        assert answer.headers.items() >= CORS.items()


async def test_others_see_the_commit_of_a_call(parlour: Parlour):
    url = f"{parlour.ready.address.replace('http', 'ws', 1)}/v1/database/parlour/subscribe"
    async with connect(url, subprotocols=[Subprotocol.V3_BSATN.value], proxy=None) as socket:
        client = Client(Subprotocol.V3_BSATN)
        client.subscribe(["SELECT * FROM word"])
        for frame in client.frames():
            await socket.send(frame)
        while client.pending:
            client.receive_frame(await socket.recv())
        await parlour.call("say", ["hello", False])
        async with asyncio.timeout(WAIT_SECONDS_MAX):
            (message,) = client.receive_frame(await socket.recv())
    assert isinstance(message, TransactionUpdate)
    (inserted,) = message.query_sets[0].tables[0].rows[0].inserts
    assert bytes(inserted).endswith(b"hello")


async def test_the_worked_example_of_an_sql_answer(parlour: Parlour):
    answer = await parlour.ask("POST", "/sql", content="SELECT id, text AS word FROM word")
    assert answer.headers["content-type"] == "application/json"
    (statement,) = answer.json()
    micros = statement.pop("total_duration_micros")
    assert answer.headers["spacetime-execution-duration-micros"] == str(micros)
    assert statement == {
        "schema": {
            "elements": [
                {"name": {"some": "id"}, "algebraic_type": {"U64": []}},
                {"name": {"some": "word"}, "algebraic_type": {"String": []}},
            ]
        },
        "rows": [[1, "welcome"]],
        "stats": {"rows_inserted": 0, "rows_deleted": 0, "rows_updated": 0},
    }
    assert list(answer.json()[0]) == ["schema", "rows", "total_duration_micros", "stats"]


async def test_special_types_in_sql_answers_stand_inline(parlour: Parlour):
    bearer = parlour.bearer("somebody")
    await parlour.call("count_words", token=bearer.token)
    query = "SELECT identity FROM guest WHERE arrivals = 1"
    answer = (await parlour.ask("POST", "/sql", bearer.token, content=query)).json()[0]
    column = answer["schema"]["elements"][0]["algebraic_type"]
    inner = {"name": {"some": "__identity__"}, "algebraic_type": {"U256": []}}
    assert column == {"Product": {"elements": [inner]}}
    assert all(row[0][0].startswith("0xc200") for row in answer["rows"])


@pytest.mark.parametrize(
    ("text", "begins"),
    [
        ("SELECT * FROM nothing", "no such table: `nothing`"),
        ("SELEC", ""),
        ("", ""),
        ("SELECT * FROM word; SELECT * FROM word", ""),
        ("DELETE FROM word", ""),
    ],
)
async def test_statements_that_are_refused(parlour: Parlour, text, begins):
    answer = await parlour.ask("POST", "/sql", content=text)
    assert answer.status_code == 400
    assert answer.text
    assert answer.text.startswith(begins)
    assert answer.headers["content-type"].startswith("text/plain")
    assert await parlour.rows("SELECT * FROM word") == [[1, "welcome"]]


async def test_the_owner_may_write_with_sql(parlour: Parlour):
    token = parlour.bearer("service", roles=["service"]).token
    query = "DELETE FROM word WHERE id = 1"
    (statement,) = (await parlour.ask("POST", "/sql", token, content=query)).json()
    assert statement["stats"] == {"rows_inserted": 0, "rows_deleted": 1, "rows_updated": 0}
    assert await parlour.rows("SELECT * FROM word") == []


async def test_confirmed_is_a_truth_value(parlour: Parlour):
    for value, status in (("true", 200), ("false", 200), ("True", 400), ("1", 400), ("", 400)):
        query = {"confirmed": value}
        answer = await parlour.ask("POST", "/sql", content="SELECT * FROM word", params=query)
        assert answer.status_code == status
    twice = await parlour.ask(
        "POST", "/sql?confirmed=true&confirmed=true", content="SELECT * FROM word"
    )
    assert twice.status_code == 400


async def test_a_function_over_its_rate(parlour: Parlour, tmp_path):
    async with open_parlour(tmp_path / "strict", rate_burst=3, rate_per_second=1) as strict:
        token = strict.bearer("somebody").token
        statuses = [(await strict.call("ring", token=token)).status_code for _ in range(3)]
        assert statuses == [200, 200, 429]
        limited = await strict.call("ring", token=token)
        assert limited.headers["content-type"] == PROBLEM
        assert limited.json()["code"] == "limit.rate_exceeded"
        assert int(limited.headers["retry-after"]) > 0
        # Callers without a token share the rate of their address, whoever they are each time.
        statuses = [(await strict.call("count_words")).status_code for _ in range(5)]
        assert statuses.count(429) > 0
        service = strict.bearer("service", roles=["service"]).token
        many = [await strict.call("count_words", token=service) for _ in range(5)]
        assert {answer.status_code for answer in many} == {200}


async def test_a_refused_call_over_its_rate_does_not_arrive(tmp_path):
    async with open_parlour(tmp_path, rate_burst=1, rate_per_second=1) as strict:
        token = strict.bearer("somebody").token
        calls = [await strict.call("count_words", token=token) for _ in range(4)]
        good = sum(answer.status_code == 200 for answer in calls)
        assert good < 4
        service = strict.bearer("service", roles=["service"])
        guests = await strict.rows("SELECT arrivals FROM guest", service.token)
        assert sum(row[0] for row in guests) == good + 1


async def test_a_server_that_drains_refuses(parlour: Parlour):
    service = parlour.bearer("service", roles=["service"]).token
    parlour.drain()
    for answer in (
        await parlour.call("count_words", token=service),
        await parlour.ask("POST", "/sql", service, content="SELECT * FROM word"),
    ):
        assert answer.status_code == 503
        assert answer.headers["content-type"] == PROBLEM
        assert "retry-after" in answer.headers
