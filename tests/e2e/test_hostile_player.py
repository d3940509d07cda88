"""The game to a player who wants to know all: owner, participants and private, by the bytes.

What people write carries words that are drawn at random, and what stories make has ids that are:
the owner hears them, participants hear theirs while they are participants, nobody else ever does.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack
from typing import Any

import pytest
from bot import Words, take_breath
from eavesdropper import Eavesdropper, eavesdropping
from http_client import MODULE, PROFILE, Game, game_server
from served import DATABASE

from actors.domains.domain_types import ParticipantRole
from actors.domains.runtime.directory_entry import DirectoryState
from actors.module.module import Module
from protocol.upgrade import Subprotocol
from server.identity.issuers import TrustedIssuers
from server.identity.signing_keys import SigningKeys
from server.identity.tokens import Authenticator

GAME = Module.load(MODULE, fixtures=True)
WORDS = Words(GAME)
TABLES = [table.name for table in GAME.schema.tables]
VIEWS = [view.name for view in GAME.schema.views]


@pytest.fixture(scope="module")
def game(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Game]:
    with game_server(tmp_path_factory.mktemp("game"), "--no-rate-limits") as served:
        yield served
        served.server.stop()


class Player:
    """Somebody whose display name is a secret."""

    def __init__(self, spy: Eavesdropper, name: str) -> None:
        self.spy = spy
        self.name = name

    async def ask(self, function: str, *fields: object) -> Any:
        """Call a function of the game that answers with its outcome."""
        name = f"{function}_and_return"
        ok, value, *refusal = await self.spy.ask(name, self._input(name, *fields))
        assert ok, refusal
        return value

    async def try_everything(self, victim: Player, story_id: str) -> None:
        """Subscribe to, query, call and get all that has a name, with the ids of another."""
        spy, user_id = self.spy, victim.spy.user_id
        for name in (*TABLES, *VIEWS):
            query = f"SELECT * FROM {name}"
            for text in (query, f"{query} WHERE user_id = '{user_id}'"):
                await spy.try_subscribe(text)
            await spy.try_query(query)
            for text in (query, f"SELECT COUNT(*) AS n FROM {name}"):
                await spy.sql(text)
            await spy.try_subscribe(
                f"SELECT p.* FROM {name} p JOIN story_session s"
                " ON p.story_session_id = s.story_session_id"
            )
        for name, declared in WORDS.inputs.items():
            given = getattr(declared, "__annotations__", {})
            body = {"request_id": secrets.token_hex(4)}
            body |= {"user_id": user_id} if "user_id" in given else {}
            body |= {"story_session_id": story_id} if "story_session_id" in given else {}
            path = f"/v1/database/{DATABASE}/call/{name}"
            await spy.request("POST", path, json=[body])
        query = {"userId": user_id}
        for path in (*GET_PATHS, f"/api/runtime/story/sessions/{story_id}"):
            await spy.request("GET", path, params=query)
            await spy.request("GET", path)

    def _input(self, name: str, *fields: object) -> object:
        return WORDS.inputs[name](*fields, secrets.token_hex(8))


GET_PATHS = [
    route.path
    for route in GAME.routes.values()
    if route.method == "GET" and "{" not in route.path and "stream" not in route.path
]


def word() -> str:
    return f"secret-{secrets.token_hex(8)}"


async def event_ids(player: Player) -> set[str]:
    return {row[0] for row in await player.spy.sql("SELECT event_id FROM story_event")}


async def until_sent_away(player: Player, story_id: str) -> None:
    """Wait until a kicked participant's own directory knows it."""
    query = f"SELECT state FROM session_directory_entry WHERE session_key = '{story_id}'"
    archived = [[[DirectoryState.ARCHIVED.value, []]]]
    while await player.spy.sql(query) != archived:
        await take_breath()


@pytest.mark.parametrize(
    "protocol", [Subprotocol.V3_BSATN, Subprotocol.V1_JSON], ids=lambda protocol: protocol.value
)
async def test_a_player_learns_nothing_of_others(game: Game, protocol: Subprotocol) -> None:
    authenticator = Authenticator(
        SigningKeys.load(game.server.data_dir),
        TrustedIssuers((), time.monotonic),
        clock=lambda: time.time_ns() // 1_000,
    )
    async with AsyncExitStack() as stack:

        async def enter(subject: str) -> Player:
            name, token_subject = word(), f"{subject}-{protocol.value}"
            token = authenticator.mint(token_subject, extra={"name": name}).token
            visit = eavesdropping(GAME, game.server, protocol, token)
            return Player(await stack.enter_async_context(visit), name)

        ann, bob, eve = await enter("ann"), await enter("bob"), await enter("eve")
        for query in (f"SELECT * FROM {name}" for name in (*TABLES, *VIEWS)):
            await ann.spy.try_subscribe(query)
            await bob.spy.try_subscribe(query)
        began = await ann.ask("begin_story_session", PROFILE, "wanderer", None)
        story_id = began.story_session_id
        await eve.try_everything(ann, story_id)

        seed, label = word(), word()
        await ann.ask("create_custom_world_agent_session", seed, None)
        await ann.ask("create_save_archive", None, story_id, label, None)
        before = await event_ids(ann)
        code = (await ann.ask("create_story_invite", story_id)).invite_code
        await bob.ask("join_story_session", story_id, code, ParticipantRole.SPECTATOR, None)
        told = await ann.ask("continue_story", story_id, None, "Look around", began.turn, True)
        shared = await event_ids(ann) - before
        await ann.ask("kick_story_participant", story_id, bob.spy.user_id)
        await until_sent_away(bob, story_id)
        known = await event_ids(ann)
        await ann.ask("continue_story", story_id, None, "Look closer", told.turn, True)
        later = await event_ids(ann) - known
        await eve.try_everything(ann, story_id)
        await bob.try_everything(ann, story_id)

        assert shared
        assert later
        assert ann.spy.has_heard(bob.name), "participants have names"
        for own in (seed, label, *later):
            assert ann.spy.has_heard(own), own
            assert not bob.spy.has_heard(own), own
        for common in (*shared, code):
            assert ann.spy.has_heard(common)
            assert bob.spy.has_heard(common) or common is code
        for secret in (seed, label, ann.name, bob.name, code, *before, *shared, *later):
            assert not eve.spy.has_heard(secret), secret
        assert eve.spy.has_heard(eve.name)
