"""Type cache: what is made from types, once for each."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from protocol.limits import CODECS_MAX
from protocol.type_rules import check_type, exact_key
from protocol.types import AlgebraicType

__all__ = ["TypeCache"]

_T = TypeVar("_T")


class TypeCache(Generic[_T]):
    """Finds what was made by the type object itself, else by all that the type says.

    Types that are equal but give values of other Python classes are kept apart. Beyond
    ``CODECS_MAX`` the oldest is forgotten and made again when it is asked for.
    """

    __slots__ = ("_by_identity", "_by_key", "_make")

    def __init__(self, make: Callable[[AlgebraicType], _T]) -> None:
        self._make = make
        self._by_key: dict[Hashable, _T] = {}
        # Each entry keeps its type alive, so that no other one comes to its address.
        self._by_identity: dict[int, tuple[AlgebraicType, _T]] = {}

    def find(self, declared: AlgebraicType) -> _T:
        """What is made from a type.

        Raises:
            SchemaError: the type cannot be served (see ``type_rules.check_type``).
        """
        known = self._by_identity.get(id(declared))
        if known is not None:
            return known[1]
        check_type(declared)
        made = self.find_part(declared)
        if len(self._by_identity) >= CODECS_MAX:
            del self._by_identity[next(iter(self._by_identity))]
        self._by_identity[id(declared)] = (declared, made)
        return made

    def find_part(self, declared: AlgebraicType) -> _T:
        """What is made from a type inside one that was checked."""
        key = exact_key(declared)
        made = self._by_key.get(key)
        if made is None:
            made = self._make(declared)
            if len(self._by_key) >= CODECS_MAX:
                del self._by_key[next(iter(self._by_key))]
            self._by_key[key] = made
        return made
