"""Page: the documentation of all metrics, made from their catalogue."""

from __future__ import annotations

from collections.abc import Iterator

from server.telemetry.catalogue import GROUPS
from server.telemetry.families import Family

__all__ = ["metrics_page"]

_HEAD = """\
# Metrics

`GET /metrics` answers in the text format of Prometheus, unless the setting `metrics` is off. This
page is made from the catalogue in `server/telemetry/catalogue.py`; `genarrative docs metrics`
prints it.

Times are seconds and sizes bytes. Counters begin at 0 with the process. Labels hold words of the
program and of the module, such as a reducer's name, and never a user's. What is said of actors in
memory is counted while it is asked for, a few actors at a time, so that turns go on meanwhile.
Histograms have the series `_bucket` (by `le`), `_sum` and `_count`.

Beside these there are the usual `process_*` (processor time, resident memory, open files, start
time) and `python_gc_*` metrics. `operations/grafana.json` is a dashboard and
`operations/alerts.yml` are alerting rules over all of them.
"""


def metrics_page() -> str:
    """The page as Markdown."""
    return _HEAD + "".join(part for title, group in GROUPS.items() for part in _group(title, group))


def _group(title: str, group: tuple[Family, ...]) -> Iterator[str]:
    yield f"\n## {title}\n\n| metric | kind | labels | what it says |\n|---|---|---|---|\n"
    for family in group:
        labels = ", ".join(f"`{label}`" for label in family.labels)
        yield f"| `{family.full_name}` | {family.kind.value} | {labels} | {family.text} |\n"
