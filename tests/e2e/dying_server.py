"""A server that a power cut ends at the first record of one call, before it is written or after.

It is started as ``python dying_server.py before|after <call> serve ...``, like the server itself.
Nothing that it wanted to write after that record is written.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from functools import partial
from typing import Any

import server.app
from persistence import Done, PlainAppend, Store, StoreError, decode_record, open_store
from server.cli import main

BEFORE = "before"
AFTER = "after"


class _Cut:
    """The end of a store's writing."""

    def __init__(self, store: Store, moment: str, call: str) -> None:
        self._append = store.append
        self._moment = moment
        self._call = call
        self._is_over = False

    def append(self, batch: Sequence[PlainAppend], done: Done) -> None:
        if self._is_over:
            return
        calls = [decode_record(record).call for _, _, record, _ in batch]
        if self._call not in calls:
            self._append(batch, done)
            return
        self._is_over = True
        if self._moment == BEFORE:
            _die()
        self._append(batch[: calls.index(self._call) + 1], _die)


def _die(_: StoreError | None = None) -> None:
    os.kill(os.getpid(), signal.SIGKILL)
    signal.pause()  # where the end does not come at once, nothing is done until it does


def _open(moment: str, call: str, *given: Any, **more: Any) -> Store:
    store = open_store(*given, **more)
    store.append = _Cut(store, moment, call).append  # type: ignore[method-assign]
    return store


if __name__ == "__main__":
    moment, call = sys.argv.pop(1), sys.argv.pop(1)
    assert moment in {BEFORE, AFTER}
    server.app.open_store = partial(_open, moment, call)  # type: ignore[assignment]
    main()
