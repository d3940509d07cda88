"""What is asked wrongly, or goes wrong, through real sockets: the answer, and that all goes on."""

from __future__ import annotations

import asyncio
import re
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest
from bot import Bot, Refused, Words, connected
from served import DATABASE, Served, serving
from shapes_module import Circle, Hue, Point
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from actors.domains.domain_types import GrantSource, PaceBand
from actors.keys import user_id_of
from actors.module.module import Module
from actors.module.types import TimeDuration
from protocol.messages import Subscribe, encode_client_message

SHAPES = Words(Module.load("shapes_module"))
GAME = Words(Module.load("actors.domains.entry", fixtures=True))
PROFILE = "cwp_fixture_vale"
TABLES = tuple(f"SELECT * FROM {name}" for name in ("shape", "layer", "tag", "drawn"))
PICTURE_BYTES = 900_000
PICTURES = 40
"""More than a server keeps for one connection and the kernel's buffers together."""


@pytest.fixture(scope="module")
def shapes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder: Path = tmp_path_factory.mktemp("shapes")
    with serving("shapes_module", folder / "data", "--no-rate-limits") as server:
        yield server


@pytest.fixture(scope="module")
def game(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder: Path = tmp_path_factory.mktemp("game")
    with serving("actors.domains.entry", folder / "data", "--dev-fixtures") as server:
        yield server
        server.stop()
        assert "Traceback" not in server.log()


async def draw(bot: Bot, label: str, picture: bytes = b"") -> None:
    outline = Circle(Point(0, 0), 1)
    await bot.call(
        "draw",
        *(label, 1, Hue.GREEN, outline, None, [], picture, 1.0, 1.0, 0, 0),
        *(UUID(int=0), TimeDuration(0)),
    )


async def code_of(call: asyncio.Future[object]) -> str:
    with pytest.raises(Refused) as caught:
        await call
    return caught.value.code


def metric(server: Served, name: str) -> float:
    with urllib.request.urlopen(f"http://127.0.0.1:{server.port}/metrics") as answer:
        match = re.search(rf"^{name} (\S+)$", answer.read().decode(), re.MULTILINE)
    assert match is not None
    return float(match[1])


@pytest.mark.parametrize(
    ("reducer", "answer"),
    [
        ("refuse_after_writing", "shapes.refused: as asked"),
        ("break_after_writing", "The instance encountered a fatal error."),
        ("break_down", "The instance encountered a fatal error."),
    ],
)
async def test_a_reducer_that_raises_leaves_nothing(shapes, protocol, reducer, answer):
    async with (
        connected(SHAPES, shapes, protocol=protocol) as bot,
        connected(SHAPES, shapes, protocol=protocol) as onlooker,
    ):
        await bot.subscribe(*TABLES)
        await onlooker.subscribe(*TABLES)
        await bot.call("put_layer", 1, "there", True)
        label = f"{reducer} {protocol}"
        await draw(bot, label)
        await onlooker.until(lambda: any(row.label == label for row in onlooker.rows("shape")))
        before = [bot.rows(name) for name in ("shape", "layer", "tag")]
        seen = len(onlooker.events("drawn"))
        with pytest.raises(Refused) as caught:
            await bot.call(reducer)
        assert caught.value.text == answer
        # The onlooker's own call comes after it, so it has been told whatever there was to tell.
        await onlooker.call("drop_tag", 1, "no such tag")
        for one in (bot, onlooker):
            assert [one.rows(name) for name in ("shape", "layer", "tag")] == before
        assert len(onlooker.events("drawn")) == seen
        await bot.call("erase", label)
        assert all(row.label != label for row in bot.rows("shape"))


async def test_what_broke_is_logged_and_not_told(shapes):
    async with connected(SHAPES, shapes) as bot:
        with pytest.raises(Refused) as caught:
            await bot.call("break_down")
        assert "secret" not in caught.value.text
    assert "a secret of the server" in shapes.log()


async def test_a_turn_that_takes_too_long_is_counted_and_answered(shapes):
    async with (
        connected(SHAPES, shapes) as bot,
        connected(SHAPES, shapes) as other,
    ):
        before = metric(shapes, "genarrative_turns_slow_total")
        slow = bot.call("take_too_long", 200)
        await asyncio.gather(slow, other.call("put_tag", 1, "later"))
        assert metric(shapes, "genarrative_turns_slow_total") == before + 1
        await bot.call("put_tag", 1, "and on")
    assert re.search(r"a turn of database/0 took \d+ ms", shapes.log())


async def test_calls_that_cannot_be_made(shapes):
    async with connected(SHAPES, shapes) as bot:
        with pytest.raises(Refused, match="no such reducer"):
            await bot.call_raw("no_such_thing", b"")
        with pytest.raises(Refused, match="invalid arguments for reducer put_layer"):
            await bot.call_raw("put_layer", b"\x01")
        with pytest.raises(Refused, match="no such table: `draft`"):
            await bot.subscribe("SELECT * FROM draft")
        with pytest.raises(Refused):
            await bot.subscribe("SELECT * FROM shape", "DELETE FROM shape")
        await bot.call("put_tag", 1, "and on")


async def test_a_client_that_never_reads_is_closed_and_nobody_else_waits(shapes):
    before = metric(shapes, "genarrative_slow_readers_total")
    uri = f"{shapes.uri}/v1/database/{DATABASE}/subscribe"
    deaf = await connect(
        uri,
        subprotocols=["v3.bsatn.spacetimedb"],
        compression=None,
        max_size=None,
        max_queue=1,
        ping_interval=None,
        proxy=None,
    )
    await deaf.recv()
    await deaf.send(encode_client_message(Subscribe(0, 0, ("SELECT * FROM shape",))))
    await deaf.recv()
    async with (
        connected(SHAPES, shapes) as painter,
        connected(SHAPES, shapes) as onlooker,
    ):
        await onlooker.subscribe("SELECT * FROM shape")
        for number in range(PICTURES):
            await draw(painter, f"big {number}", bytes(PICTURE_BYTES))
        for number in range(PICTURES):
            await painter.call("erase", f"big {number}")
        await onlooker.call("drop_tag", 1, "no such tag")
        assert not any(row.label.startswith("big") for row in onlooker.rows("shape"))
        assert metric(shapes, "genarrative_slow_readers_total") == before + 1
    with pytest.raises(ConnectionClosed):
        while True:
            await deaf.recv()


async def test_progression_refuses(game):
    async with (
        connected(GAME, game) as player,
        connected(GAME, game, game.token("service")) as service,
    ):
        user_id = user_id_of(player.identity)
        refused: list[tuple[Bot, str, tuple[object, ...], str]] = []

        def grant(bot: Bot, amount: int, code: str) -> None:
            fields = (user_id, amount, GrantSource.ADMIN, f"r-{len(refused)}", None)
            refused.append((bot, "grant_player_progression_experience", fields, code))

        def plan(code: str, **changes: object) -> None:
            fields = {
                "user_id": user_id,
                "chapter_id": f"{PROFILE}:c1",
                "chapter_index": 1,
                "total_chapters": 5,
                "entry_pseudo_level_millis": 1000,
                "exit_pseudo_level_millis": 5200,
                "entry_level": 1,
                "exit_level": 5,
                "planned_total_xp": 938,
                "planned_quest_xp": 656,
                "planned_hostile_xp": 282,
                "expected_hostile_defeat_count": 10,
                "level_at_entry": 1,
                "pace_band": PaceBand.OPENING,
                "preserve_actuals": False,
            } | changes
            refused.append((service, "upsert_chapter_progression", tuple(fields.values()), code))

        grant(player, 400, "auth.forbidden")
        grant(service, 0, "progression.amount_out_of_range")
        grant(service, 1_000_001, "progression.amount_out_of_range")
        plan("progression.invalid_plan", planned_quest_xp=657)
        plan("progression.invalid_plan", chapter_index=0)
        plan("progression.invalid_plan", exit_pseudo_level_millis=1000, exit_level=1)
        ledger = (user_id, f"{PROFILE}:c9", 1, 0, 0, None, "entry")
        name = "apply_chapter_progression_ledger_entry"
        refused.append((service, name, ledger, "progression.chapter_not_found"))

        await player.subscribe("SELECT * FROM my_player_progression")
        with pytest.raises(Refused, match="no such table: `player_progression`"):
            await player.subscribe("SELECT * FROM player_progression")
        for number, (bot, name, fields, code) in enumerate(refused):
            given = GAME.inputs[name](*fields, f"request-{number}")
            assert await code_of(bot.call(name, given)) == code, (name, fields)
        assert player.rows("my_player_progression") == []

        name = "grant_player_progression_experience"
        fields = (user_id, 400, GrantSource.ADMIN, "g1", None, "granted")
        await service.call(name, GAME.inputs[name](*fields))
        await player.until(lambda: len(player.rows("my_player_progression")) == 1)
        assert player.rows("my_player_progression")[0].pending_level_ups == 2
        acknowledge = GAME.inputs["acknowledge_level_ups"]
        too_many = player.call("acknowledge_level_ups", acknowledge(3, "a"))
        assert await code_of(too_many) == "progression.count_out_of_range"
        await player.call("acknowledge_level_ups", acknowledge(2, "a"))
        assert player.rows("my_player_progression")[0].pending_level_ups == 0


async def test_the_game_refuses(game):
    """Domain 1.15."""
    async with (
        connected(GAME, game) as player,
        connected(GAME, game) as other,
        connected(GAME, game, game.token("service")) as service,
    ):
        await service.call("load_fixture_world", GAME.inputs["load_fixture_world"]("load"))
        assert await code_of(player.call_raw("no_such_thing", b"")) == "input.unknown_function"
        assert await code_of(player.call_raw("begin_story_session", b"\xff")) == (
            "input.invalid_type"
        )
        with pytest.raises(Refused, match="no such table: `battle_secret`"):
            await player.subscribe("SELECT * FROM battle_secret")

        async def refusal(bot: Bot, name: str, *fields: object) -> str:
            ok, value, code, text, _details = await bot.ask(name, GAME.inputs[name](*fields))
            assert not ok
            assert value is None
            assert text
            return code

        begin = "begin_story_session_and_return"
        _, session, *_ = await player.ask(begin, GAME.inputs[begin](PROFILE, "wanderer", None, "b"))
        assert await refusal(player, begin, PROFILE, "mayor", None, "b") == "idempotency.conflict"
        for bad in ("a/b", "a b", "", "x" * 161):
            assert await refusal(player, "get_story_session_state", bad) == "input.invalid_id"
        say = "continue_story_and_return"
        for text, code in (("", "input.text_empty"), ("x" * 5_000, "input.text_too_long")):
            fields = (session.story_session_id, None, text, session.turn, False, "say")
            assert await refusal(player, say, *fields) == code
        # A story that is not there and one that is another's are told apart by nothing.
        for story_id in ("ss_00000000000000000000000000", session.story_session_id):
            assert await refusal(other, "get_story_session_state", story_id) == "story.not_found"
        foreign = GAME.inputs["get_player_progression_or_default"](user_id_of(player.identity))
        answer = await other.ask("get_player_progression_or_default", foreign)
        assert answer[2] == "auth.forbidden"
        assert (await service.ask("get_player_progression_or_default", foreign))[0]


async def test_calls_beyond_the_rate(game):
    async with connected(GAME, game) as eager, connected(GAME, game) as other:
        level = GAME.inputs["get_level_benchmark"](5)
        answers = await asyncio.gather(
            *(eager.ask("get_level_benchmark", level) for _ in range(100))
        )
        codes = [answer[2] for answer in answers]
        assert codes[:60] == [None] * 60
        assert "limit.rate_exceeded" in codes
        assert set(codes) == {None, "limit.rate_exceeded"}
        assert (await other.ask("get_level_benchmark", level))[0]


async def test_a_token_of_another_folder_is_refused(game, shapes):
    with pytest.raises(Exception, match="401"):
        async with connected(GAME, game, shapes.token("service")):
            pass
    async with connected(GAME, game, game.token("service")) as bot:
        assert bot.token
