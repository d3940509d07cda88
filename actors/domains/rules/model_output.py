"""Model output: what a model has said, read as JSON of a kind, checked and bounded (domain 8.3).

Numbers beyond their bounds are moved to them and keys that nobody asked for are dropped; whatever
else is wrong is told back, so that the model can repair it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Annotated, Any, Final, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, ValidationError
from pydantic.alias_generators import to_camel

from actors.domains.rules.canonical_json import write_json
from actors.domains.rules.deny_list import DenyList
from actors.domains.rules.limits import MODEL_FAULTS_MAX
from actors.domains.rules.text import canonical_text

__all__ = ["Output", "WholeText", "check_output", "clamped", "read_output", "schema_of"]

_DENIED: Final = "the text contains something that is not allowed"


class Output(BaseModel):
    """Something that a model writes: camelCase keys, and none that nobody asked for."""

    model_config = ConfigDict(
        alias_generator=to_camel, extra="ignore", frozen=True, strict=True, populate_by_name=True
    )

    def to_json(self) -> str:
        """Its canonical JSON; what is absent is left out."""
        return write_json(self.model_dump(by_alias=True, exclude_none=True))


AnyOutput = TypeVar("AnyOutput", bound=Output)


def _whole(value: str) -> str:
    """The canonical text; half of a surrogate pair is an error, as no row could hold it."""
    value.encode()
    return canonical_text(value)


WholeText = Annotated[str, AfterValidator(_whole)]
"""A text in canonical form."""


def clamped(low: int, high: int) -> BeforeValidator:
    """Moves a number into its bounds; what is no number is an error."""

    def clamp(value: object) -> object:
        if isinstance(value, int | float) and not isinstance(value, bool):
            return int(min(max(value, low), high))
        return value

    return BeforeValidator(clamp)


def schema_of(model: type[Output]) -> str:
    """The JSON schema of an output, for models that are told it."""
    return write_json(json.loads(json.dumps(model.model_json_schema(by_alias=True))))


def read_output(
    text: str, model: type[AnyOutput], denied: DenyList
) -> tuple[AnyOutput | None, list[str]]:
    """The first JSON object in what a model said, as an output; or what is wrong with it.

    Faults speak of places and rules, and repeat nothing of the text.
    """
    value = _first_object(text)
    if value is None:
        return None, ["the answer is not a JSON object"]
    return check_output(value, model, denied)


def check_output(
    value: dict[str, Any], model: type[AnyOutput], denied: DenyList
) -> tuple[AnyOutput | None, list[str]]:
    """A JSON object as an output; or what is wrong with it, as ``read_output``."""
    try:
        output = model.model_validate(value)
    except ValidationError as error:
        faults = error.errors(include_url=False, include_input=False, include_context=False)
        return None, [
            f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}"
            for fault in faults[:MODEL_FAULTS_MAX]
        ]
    if any(map(denied.finds_in, _texts(output.model_dump()))):
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


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for element in value.values():
            yield from _texts(element)
    elif isinstance(value, list | tuple):
        for element in value:
            yield from _texts(element)
