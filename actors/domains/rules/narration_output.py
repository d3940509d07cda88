"""Narration output: what a model may say to a turn, checked and bounded (domain 8.3)."""

from __future__ import annotations

import re
from typing import Annotated, Final

from pydantic import BeforeValidator, Field

from actors.domains.rules.deny_list import DenyList
from actors.domains.rules.limits import (
    AFFINITY_HINT_MAX,
    MODEL_LABEL_CHARS_MAX,
    MODEL_NARRATION_CHARS_MAX,
)
from actors.domains.rules.model_output import (
    Output,
    WholeText,
    clamped,
    read_output,
    schema_of,
)

__all__ = [
    "NARRATION_SCHEMA",
    "AffinityHint",
    "NarrationOutput",
    "read_narration",
]

_POSITION: Final = re.compile(r"[1-9][0-9]?")


def _positions(value: object) -> object:
    """Labels of positions from 1 on; what else stands there is dropped, as other keys are."""
    if not isinstance(value, dict):
        return value
    return {key: label for key, label in value.items() if _POSITION.fullmatch(str(key))}


class AffinityHint(Output):
    """How much more an npc likes the party now."""

    npc_key: Annotated[str, Field(pattern=r"^[a-z0-9_]{1,48}$")]
    delta: Annotated[int, clamped(0, AFFINITY_HINT_MAX)]


class NarrationOutput(Output):
    """A narration, and what goes with it. Labels are by the position of the choice, from 1."""

    narration: Annotated[WholeText, Field(min_length=1, max_length=MODEL_NARRATION_CHARS_MAX)]
    choice_labels: Annotated[
        dict[str, Annotated[WholeText, Field(min_length=1, max_length=MODEL_LABEL_CHARS_MAX)]],
        BeforeValidator(_positions),
    ] = Field(default_factory=dict)
    affinity_hint: AffinityHint | None = None


NARRATION_SCHEMA: Final = schema_of(NarrationOutput)
"""The JSON schema of a narration, for models that are told it."""


def read_narration(text: str, denied: DenyList) -> tuple[NarrationOutput | None, list[str]]:
    """The first JSON object in what a model said, as a narration; or what is wrong with it."""
    return read_output(text, NarrationOutput, denied)
