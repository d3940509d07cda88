"""What happens to a host between calls, for laws that hold whatever happens."""

from __future__ import annotations

from host_bench import Bench
from hypothesis import strategies as st

from actors.limits import PINNED_SECONDS

INTERLUDES = st.one_of(
    st.tuples(st.just("pass"), st.integers(1, 12)),
    st.tuples(st.just("release"), st.integers(1, 5)),
    st.tuples(st.just("turns"), st.integers(1, 6)),
    st.tuples(st.just("sweep")),
)


async def interlude(bench: Bench, kind: str, *counts: int) -> None:
    """Let it happen, while durability is held back."""
    if kind == "pass":
        bench.clock.advance(*counts)
        await bench.host._wakes.look()
    elif kind == "release":
        bench.store.release(*counts)
    elif kind == "turns":
        await bench.turns(*counts)
    else:
        assert kind == "sweep"
        bench.idle(PINNED_SECONDS + 2)
