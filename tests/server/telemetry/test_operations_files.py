from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from server.telemetry.catalogue import FAMILIES

FOLDER = Path(__file__).parents[3] / "docs" / "operations"
SERIES = {name: family for family in FAMILIES for name in family.series}
OTHERS = {
    "up",
    "process_cpu_seconds_total",
    "process_max_fds",
    "process_open_fds",
    "process_resident_memory_bytes",
}
"""What Prometheus itself and its client library have."""

WORDS = {
    *("and", "or", "unless", "by", "le", "on", "instance"),
    *("sum", "min", "max", "topk", "rate", "increase", "deriv", "min_over_time"),
    *("histogram_quantile", "label_values"),
}
SELECTOR = re.compile(r"([a-zA-Z_:][a-zA-Z0-9_:]*)\{([^}]*)\}")


def rules() -> list[dict[str, Any]]:
    text = (FOLDER / "alerts.yml").read_text(encoding="utf-8")
    return [rule for group in yaml.safe_load(text)["groups"] for rule in group["rules"]]


def dashboard() -> dict[str, Any]:
    return json.loads((FOLDER / "grafana.json").read_text(encoding="utf-8"))


def expressions() -> list[str]:
    found = [rule["expr"] for rule in rules()]
    for panel in dashboard()["panels"]:
        found += [target["expr"] for target in panel.get("targets", [])]
    found += [
        variable["query"]["query"]
        for variable in dashboard()["templating"]["list"]
        if variable["type"] == "query"
    ]
    return found


@pytest.mark.parametrize("expression", expressions())
def test_every_metric_that_is_asked_for_exists(expression):
    """And every label, but for ``job`` and ``instance``, which Prometheus adds."""
    for name, matchers in SELECTOR.findall(expression):
        family = SERIES.get(name)
        assert family is not None or name in OTHERS, name
        labels = set(re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", matchers))
        allowed = () if family is None else family.labels
        assert labels <= {*allowed, "job", "instance", "le"}
    assert expression.count("(") == expression.count(")")
    assert expression.count("{") == expression.count("}")
    bare = re.sub(r'\{[^}]*\}|\[[^]]*\]|"[^"]*"', "", expression)
    names = set(re.findall(r"[a-zA-Z_]\w*", bare)) - WORDS
    labels = {label for family in FAMILIES for label in family.labels}
    assert names - labels <= SERIES.keys() | OTHERS


def test_counters_are_asked_for_by_rate_and_gauges_are_not():
    for expression in expressions():
        for function, name in re.findall(
            r"\b(rate|increase|deriv|min_over_time)\((\w+)", expression
        ):
            is_counter = not name.startswith("process_open") and (
                name.endswith(("_total", "_bucket", "_sum", "_count"))
            )
            assert is_counter == (function in {"rate", "increase"}), expression


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule["alert"])
def test_an_alert_says_how_bad_it_is_and_what_is_wrong(rule):
    assert rule["labels"]["severity"] in {"critical", "warning"}
    assert rule["annotations"]["summary"].endswith(".")
    assert re.fullmatch(r"Genarrative[A-Z]\w+", rule["alert"])


def test_alerts_have_different_names():
    names = [rule["alert"] for rule in rules()]
    assert len(set(names)) == len(names)


def test_panels_do_not_lie_over_each_other():
    panels = dashboard()["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    taken: set[tuple[int, int]] = set()
    for panel in panels:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert max(x for x, _ in cells) < 24
        assert not cells & taken
        taken |= cells
