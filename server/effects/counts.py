"""Counts: what was asked of models, and what it took, since the process began."""

from __future__ import annotations

from dataclasses import dataclass, field

__all__ = ["EffectCounts", "ModelCounts"]


@dataclass(slots=True)
class ModelCounts:
    """Counters of one kind of model; whoever serves metrics reads them as they are.

    Attributes:
        requests: requests that got a slot.
        failures: those of them that ended without an answer, or with half of one.
        refusals: requests that got no slot: over a budget, or too many waited.
        prompt_tokens: tokens of all prompts, estimated where no provider counted.
        answer_tokens: likewise of all answers.
        seconds: time that requests took, in sum.
        first_seconds: time until the first piece of each answer that had one, in sum.
        cost: what all of it cost, by the settings' price.
        running: requests that run now.
        waiting: requests that wait now.
    """

    requests: int = 0
    failures: int = 0
    refusals: int = 0
    prompt_tokens: int = 0
    answer_tokens: int = 0
    seconds: float = 0.0
    first_seconds: float = 0.0
    cost: float = 0.0
    running: int = 0
    waiting: int = 0


@dataclass(frozen=True, slots=True)
class EffectCounts:
    """Counts of all models, by kind."""

    text: ModelCounts = field(default_factory=ModelCounts)
    image: ModelCounts = field(default_factory=ModelCounts)
