"""Exposition: a server's ``/metrics``, each name's samples added up.

Buckets of histograms are left out: their sums and counts say what a load test asks.
"""

from __future__ import annotations

import asyncio
import http.client
from collections import defaultdict
from collections.abc import Mapping

from loadtest.connection import Address
from loadtest.limits import SCRAPE_SECONDS_MAX

__all__ = ["read_metrics", "scrape"]

_BUCKET = "_bucket"


def read_metrics(text: str) -> dict[str, float]:
    """Read the text format of Prometheus: ``name{labels} value [time]`` per line."""
    found: defaultdict[str, float] = defaultdict(float)
    for line in text.splitlines():
        if not line or line.startswith("#"):
            continue
        name, brace, rest = line.partition("{")
        if brace:
            rest = rest.rpartition("}")[2]
        else:
            name, _, rest = line.partition(" ")
        if not name.endswith(_BUCKET):
            found[name] += float(rest.split()[0])
    return dict(found)


async def scrape(address: Address) -> Mapping[str, float]:
    """Ask a server; nothing when it does not answer, or has no metrics."""
    return await asyncio.to_thread(_get, address)


def _get(address: Address) -> Mapping[str, float]:
    connection = http.client.HTTPConnection(address.host, address.port, timeout=SCRAPE_SECONDS_MAX)
    try:
        connection.request("GET", "/metrics")
        answer = connection.getresponse()
        text = answer.read().decode(errors="replace")
        return read_metrics(text) if answer.status == http.client.OK else {}
    except (OSError, http.client.HTTPException, ValueError, IndexError):
        return {}
    finally:
        connection.close()
