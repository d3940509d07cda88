"""A server that a power cut ends at the first record of one call, before it is written or after.

It is started as ``python dying_server.py before|after <call> serve ...``, like the server itself.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from functools import partial
from typing import Any

import server.app
from persistence import Append, Done, Store, StoreError, decode_record, open_store
from server.cli import main

BEFORE = "before"
AFTER = "after"


def _die(_: StoreError | None = None) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _append(store: Store, moment: str, call: str, batch: Sequence[Append], done: Done) -> None:
    is_time = any(decode_record(entry.record).call == call for entry in batch)
    if is_time and moment == BEFORE:
        _die()
    type(store).append(store, batch, _die if is_time else done)


def _open(moment: str, call: str, *given: Any, **more: Any) -> Store:
    store = open_store(*given, **more)
    store.append = partial(_append, store, moment, call)  # type: ignore[method-assign]
    return store


if __name__ == "__main__":
    moment, call = sys.argv.pop(1), sys.argv.pop(1)
    assert moment in {BEFORE, AFTER}
    server.app.open_store = partial(_open, moment, call)  # type: ignore[assignment]
    main()
