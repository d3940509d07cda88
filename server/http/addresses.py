"""Addresses: which route a path is, and what its parameters are."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final, Generic, NamedTuple, TypeVar

from actors.errors import DeclarationError

__all__ = ["Addresses", "Found", "parameters_of"]

_PARAMETER: Final = re.compile(r"\{([a-z_][a-z0-9_]*)(:path)?\}\Z")
_UNSAFE: Final = frozenset({"", ".", ".."})

Target = TypeVar("Target")


class Found(NamedTuple, Generic[Target]):
    """What a path leads to.

    Attributes:
        target: None when the path is known, but not with the method.
        parameters: texts of the path by name, percent-decoded.
        methods: those that the path is known with.
    """

    target: Target | None
    parameters: Mapping[str, str]
    methods: frozenset[str]


class _Node(Generic[Target]):
    """A place in the tree of paths; the way down is one segment."""

    __slots__ = ("literals", "parameter", "rest", "targets")

    def __init__(self) -> None:
        self.literals: dict[str, _Node[Target]] = {}
        self.parameter: _Node[Target] | None = None
        self.rest: _Node[Target] | None = None
        self.targets: dict[str, tuple[Target, tuple[str, ...]]] = {}


def parameters_of(path: str) -> tuple[str, ...]:
    """The names in the braces of a route's path."""
    matches = (_PARAMETER.match(segment) for segment in path.split("/"))
    return tuple(match[1] for match in matches if match)


class Addresses(Generic[Target]):
    """A tree of paths. What is written out is preferred to a parameter, segment by segment."""

    def __init__(self) -> None:
        self._root: _Node[Target] = _Node()

    def add(self, method: str, path: str, target: Target) -> None:
        """Add a route's path.

        Raises:
            DeclarationError: the path is none, or is there already.
        """
        segments = path.split("/")[1:]
        if not path.startswith("/") or _UNSAFE.intersection(segments):
            raise DeclarationError(f"{path} is no path of a route")
        node = self._root
        for index, segment in enumerate(segments):
            node = _child(node, segment, is_last=index == len(segments) - 1)
        entry = (target, parameters_of(path))
        if node.targets.setdefault(method, entry) is not entry:
            raise DeclarationError(f"two routes are {method} {path}")

    def find(self, method: str, path: str) -> Found[Target] | None:
        """Look a percent-decoded path up; None when it is not known with any method."""
        methods: set[str] = set()
        for node, values in _nodes(self._root, path.split("/")[1:]):
            if method in node.targets:
                target, names = node.targets[method]
                return Found(target, dict(zip(names, values, strict=True)), frozenset())
            methods.update(node.targets)
        return Found(None, {}, frozenset(methods)) if methods else None


def _child(node: _Node[Target], segment: str, *, is_last: bool) -> _Node[Target]:
    match = _PARAMETER.match(segment)
    if match is None:
        if "{" in segment or "}" in segment:
            raise DeclarationError(f"{segment} is no parameter of a path")
        return node.literals.setdefault(segment, _Node())
    if match[2]:
        if not is_last:
            raise DeclarationError(f"nothing comes behind {segment}")
        node.rest = node.rest or _Node()
        return node.rest
    node.parameter = node.parameter or _Node()
    return node.parameter


def _nodes(
    node: _Node[Target], segments: list[str]
) -> Iterator[tuple[_Node[Target], tuple[str, ...]]]:
    """Where a path leads, the preferred place first, with the parameters on the way."""
    if not segments:
        yield node, ()
        return
    head, rest = segments[0], segments[1:]
    if head in node.literals:
        yield from _nodes(node.literals[head], rest)
    if node.parameter is not None and head:
        for place, values in _nodes(node.parameter, rest):
            yield place, (head, *values)
    if node.rest is not None and not _UNSAFE.intersection(segments):
        yield node.rest, ("/".join(segments),)
