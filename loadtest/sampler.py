"""Sampler: runs a server's command line and notes, a thousand times a second, where it is.

``python -m loadtest.sampler OUT serve ...`` takes the place of ``python -m server serve ...``. From
SIGUSR1 to SIGUSR2, after each millisecond of processor time, every thread's stack is noted with
the processor time that the thread has used since the last sample; then the sums go to OUT as JSON.
Unlike a tracing profiler it does not make small functions look dear.
"""

from __future__ import annotations

import json
import runpy
import signal
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from types import FrameType

from loadtest.limits import SAMPLE_SECONDS, STACK_DEPTH_MAX

__all__ = ["BEGIN", "END", "Sampler"]

BEGIN = signal.SIGUSR1
END = signal.SIGUSR2


class Sampler:
    """Sums processor time by thread and stack. Made, started and stopped on the main thread.

    Attributes:
        nanos: processor time by thread name and stack; innermost function first, a function is
            ``(file, name)``.
    """

    def __init__(self) -> None:
        self.nanos: Counter[tuple[str, tuple[tuple[str, str], ...]]] = Counter()
        self._used: dict[int, int] = {}
        self._main = threading.get_ident()

    def listen(self, path: Path) -> None:
        """Begin and end as the signals say; each end writes the sums to a file."""

        def end(_number: int, _frame: FrameType | None) -> None:
            self.end()
            self.write(path)

        signal.signal(signal.SIGPROF, lambda _number, frame: self.sample(frame))
        signal.signal(BEGIN, lambda _number, _frame: self.begin())
        signal.signal(END, end)

    def begin(self) -> None:
        """Take samples from now on."""
        self._used.clear()
        signal.setitimer(signal.ITIMER_PROF, SAMPLE_SECONDS, SAMPLE_SECONDS)

    def end(self) -> None:
        """Take no more samples."""
        signal.setitimer(signal.ITIMER_PROF, 0.0)

    def write(self, path: Path) -> None:
        """Write the sums: a list of ``[thread name, nanoseconds, [[file, name], ...]]``."""
        path.write_text(
            json.dumps([[name, used, stack] for (name, stack), used in self.nanos.items()])
        )

    def sample(self, interrupted: FrameType | None) -> None:
        """Note where all threads are; ``interrupted`` is where the main thread is."""
        frames = sys._current_frames()  # noqa: SLF001 - documented, for debugging
        for thread in threading.enumerate():
            ident = thread.ident
            if ident is None or ident not in frames:
                continue
            used = time.clock_gettime_ns(time.pthread_getcpuclockid(ident))
            frame = interrupted if ident == self._main else frames[ident]
            self.nanos[thread.name, _stack(frame)] += used - self._used.get(ident, used)
            self._used[ident] = used


def _stack(frame: FrameType | None) -> tuple[tuple[str, str], ...]:
    stack: list[tuple[str, str]] = []
    while frame is not None and len(stack) < STACK_DEPTH_MAX:
        code = frame.f_code
        stack.append((code.co_filename, code.co_qualname))
        frame = frame.f_back
    return tuple(stack)


def _main() -> None:
    out, *arguments = sys.argv[1:]
    sys.argv = ["server", *arguments]
    Sampler().listen(Path(out))
    runpy.run_module("server", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    _main()
