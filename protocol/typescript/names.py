"""Names in TypeScript: the case rules of the official bindings, and valid identifiers.

Accessors that the SDK derives itself (reducers, procedures) have to come out the same here, so
``camel_case`` is the SDK's own rule. Source: wire spec 12.4.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from protocol.errors import SchemaError

__all__ = ["camel_case", "check_distinct", "identifier", "pascal_case", "quote", "snake_case"]

_KEYWORDS = frozenset(
    (
        *("await", "break", "case", "catch", "class", "const", "continue", "debugger", "default"),
        *("delete", "do", "else", "enum", "export", "extends", "false", "finally", "for"),
        *("function", "if", "implements", "import", "in", "instanceof", "interface", "let", "new"),
        *("null", "package", "private", "protected", "public", "return", "static", "super"),
        *("switch", "this", "throw", "true", "try", "typeof", "var", "void", "while", "with"),
        *("yield", "arguments", "eval", "undefined", "any", "boolean", "number", "string"),
        *("symbol", "bigint", "object", "never", "unknown"),
    )
)
"""Words that cannot name a constant together with a type."""


def camel_case(name: str) -> str:
    """Name of a property: ``owner_id`` gives ``ownerId``; never begins with a digit."""
    joined = re.sub(r"_([a-zA-Z0-9])", lambda match: match[1].upper(), re.sub(r"_+", "_", name))
    cased = joined[:1].lower() + joined[1:]
    return f"_{cased}" if cased[:1].isdigit() else cased


def pascal_case(name: str) -> str:
    """Prefix of a constant or name of a type: ``add_item`` gives ``AddItem``."""
    cased = camel_case(name)
    return cased[:1].upper() + cased[1:]


def snake_case(name: str) -> str:
    """Name of a file: ``addItem`` and ``AddItem`` give ``add_item``."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)
    return re.sub(r"_+", "_", spaced).strip("_").lower()


def identifier(name: str) -> str:
    """Turn a type's name into one that may be declared: keywords get an underscore."""
    return f"{name}_" if name in _KEYWORDS else name


def quote(text: str) -> str:
    """Spell a string literal."""
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def check_distinct(names: Iterable[str], where: str) -> None:
    """Refuse names that became equal by their case.

    Raises:
        SchemaError: a name comes twice.
    """
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise SchemaError(f"{where}: two names become {name} in TypeScript")
        seen.add(name)
