"""Child process of the crash test: appends for ever, and says what was acknowledged."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

from persistence import Append, RowChange, encode_record, open_store, parse_retention

RETENTION = parse_retention("records=70,bytes=any,age=any;b:records=any,bytes=6KiB")


async def write(url: str) -> None:
    store = open_store(url, Path.cwd(), retention=RETENTION)
    await store.open()
    window = asyncio.Semaphore(16)
    seq = 0
    while True:
        await window.acquire()
        seq += 1
        record = encode_record(seq, seq, "call", b"", b"", [RowChange(1, b"k", bytes(200))])

        def done(error, seq=seq):
            assert error is None
            os.write(1, b"%d\n" % seq)
            window.release()

        store.append([Append("a", seq, record, None), Append("b", seq, record, seq)], done)
        if seq % 50 == 0:
            store.checkpoint("a", seq, lambda error: None)
            changes = [RowChange(1, b"k", bytes(200))]
            store.checkpoint("b", seq, lambda error: None, changes, seq)


asyncio.run(write(sys.argv[1]))
