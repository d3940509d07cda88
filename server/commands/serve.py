"""Command ``serve``: one server in this process, from the ready line to the signal."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import signal
import sys
from pathlib import Path

import uvloop

from server.app import Server
from server.logs import configure_logs
from server.settings import LoadedSettings

__all__ = ["run_server"]


async def _serve(loaded: LoadedSettings, *, reset: bool) -> bool:
    server = Server(loaded.settings, reset=reset, sources=loaded.sources)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, server.ended.set)
    gc.set_threshold(50_000, 50, 100)  # defaults pause 200 ms at 100,000 actors
    ready = await server.start()
    gc.collect()
    gc.freeze()  # what start-up made stays; the collector need not look at it again
    sys.stdout.write(f"{ready}\n")
    sys.stdout.flush()
    await server.ended.wait()
    in_time = await server.stop()
    if server.failure is not None:
        raise server.failure
    return in_time


def run_server(loaded: LoadedSettings, *, reset: bool) -> None:
    """Serve until SIGTERM or SIGINT; returns after a stop, whatever is left after its time.

    Raises what ``Server.start`` raises, and the StoreError that ended the server if one did.
    """
    configure_logs(loaded.settings.log_level, loaded.settings.log_format)
    sys.path.insert(0, str(Path.cwd()))  # modules beside the settings file can be served
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        if runner.run(_serve(loaded, reset=reset)):
            return
        # A thread that does not end would keep the process: everything acknowledged is durable.
        logging.shutdown()
        os._exit(0)
