from __future__ import annotations

import re
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families
from telemetry_client import exchange, get, scrape, value_of

from server.app import Server
from server.metrics import Metrics
from server.settings import Settings
from server.telemetry.catalogue import FAMILIES
from server.telemetry.exposition import Exposition
from server.telemetry.families import Family, Kind, Sources


async def test_everything_in_the_catalogue_is_exposed_and_nothing_else(board: Settings):
    server = Server(board)
    ready = await server.start()
    try:
        text = await scrape(ready)
    finally:
        await server.stop()
    families = list(text_string_to_metric_families(text))
    exposed = {family.name for family in families if family.name.startswith("genarrative_")}
    assert exposed == {f"genarrative_{family.name}" for family in FAMILIES}
    assert {"process_resident_memory_bytes", "process_open_fds"} <= {f.name for f in families}
    labels = {
        family.name: {name for sample in family.samples for name in sample.labels} - {"le"}
        for family in families
    }
    for family in FAMILIES:
        # A family without values has no samples, and so no labels to look at.
        assert labels[f"genarrative_{family.name}"] <= set(family.labels)


async def test_a_call_is_counted_where_it_passes(board: Settings):
    server = Server(board)
    ready = await server.start()
    try:
        await exchange(ready, calls=3)
        text = await scrape(ready)
        again = await scrape(ready)
    finally:
        await server.stop()
    committed = {"function": "write_note", "outcome": "committed"}
    assert value_of(text, "genarrative_calls_total", committed) == 3
    assert value_of(text, "genarrative_turns_total") >= 4
    turns = value_of(text, "genarrative_turns_total")
    assert value_of(text, "genarrative_turn_seconds_count") == turns
    assert value_of(text, "genarrative_turn_seconds_bucket", {"le": "+Inf"}) == turns
    assert value_of(text, "genarrative_turn_seconds_sum") > 0
    assert value_of(text, "genarrative_commit_seconds_count") >= 1
    assert value_of(text, "genarrative_round_records_sum") >= 3
    assert value_of(text, "genarrative_rounds_waiting") is not None
    assert value_of(text, "genarrative_subscriptions") == 0
    scrapes = {"route": "/metrics", "method": "GET", "status": "200"}
    assert value_of(text, "genarrative_http_requests_total", scrapes) is None
    assert value_of(again, "genarrative_http_requests_total", scrapes) == 1
    assert value_of(again, "genarrative_http_request_seconds_count", {"route": "/metrics"}) == 1


async def test_addresses_that_nobody_serves_share_one_route(board: Settings):
    server = Server(board)
    ready = await server.start()
    try:
        for path in ("/wp-login.php", "/.env"):
            await get(ready, path)
    finally:
        await server.stop()
    assert dict(server.metrics.http.requests) == {("unknown", "GET", "404"): 2}


async def test_requests_to_models_are_shown_by_kind():
    metrics = Metrics()
    metrics.models.text.requests = 3
    metrics.models.text.cost = 0.25
    metrics.models.text.waiting = 2
    metrics.models.text.answer_tokens = 7
    metrics.models.image.failures = 1
    text = (await Exposition(Sources(metrics)).text()).decode()
    for line in (
        'genarrative_model_requests_total{kind="text"} 3.0',
        'genarrative_model_requests_total{kind="image"} 0.0',
        'genarrative_model_cost_total{kind="text"} 0.25',
        'genarrative_model_failures_total{kind="image"} 1.0',
        'genarrative_model_waiting{kind="text"} 2.0',
        'genarrative_model_tokens_total{direction="answer",kind="text"} 7.0',
    ):
        assert line in text.splitlines()


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_a_name_says_what_is_measured(family: Family):
    assert re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", family.name)
    assert not family.name.endswith("_total"), "counters get it by themselves"
    for unit in ("millis", "micros", "_ms", "_us", "kilo", "mega", "_kb", "_mb", "percent"):
        assert unit not in family.name, "seconds, bytes and ratios only"
    if family.kind is Kind.HISTOGRAM:
        assert family.name.endswith(("_seconds", "_records"))
    assert (family.of_process is None) != (family.of_actors is None)
    assert not set(family.labels) & {"user", "user_id", "identity", "connection", "actor", "key"}


def test_names_are_unique():
    assert len({family.name for family in FAMILIES}) == len(FAMILIES)


def test_the_page_is_current():
    from server.telemetry.page import metrics_page

    page = Path(__file__).parents[3] / "docs" / "metrics.md"
    assert page.read_text(encoding="utf-8") == metrics_page(), (
        "write it anew: python -m server.telemetry.page > docs/metrics.md"
    )
