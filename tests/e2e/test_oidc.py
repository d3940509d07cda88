"""Tokens of an OIDC issuer that is a process of its own, at a server that is another."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from bot import Words, connected, take_breath
from oidc_issuer import OidcIssuer, issuing
from served import DATABASE, WAIT_SECONDS_MAX, Served, command, serving

from actors.module.module import Module

WORDS = Words(Module.load("claims_module"))
CALLER = ("issuer", "subject", "audience", "roles", "display_name", "raw")
FILE = """
trusted_issuers = ["{trusted}"]
accepted_issuers = ["{accepted}"]
accepted_audiences = ["vale", "test-vale"]
role_claims = ["{trusted}#realm_access.roles"]
role_names = ["{trusted}#game-masters=moderator"]
"""


@pytest.fixture
def trusted() -> Iterator[OidcIssuer]:
    with issuing() as issuer:
        yield issuer


@pytest.fixture
def accepted() -> Iterator[OidcIssuer]:
    with issuing() as issuer:
        yield issuer


@pytest.fixture
def server(tmp_path: Path, trusted: OidcIssuer, accepted: OidcIssuer) -> Iterator[Served]:
    file = tmp_path / "server.toml"
    file.write_text(FILE.format(trusted=trusted.name, accepted=accepted.name))
    with serving("claims_module", tmp_path / "data", "--config", str(file)) as running:
        yield running
        running.stop()


@pytest.fixture
async def client(server: Served) -> AsyncIterator[httpx2.AsyncClient]:
    url = f"http://127.0.0.1:{server.port}"
    timeout = WAIT_SECONDS_MAX
    async with httpx2.AsyncClient(base_url=url, trust_env=False, timeout=timeout) as made:
        yield made


async def ask(client: httpx2.AsyncClient, token: str) -> httpx2.Response:
    headers = {"authorization": f"Bearer {token}"}
    return await client.post(f"/v1/database/{DATABASE}/call/who_am_i", json=[], headers=headers)


async def caller(client: httpx2.AsyncClient, token: str) -> dict[str, Any]:
    answer = await ask(client, token)
    assert answer.status_code == 200, answer.text
    return dict(zip(CALLER, answer.json(), strict=True))


async def refusal(client: httpx2.AsyncClient, token: str) -> str:
    answer = await ask(client, token)
    assert answer.status_code == 401, answer.text
    assert answer.headers["www-authenticate"] == "Bearer"
    return answer.text


@pytest.mark.parametrize("algorithm", ["RS256", "ES256"])
async def test_claims_of_an_issuers_token_reach_the_module(trusted, client, algorithm):
    access = {"roles": ["game-masters", "admin", "wizard"]}
    token = trusted.token(
        "ada", algorithm, aud="vale", name="Ada", colour="blue", realm_access=access
    )
    found = await caller(client, token)
    assert (found["issuer"], found["subject"]) == (trusted.name, "ada")
    assert found["audience"] == ["vale"]
    assert found["roles"] == ["moderator"], "admin is no name that this issuer has for a role"
    assert json.loads(found["raw"])["colour"] == "blue"


async def test_roles_of_an_issuer_that_is_only_accepted_do_not_count(accepted, client):
    token = accepted.token("eve", aud=["vale"], roles=["admin"], realm_access={"roles": ["admin"]})
    assert (await caller(client, token))["roles"] == ["creator", "player"]


async def test_tokens_for_others_or_of_others_are_refused(trusted, client):
    assert await refusal(client, trusted.token("ada")) == "token is for another audience"
    assert (
        await refusal(client, trusted.token("ada", aud="shop")) == "token is for another audience"
    )
    with issuing() as stranger:
        assert await refusal(client, stranger.token("ada", aud="vale")) == "signature is not valid"
        forged = stranger.token("ada", aud="vale", iss=trusted.name, kid="rs256-1")
        assert await refusal(client, forged) == "signature is not valid"
        assert stranger.asked == []


async def test_a_socket_has_the_claims_of_its_token(trusted, server, client):
    token = trusted.token("ada", aud="vale", realm_access={"roles": ["game-masters"]})
    headers = {"authorization": f"Bearer {token}"}
    short = (await client.post("/v1/identity/websocket-token", headers=headers)).json()["token"]
    for shown in (token, short):
        async with connected(WORDS, server, shown) as bot:
            await bot.subscribe("SELECT * FROM seen")
            await bot.call("be_seen")
            (row,) = bot.rows("seen")
            assert (row.subject, row.issuer, row.roles) == ("ada", trusted.name, "moderator")
            await bot.call("tidy_up")


async def test_new_keys_are_found_and_a_storm_of_unknown_ones_asks_once(trusted, client):
    old = trusted.token("ada", aud="vale")
    await caller(client, old)
    once = ["/.well-known/openid-configuration", "/jwks"]
    assert trusted.asked == once
    for number in range(50):
        text = await refusal(client, trusted.token("ada", aud="vale", kid=f"unknown-{number}"))
        assert text == "the token's issuer does not have the key that it names"
    assert len(trusted.asked) <= 4, "one interval may have ended meanwhile"
    trusted.rotate()
    token = trusted.token("ada", "ES256", aud="vale")
    while (await ask(client, token)).status_code == 401:
        await take_breath()
    assert (await caller(client, token))["subject"] == "ada"
    assert len(trusted.asked) <= 8
    assert "does not have the key" in await refusal(client, old)


async def test_known_keys_are_good_while_the_issuer_is_gone(client, trusted):
    token, unknown = trusted.token("ada", aud="vale"), trusted.token("ada", aud="vale", kid="other")
    await caller(client, token)
    trusted.behave("slow")
    assert (await caller(client, token))["subject"] == "ada"
    assert "does not have the key" in await refusal(client, unknown)


@pytest.mark.parametrize("mode", ["redirect", "huge", "slow"])
async def test_an_issuer_must_answer_as_one_does(trusted, client, server, mode):
    trusted.behave(mode)
    text = await refusal(client, trusted.token("ada", aud="vale"))
    assert text == "the token's issuer cannot be asked for its keys"
    assert "/elsewhere" not in trusted.asked
    assert "an issuer cannot be asked for its keys" in server.log()


async def test_keys_rotate_and_retire_beside_a_running_server(server, client):
    minted = (await client.post("/v1/identity")).json()["token"]
    folder = ("--data-dir", str(server.data_dir))
    old = json.loads(command("keys", "list", *folder, "--json"))[0]["kid"]
    new = json.loads(command("keys", "rotate", *folder, "--json"))["kid"]
    listed = json.loads(command("keys", "list", *folder, "--json"))
    assert [(row["kid"], row["use"]) for row in listed] == [(new, "signs"), (old, "verifies")]
    assert (await caller(client, minted))["subject"]
    fresh = (await client.post("/v1/identity")).json()["token"]
    by_hand = server.token("moderator")
    assert "admin.token is a new token" in command("keys", "retire", old, *folder, "--yes")
    assert await refusal(client, minted) == "signature is not valid"
    assert (await caller(client, fresh))["subject"]
    assert (await caller(client, by_hand))["roles"] == ["moderator"]
    assert json.loads(command("admin", "server", "info", *folder, "--json"))


def test_nobody_is_let_in_without_a_token_where_that_is_the_rule(tmp_path: Path) -> None:
    file = tmp_path / "server.toml"
    file.write_text("anonymous = false\n")
    with serving("claims_module", tmp_path / "data", "--config", str(file)) as server:
        url = f"http://127.0.0.1:{server.port}"
        with httpx2.Client(base_url=url, trust_env=False) as client:
            path = f"/v1/database/{DATABASE}/call/who_am_i"
            assert client.post("/v1/identity").status_code == 403
            assert client.post(path, json=[]).status_code == 401
            headers = {"authorization": f"Bearer {server.token('player')}"}
            assert client.post(path, json=[], headers=headers).status_code == 200
            upgrade = {
                "connection": "upgrade",
                "upgrade": "websocket",
                "sec-websocket-version": "13",
                "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
                "sec-websocket-protocol": "v2.bsatn.spacetimedb",
            }
            socket = client.get(f"/v1/database/{DATABASE}/subscribe", headers=upgrade)
            assert (socket.status_code, socket.text) == (401, "a token is required")
