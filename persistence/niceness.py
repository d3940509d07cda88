"""Niceness: a thread whose work nobody waits for leaves the core to the loop."""

from __future__ import annotations

import os
import sys
import threading
from contextlib import suppress

from persistence.limits import BACKGROUND_NICENESS

__all__ = ["give_way"]

_NICENESS_MAX = 19


def give_way() -> None:
    """Let other threads go before the calling one, for good, where the system knows of threads.

    That is Linux; elsewhere niceness is the whole process's, and nothing happens.
    """
    if sys.platform != "linux":
        return
    thread_id = threading.get_native_id()
    with suppress(OSError):  # a sandbox that forbids it
        niceness = os.getpriority(os.PRIO_PROCESS, thread_id) + BACKGROUND_NICENESS
        os.setpriority(os.PRIO_PROCESS, thread_id, min(niceness, _NICENESS_MAX))
