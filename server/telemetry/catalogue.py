"""Catalogue: every metric that the server has, in the order of its page.

Units are seconds, bytes, or what the name counts. Walking all actors is left to the census; what
is read here is there already.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from operator import attrgetter

from server import __version__
from server.canary import Part
from server.metrics import Metrics
from server.telemetry.families import Actors, Family, Kind, Reading, Value

__all__ = ["FAMILIES", "GROUPS"]


def _process(
    name: str, kind: Kind, text: str, read: Callable[[Metrics], Reading], *labels: str
) -> Family:
    return Family(name, kind, text, labels, of_process=read)


def _actors(
    name: str, kind: Kind, text: str, read: Callable[[Actors], Reading], *labels: str
) -> Family:
    return Family(name, kind, text, labels, of_actors=read)


def _by_model(attribute: str) -> Callable[[Metrics], Reading]:
    read = attrgetter(attribute)
    return lambda m: {("text",): read(m.models.text), ("image",): read(m.models.image)}


def _tokens(metrics: Metrics) -> Reading:
    kinds = {"text": metrics.models.text, "image": metrics.models.image}
    return {
        (kind, direction): tokens
        for kind, counts in kinds.items()
        for direction, tokens in (
            ("prompt", counts.prompt_tokens),
            ("answer", counts.answer_tokens),
        )
    }


def _by_function(actors: Actors) -> Reading:
    outcomes = ("committed", "repeated", "refused", "failed")
    return {
        (name, outcome): getattr(endpoint.tally, outcome)
        for name, endpoint in actors.host.reducers.items()
        for outcome in outcomes
    }


def _by_effect(*outcomes: str) -> Callable[[Actors], Mapping[tuple[str, ...], Value]]:
    return lambda actors: {
        (effect, outcome): getattr(tally, outcome)
        for effect, tally in actors.host.effects.tallies.items()
        for outcome in outcomes
    }


def _by_schedule(*outcomes: str) -> Callable[[Actors], Mapping[tuple[str, ...], Value]]:
    return lambda actors: {
        (table, outcome): getattr(schedule.tally, outcome)
        for table, schedule in actors.host.catalogue.schedules.items()
        for outcome in outcomes
    }


def _schedule_lateness(actors: Actors) -> Reading:
    schedules = actors.host.catalogue.schedules.items()
    return {(table,): schedule.tally.late_seconds for table, schedule in schedules}


def _by_part(actors: Actors) -> Reading:
    broken = actors.canary.state.broken
    return {(part.name.lower(),): float(part is broken) for part in Part}


def _running_effects(actors: Actors) -> Reading:
    return {(effect,): tally.running for effect, tally in actors.host.effects.tallies.items()}


_COUNTER, _GAUGE, _HISTOGRAM = Kind.COUNTER, Kind.GAUGE, Kind.HISTOGRAM

_SERVER = (
    _process("info", _GAUGE, "1, with the version", lambda _: {(__version__,): 1}, "version"),
    _process(
        "loop_lag_seconds",
        _HISTOGRAM,
        "How much later than asked the event loop came back",
        lambda m: m.loop_lag_seconds,
    ),
    _actors(
        "canary_broken",
        _GAUGE,
        "1 for the part that the canary finds broken, 0 for the others",
        _by_part,
        "part",
    ),
    _actors(
        "canary_beat_seconds",
        _GAUGE,
        "What the canary's last good beat took",
        lambda a: a.canary.state.beat_seconds or 0.0,
    ),
    _process(
        "log_records",
        _COUNTER,
        "Logs that were written",
        lambda m: {(level,): count for level, count in m.log_records.items()},
        "level",
    ),
)

_SOCKETS = (
    _process("connections_open", _GAUGE, "Sockets open now", lambda m: m.connections_open),
    _process(
        "connections",
        _COUNTER,
        "Sockets through their handshake, ever",
        lambda m: m.connections,
    ),
    _process(
        "handshakes_refused",
        _COUNTER,
        "Upgrades answered with anything but 101",
        lambda m: m.handshakes_refused,
    ),
    _process("requests", _COUNTER, "Requests received on sockets", lambda m: m.requests),
    _process(
        "requests_limited",
        _COUNTER,
        "Calls refused for their caller's rate",
        lambda m: m.requests_limited,
    ),
    _process("messages_sent", _COUNTER, "Messages handed to sockets", lambda m: m.messages_sent),
    _process(
        "received_bytes",
        _COUNTER,
        "Bytes read from sockets after their handshake",
        lambda m: m.bytes_received,
    ),
    _process(
        "sent_bytes",
        _COUNTER,
        "Bytes written to sockets after their handshake",
        lambda m: m.bytes_sent,
    ),
    _process(
        "slow_readers",
        _COUNTER,
        "Sockets closed because their peer did not read",
        lambda m: m.slow_readers,
    ),
)

_HTTP = (
    _process(
        "http_requests",
        _COUNTER,
        "HTTP requests answered",
        lambda m: m.http.requests,
        "route",
        "method",
        "status",
    ),
    _process(
        "http_request_seconds",
        _HISTOGRAM,
        "From a request's head to the last byte of its answer",
        lambda m: {(route,): seconds for route, seconds in m.http.seconds.items()},
        "route",
    ),
)

_CALLS = (
    _actors(
        "calls",
        _COUNTER,
        "Calls of reducers: committed, repeated (answered from the receipt), refused, failed",
        _by_function,
        "function",
        "outcome",
    ),
    _actors("turns", _COUNTER, "Actors' turns", lambda a: a.host.turn_count),
    _actors("turns_slow", _COUNTER, "Turns over their budget", lambda a: a.host.slow_turn_count),
    _actors("turn_seconds", _HISTOGRAM, "What a turn took", lambda a: a.host.turn_seconds),
)

_MEMORY = (
    _actors(
        "actors",
        _GAUGE,
        "Actors in memory",
        lambda a: {(kind,): count for kind, count in a.census.actors.items()},
        "kind",
    ),
    _actors(
        "actors_loading", _GAUGE, "Actors whose rows are being read", lambda a: a.census.loading
    ),
    _actors("actors_watched", _GAUGE, "Actors with subscribers", lambda a: a.census.watched),
    _actors(
        "actors_quarantined",
        _GAUGE,
        "Actors in memory that take no calls, after too many failures",
        lambda a: a.census.quarantined,
    ),
    _actors(
        "actors_damaged",
        _GAUGE,
        "Actors whose stored rows could not be understood",
        lambda a: len(a.host.vitals.loader.damaged),
    ),
    _actors(
        "actors_resident_bytes",
        _GAUGE,
        "What actors take in memory, by estimate",
        lambda a: a.host.passivation.resident_bytes,
    ),
    _actors(
        "activations",
        _COUNTER,
        "Actors that came into memory",
        lambda a: a.host.vitals.loader.count,
    ),
    _actors(
        "passivations", _COUNTER, "Actors that left memory", lambda a: a.host.passivation.count
    ),
    _actors(
        "mailbox_messages",
        _GAUGE,
        "Messages that wait for their turn, of all actors in memory",
        lambda a: a.census.mailbox_messages,
    ),
    _actors(
        "mailbox_messages_max",
        _GAUGE,
        "The same, of the actor with most",
        lambda a: a.census.mailbox_messages_max,
    ),
)

_MAIL = (
    _actors(
        "outbox_messages",
        _GAUGE,
        "Messages and requests for effects that nobody has acknowledged, of actors in memory",
        lambda a: a.census.unsent_messages,
    ),
    _actors(
        "dead_letters",
        _GAUGE,
        "Messages that broke their handler too often, of actors in memory",
        lambda a: a.census.dead_letters,
    ),
    _actors(
        "timers", _GAUGE, "Timers that are set, of actors in memory", lambda a: a.census.timers
    ),
    _actors(
        "wakes",
        _COUNTER,
        "Actors woken for a timer or message",
        lambda a: a.host.vitals.wakes.count,
    ),
    _actors(
        "wake_late_seconds",
        _GAUGE,
        "How long the earliest due wake has been waiting",
        lambda a: a.host.vitals.wakes.late_seconds,
    ),
    _actors(
        "scheduled_slots",
        _COUNTER,
        "Slots of scheduled tables' rows: fired, failed, or skipped because they were long over",
        _by_schedule("fired", "failed", "skipped"),
        "table",
        "outcome",
    ),
    _actors(
        "scheduled_late_seconds",
        _HISTOGRAM,
        "From a slot of a scheduled table's row until its reducer ran",
        _schedule_lateness,
        "table",
    ),
    _actors("effects_running", _GAUGE, "Requests for effects at work", _running_effects, "effect"),
    _actors(
        "effects",
        _COUNTER,
        "Runs of effects: done, or failed (the request comes again)",
        _by_effect("done", "failed"),
        "effect",
        "outcome",
    ),
)

_SUBSCRIPTIONS = (
    _actors("sessions", _GAUGE, "Connections that the actors know", lambda a: a.host.session_count),
    _actors(
        "plans",
        _GAUGE,
        "Queries that somebody subscribes to; equal ones over one actor are one",
        lambda a: a.census.plans,
    ),
    _actors(
        "subscriptions",
        _GAUGE,
        "Places of subscribers in those plans",
        lambda a: a.census.subscriptions,
    ),
)

_STORE = (
    _actors(
        "commit_seconds",
        _HISTOGRAM,
        "From handing a round's records to the store until they were durable",
        lambda a: a.host.rounds.tally.seconds,
    ),
    _actors(
        "round_records",
        _HISTOGRAM,
        "Journal records of a round: of what was committed in one turn of the loop",
        lambda a: a.host.rounds.tally.sizes,
    ),
    _actors(
        "rounds_waiting",
        _GAUGE,
        "Rounds that are handed over and not durable yet",
        lambda a: max(0, a.host.rounds.number - 1 - a.host.rounds.durable_number),
    ),
    _actors(
        "store_waiting_bytes",
        _GAUGE,
        "What the store has accepted and not settled",
        lambda a: a.store.pending_bytes(),
    ),
    _actors(
        "rounds_refused",
        _COUNTER,
        "Rounds that the store refused; every actor was loaded again",
        lambda a: a.host.rounds.tally.refused,
    ),
    _actors(
        "checkpoints", _COUNTER, "Checkpoints written", lambda a: a.host.vitals.checkpoints.count
    ),
    _actors(
        "checkpoints_failed",
        _COUNTER,
        "Checkpoints that failed; nothing was lost",
        lambda a: a.host.vitals.checkpoints.failed_count,
    ),
)

_MODELS = (
    _process(
        "model_requests",
        _COUNTER,
        "Requests to models that got a slot",
        _by_model("requests"),
        "kind",
    ),
    _process(
        "model_failures",
        _COUNTER,
        "Requests to models that ended without a whole answer",
        _by_model("failures"),
        "kind",
    ),
    _process(
        "model_refusals",
        _COUNTER,
        "Requests to models over a budget, or when too many waited",
        _by_model("refusals"),
        "kind",
    ),
    _process(
        "model_tokens",
        _COUNTER,
        "Tokens, estimated where no model counted them",
        _tokens,
        "kind",
        "direction",
    ),
    _process(
        "model_seconds", _COUNTER, "Time that requests to models took", _by_model("seconds"), "kind"
    ),
    _process(
        "model_first_seconds",
        _COUNTER,
        "Time until the first piece of each answer",
        _by_model("first_seconds"),
        "kind",
    ),
    _process(
        "model_cost",
        _COUNTER,
        "What requests to models cost, by the settings' prices",
        _by_model("cost"),
        "kind",
    ),
    _process("model_running", _GAUGE, "Requests to models now", _by_model("running"), "kind"),
    _process(
        "model_waiting", _GAUGE, "Requests that wait for models", _by_model("waiting"), "kind"
    ),
)

_OPERATORS = (
    _process(
        "admin_commands",
        _COUNTER,
        "Operators' commands",
        lambda m: m.admin_commands,
        "command",
        "outcome",
    ),
    _process("tails_open", _GAUGE, "Tails that operators follow", lambda m: m.tails_open),
    _process(
        "tail_entries_dropped",
        _COUNTER,
        "Entries of tails that gave way to newer ones",
        lambda m: m.tail_entries_dropped,
    ),
)

GROUPS: Mapping[str, tuple[Family, ...]] = {
    "The server": _SERVER,
    "Sockets": _SOCKETS,
    "HTTP": _HTTP,
    "Calls and turns": _CALLS,
    "Actors in memory": _MEMORY,
    "Messages, timers and effects": _MAIL,
    "Subscriptions": _SUBSCRIPTIONS,
    "Store": _STORE,
    "Models": _MODELS,
    "Operators": _OPERATORS,
}
"""Families by heading."""

FAMILIES: tuple[Family, ...] = tuple(family for group in GROUPS.values() for family in group)
"""All of them."""
