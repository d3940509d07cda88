"""Traces: calls and HTTP requests as OpenTelemetry spans, of those that are chosen."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import entry_points

from opentelemetry import context as contexts
from opentelemetry import trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Span, SpanKind, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from actors.host.caller import Caller
from actors.host.tracing import Stage
from actors.keys import ActorKey
from server import __version__
from server.errors import StartError

__all__ = ["Traces", "open_provider"]

_FRAME = "frame"
_PROPAGATOR = TraceContextTextMapPropagator()


def open_provider(exporter: str) -> TracerProvider:
    """Make what gives spans to an installed exporter, from a thread of its own.

    Raises:
        StartError: there is no such exporter.
    """
    found = entry_points(group="opentelemetry_traces_exporter", name=exporter)
    if not found:
        known = sorted(entry_points(group="opentelemetry_traces_exporter").names)
        raise StartError(
            f"trace_exporter: {exporter} is not installed, but {', '.join(known) or 'none'};"
            " install opentelemetry-exporter-otlp-proto-http for otlp_proto_http"
        )
    resource = Resource.create({"service.name": "genarrative", "service.version": __version__})
    provider = TracerProvider(resource=resource)
    provider.add_span_processor(BatchSpanProcessor(next(iter(found)).load()()))
    return provider


class Traces:
    """Chooses calls and requests, and makes their spans; a ``Tracer``. Loop thread.

    What belongs to a request with a W3C ``traceparent`` follows the choice that was made there.

    Args:
        provider: takes the spans.
        share: of the others, how many are chosen, evenly spread.
    """

    def __init__(self, provider: trace.TracerProvider, share: float) -> None:
        self._tracer = provider.get_tracer("genarrative", __version__)
        self._share = share
        self._credit = 0.0
        self._frame_at = 0

    def frame_received(self) -> None:
        """Bytes came from a socket; calls that they hold begin in this callback."""
        self._frame_at = time.time_ns()

    def begin(
        self, name: str, actor: ActorKey, caller: Caller, *, is_framed: bool
    ) -> _CallTrace | None:
        """See ``Tracer.begin``."""
        parent = trace.get_current_span()
        if parent.get_span_context().is_valid:
            if not parent.is_recording():
                return None
        elif not self._is_chosen():
            return None
        now = time.time_ns()
        began = self._frame_at if is_framed and self._frame_at else now
        span = self._tracer.start_span(
            f"call {name}",
            kind=SpanKind.SERVER if is_framed else SpanKind.INTERNAL,
            start_time=began,
            attributes={
                "genarrative.function": name,
                "genarrative.actor": actor,
                "genarrative.connection": str(caller.connection_id),
                "enduser.id": caller.user_id,
            },
        )
        return _CallTrace(self._tracer, span, [(_FRAME, began)] if is_framed else [])

    @contextmanager
    def request(self, method: str, headers: Mapping[str, str]) -> Iterator[Span | None]:
        """Follow an HTTP request while the body runs; None when it is not chosen."""
        parent = _PROPAGATOR.extract(headers, context=contexts.Context())
        known = trace.get_current_span(parent).get_span_context()
        if known.trace_flags.sampled if known.is_valid else self._is_chosen():
            with self._tracer.start_as_current_span(
                method, parent, SpanKind.SERVER, {"http.request.method": method}
            ) as span:
                yield span
            return
        # Calls of a request that is not followed are not followed either.
        token = contexts.attach(trace.set_span_in_context(_unchosen(known), parent))
        try:
            yield None
        finally:
            contexts.detach(token)

    def _is_chosen(self) -> bool:
        self._credit += self._share
        if self._credit < 1:
            return False
        self._credit -= 1
        return True


class _CallTrace:
    """The times of one call, which become spans when it has ended."""

    def __init__(self, tracer: trace.Tracer, span: Span, stages: list[tuple[str, int]]) -> None:
        self._tracer = tracer
        self._span = span
        self._stages = stages

    def reach(self, stage: Stage) -> None:
        """See ``CallTrace.reach``."""
        self._stages.append((stage.value, time.time_ns()))

    def end(self, seq: int, error: Exception | None) -> None:
        """See ``CallTrace.end``."""
        now = time.time_ns()
        parent = trace.set_span_in_context(self._span, contexts.Context())
        ends = [began for _, began in self._stages[1:]] + [now]
        for (name, began), ended in zip(self._stages, ends, strict=True):
            self._tracer.start_span(name, parent, start_time=began).end(ended)
        self._span.set_attribute("genarrative.seq", seq)
        if error is not None:
            self._span.set_attribute("error.type", getattr(error, "code", type(error).__name__))
            self._span.set_status(Status(StatusCode.ERROR))
        self._span.end(now)


def _unchosen(known: trace.SpanContext) -> Span:
    """A span that records nothing, so that what runs below it is not chosen anew."""
    if known.is_valid:
        return trace.NonRecordingSpan(known)
    return trace.NonRecordingSpan(
        trace.SpanContext(trace_id=1, span_id=1, is_remote=False, trace_flags=trace.TraceFlags(0))
    )
