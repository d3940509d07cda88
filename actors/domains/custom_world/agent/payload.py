"""Agent payloads: what an action is asked with, field by field (domain 7.5).

Fields are named as in HTTP's JSON; a caller may write them as columns are written. Fields that an
action does not know are ignored.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Any, Final, TypeVar

from actors.domains.custom_world.agent.results import malformed
from actors.domains.custom_world.limits import OPERATION_INPUT_BYTES_MAX
from actors.domains.rules.canonical_json import read_json
from actors.domains.rules.errors import RuleError
from actors.domains.rules.struct_json import camel_case, enum_from_json
from actors.domains.rules.text import canonical_text, check_id, check_slug

__all__ = ["AgentPayload"]

_U32_MAX: Final = 2**32 - 1

E = TypeVar("E", bound=IntEnum)


class AgentPayload:
    """One action's payload; each reader raises ``agent.payload_malformed`` with path and rule."""

    def __init__(self, payload_json: str) -> None:
        """Read a JSON object; raises also the refusals of JSON."""
        value = read_json(payload_json or "{}", OPERATION_INPUT_BYTES_MAX)
        if not isinstance(value, dict):
            raise malformed("payload", "must be an object")
        self._fields: dict[str, Any] = {camel_case(key): field for key, field in value.items()}

    def text(self, name: str, chars_max: int) -> str:
        """A text, which may be absent."""
        value = self._fields.get(name)
        if value is None:
            return ""
        if not isinstance(value, str):
            raise malformed(name, "must be a text")
        text = canonical_text(value)
        if len(text) > chars_max:
            raise malformed(name, f"must have at most {chars_max} characters")
        return text

    def flag(self, name: str) -> bool:
        """A boolean; false when it is absent."""
        value = self._fields.get(name, False)
        if not isinstance(value, bool):
            raise malformed(name, "must be true or false")
        return value

    def identifier(self, name: str) -> str:
        """An id."""
        return _identifier(self._fields.get(name), name)

    def optional_identifier(self, name: str) -> str | None:
        """An id, or None when it is absent."""
        return None if self._fields.get(name) is None else self.identifier(name)

    def identifiers(self, name: str, count_max: int) -> list[str]:
        """Different ids, at least one."""
        value = self._fields.get(name)
        if not isinstance(value, list) or not 1 <= len(value) <= count_max:
            raise malformed(name, f"must be a list of 1 to {count_max} ids")
        found = [_identifier(one, f"{name}.{number}") for number, one in enumerate(value)]
        if len(set(found)) < len(found):
            raise malformed(name, "must not name one twice")
        return found

    def slug(self, name: str) -> str | None:
        """A slug, or None when it is absent."""
        value = self._fields.get(name)
        if value is None:
            return None
        try:
            return check_slug(value if isinstance(value, str) else "")
        except RuleError:
            raise malformed(name, "must be a key") from None

    def member(self, name: str, cls: type[E]) -> E:
        """The member of an enum that a snake_case name means."""
        try:
            return enum_from_json(cls, self._fields.get(name))
        except ValueError:
            raise malformed(name, f"must be one of {cls.__name__}") from None

    def number(self, name: str) -> int | None:
        """A number that is not negative, or None when it is absent."""
        value = self._fields.get(name)
        is_number = isinstance(value, int) and not isinstance(value, bool)
        if value is not None and not (is_number and 0 <= value <= _U32_MAX):
            raise malformed(name, "must be a number")
        return value

    def mapping(self, name: str) -> dict[str, Any]:
        """A JSON object."""
        value = self._fields.get(name)
        if not isinstance(value, dict):
            raise malformed(name, "must be an object")
        return value


def _identifier(value: object, path: str) -> str:
    try:
        return check_id(value if isinstance(value, str) else "")
    except RuleError:
        raise malformed(path, "must be an id") from None
