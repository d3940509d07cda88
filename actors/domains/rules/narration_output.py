"""Narration output: what a model may say to a turn, checked and bounded (domain 8.3)."""

from __future__ import annotations

import json
import re
from typing import Annotated, Any, Final

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
)
from pydantic.alias_generators import to_camel

from actors.domains.rules.canonical_json import write_json
from actors.domains.rules.deny_list import DenyList
from actors.domains.rules.limits import (
    AFFINITY_HINT_MAX,
    MODEL_FAULTS_MAX,
    MODEL_LABEL_CHARS_MAX,
    MODEL_NARRATION_CHARS_MAX,
)
from actors.domains.rules.text import canonical_text

__all__ = [
    "NARRATION_SCHEMA",
    "AffinityHint",
    "NarrationOutput",
    "read_narration",
]

_POSITION: Final = re.compile(r"[1-9][0-9]?")
_DENIED: Final = "the text contains something that is not allowed"


def _clamped(value: object) -> object:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return int(min(max(value, 0), AFFINITY_HINT_MAX))
    return value


def _positions(value: object) -> object:
    """Labels of positions from 1 on; what else stands there is dropped, as other keys are."""
    if not isinstance(value, dict):
        return value
    return {key: label for key, label in value.items() if _POSITION.fullmatch(str(key))}


def _whole(value: str) -> str:
    """The canonical text; half of a surrogate pair is an error, as no row could hold it."""
    value.encode()
    return canonical_text(value)


_Text = Annotated[str, AfterValidator(_whole)]


class _Output(BaseModel):
    model_config = ConfigDict(
        alias_generator=to_camel, extra="ignore", frozen=True, strict=True, populate_by_name=True
    )


class AffinityHint(_Output):
    """How much more an npc likes the party now."""

    npc_key: Annotated[str, Field(pattern=r"^[a-z0-9_]{1,48}$")]
    delta: Annotated[int, BeforeValidator(_clamped)]


class NarrationOutput(_Output):
    """A narration, and what goes with it. Labels are by the position of the choice, from 1."""

    narration: Annotated[_Text, Field(min_length=1, max_length=MODEL_NARRATION_CHARS_MAX)]
    choice_labels: Annotated[
        dict[str, Annotated[_Text, Field(min_length=1, max_length=MODEL_LABEL_CHARS_MAX)]],
        BeforeValidator(_positions),
    ] = Field(default_factory=dict)
    affinity_hint: AffinityHint | None = None

    def to_json(self) -> str:
        """Its canonical JSON; what is absent is left out."""
        return write_json(self.model_dump(by_alias=True, exclude_none=True))


NARRATION_SCHEMA: Final = write_json(
    json.loads(json.dumps(NarrationOutput.model_json_schema(by_alias=True)))
)
"""The JSON schema of a narration, for models that are told it."""


def read_narration(text: str, denied: DenyList) -> tuple[NarrationOutput | None, list[str]]:
    """The first JSON object in what a model said, as a narration; or what is wrong with it.

    Faults speak of places and rules, and repeat nothing of the text.
    """
    value = _first_object(text)
    if value is None:
        return None, ["the answer is not a JSON object"]
    try:
        output = NarrationOutput.model_validate(value)
    except ValidationError as error:
        faults = error.errors(include_url=False, include_input=False, include_context=False)
        return None, [
            f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}"
            for fault in faults[:MODEL_FAULTS_MAX]
        ]
    if any(map(denied.finds_in, (output.narration, *output.choice_labels.values()))):
        return None, [_DENIED]
    return output, []


def _first_object(text: str) -> dict[str, Any] | None:
    start = text.find("{")
    if start < 0:
        return None
    try:
        value, _ = json.JSONDecoder(strict=False).raw_decode(text, start)
    except (ValueError, RecursionError):
        return None
    assert isinstance(value, dict)
    return value
