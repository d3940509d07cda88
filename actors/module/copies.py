"""Copies of structs in which some fields are changed."""

from __future__ import annotations

from typing import Any, Final

__all__ = ["replace"]

_new: Final = tuple.__new__
_places: Final[dict[type, dict[str, int]]] = {}
"""Where each struct class has its fields; there are as many as are declared."""


def replace(row: tuple[Any, ...], /, **changes: object) -> Any:
    """A copy of a struct with some fields changed; TypeError for one that it does not have."""
    cls = type(row)
    places = _places.get(cls)
    if places is None:
        fields: tuple[str, ...] = cls._fields  # type: ignore[attr-defined]
        places = _places[cls] = {field: place for place, field in enumerate(fields)}
    values = [*row[:]]  # a plain tuple goes into a list at a third of the cost
    for field, value in changes.items():
        place = places.get(field)
        if place is None:
            raise TypeError(f"{cls.__name__} has no field {field!r}")
        values[place] = value
    return _new(cls, values)
