"""The game's addresses held to their own document by generated requests (domain 11.1)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import schemathesis
from http_client import Game, game_server
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from route_tables import ROWS, Row
from schemathesis.specs.openapi.checks import positive_data_acceptance


@pytest.fixture(scope="module")
def game(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Game]:
    with game_server(tmp_path_factory.mktemp("http")) as running:
        yield running


@pytest.fixture(scope="module")
def document(game: Game) -> schemathesis.schemas.BaseSchema:
    status, found = game.server.get("/api/openapi.json")
    assert status == 200
    return schemathesis.openapi.from_dict(found)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.method} {row.path}")
def test_no_request_breaks_the_game(
    document: schemathesis.schemas.BaseSchema, game: Game, row: Row
) -> None:
    strategy = document[row.path.replace(":path", "")][row.method].as_strategy()

    @given(case=strategy, token=st.sampled_from([game.service, game.moderator]))
    @settings(max_examples=6, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    def check(case: schemathesis.Case, token: str) -> None:
        case.call_and_validate(
            base_url=f"http://127.0.0.1:{game.server.port}",
            headers={"Authorization": f"Bearer {token}"},
            # What a schema allows, a rule may still refuse.
            excluded_checks=[positive_data_acceptance],
        )

    check()
