"""Machine: what a load was generated on, and with which version."""

from __future__ import annotations

import os
import platform
from importlib import metadata
from pathlib import Path

from loadtest.reports.document import Machine

__all__ = ["generator_version", "this_machine"]

_CPUS = Path("/proc/cpuinfo")


def this_machine() -> Machine:
    """The one that this process runs on, as busy as it is now."""
    affinity = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else None
    return Machine(
        processor=_processor(),
        cores=len(affinity) if affinity else os.cpu_count() or 1,
        memory_bytes=os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        system=platform.platform(),
        python=f"{platform.python_implementation()} {platform.python_version()}",
        load_average=os.getloadavg(),
    )


def generator_version() -> str:
    """Version of the installed package; ``unknown`` when it runs from a mere folder."""
    try:
        return metadata.version("genarrative-server")
    except metadata.PackageNotFoundError:
        return "unknown"


def _processor() -> str:
    if _CPUS.exists():
        for line in _CPUS.read_text().splitlines():
            name, _, value = line.partition(":")
            if name.strip() == "model name":
                return value.strip()
    return platform.processor() or platform.machine()
