"""What clients saw of concurrent calls, and whether some order of their effects explains it.

The checker is Wing and Gong's with Lowe's memory of what was tried: it looks for an order in which
each call takes effect at one moment between its begin and its end, and gives the answer that was
seen. A call whose outcome nobody learned took effect at any moment after its begin, or never.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Hashable, Iterable, Sequence
from enum import Enum
from typing import Any, NamedTuple, TypeAlias

State: TypeAlias = Hashable
Step: TypeAlias = Callable[[Any, Any], tuple[Any, object]]
"""From a state and an action to the state after it and the answer."""


class Outcome(Enum):
    """What a client knows of its call in the end."""

    OK = "ok"
    FAIL = "fail"
    """It was refused: it must not take effect."""
    INFO = "info"
    """The connection was lost before the answer came: nobody knows."""


class Operation(NamedTuple):
    """One call. ``answer`` is None where none was given or learned."""

    action: Any
    invoked: float
    completed: float
    outcome: Outcome
    answer: object = None


class History:
    """The calls on one object, or on several that share no state and are told apart by a key."""

    def __init__(self) -> None:
        self.operations: dict[Hashable, list[Operation]] = {}

    def end(
        self,
        key: Hashable,
        action: Any,
        invoked: float,
        outcome: Outcome,
        answer: object = None,
    ) -> None:
        """Record a call that ends now."""
        completed = math.inf if outcome is Outcome.INFO else now()
        operation = Operation(action, invoked, completed, outcome, answer)
        self.operations.setdefault(key, []).append(operation)

    def count(self, outcome: Outcome) -> int:
        """How many calls ended so."""
        return sum(one.outcome is outcome for some in self.operations.values() for one in some)


def now() -> float:
    """The one clock of all clients, in seconds."""
    return time.perf_counter()


def is_linearizable(operations: Iterable[Operation], initial: State, step: Step) -> bool:
    """Whether some order of effects explains what was seen of one object."""
    ordered = sorted(operations, key=lambda one: one.invoked)
    known = [one for one in ordered if one.outcome is Outcome.OK]
    unknown = [one for one in ordered if one.outcome is Outcome.INFO]
    everything = (1 << len(known)) - 1
    # Which known and which unknown ones have taken effect, and what state that left.
    start = (0, 0, initial)
    tried = {start}
    waiting = [start]
    while waiting:
        done, guessed, state = waiting.pop()
        if done == everything:
            return True
        next_ones, latest = _next(known, done)
        found = []
        # What is pushed last is tried first: a guess comes after all that is known.
        for place, one in enumerate(unknown):
            if not guessed >> place & 1 and one.invoked < latest:
                found.append((done, guessed | 1 << place, step(state, one.action)[0]))
        for place in next_ones:
            one = known[place]
            after, answer = step(state, one.action)
            if one.answer is None or answer == one.answer:
                found.append((done | 1 << place, guessed, after))
        for node in found:
            if node not in tried:
                tried.add(node)
                waiting.append(node)
    return False


def _next(known: Sequence[Operation], done: int) -> tuple[list[int], float]:
    """Calls that no other one has ended before, and the first end among those that remain."""
    places = []
    latest = math.inf
    for place in range((~done & (done + 1)).bit_length() - 1, len(known)):
        one = known[place]
        if one.invoked > latest:
            break
        if not done >> place & 1:
            places.append(place)
            latest = min(latest, one.completed)
    return places, latest


def respects_time(effects: Iterable[Operation]) -> bool:
    """Whether calls, in the order of their effects, had not ended before earlier ones began."""
    last_begun = -math.inf
    for one in effects:
        last_begun = max(last_begun, one.invoked)
        if one.completed < last_begun:
            return False
    return True


def number(state: int, action: tuple[str, int]) -> tuple[int, int | None]:
    """The step of a number that is put, added to and looked at."""
    name, operand = action
    if name == "put":
        return operand, None
    if name == "add":
        return state + operand, state + operand
    return state, state
