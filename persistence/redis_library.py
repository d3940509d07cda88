"""Redis library: the functions that the server runs for us, and how a call of one is spelt.

Functions rather than EVALSHA scripts: they are part of the server's data, so a restarted server
and a replica that takes over have them, and what may run without memory or on a replica is said
once, with the function. The library's name holds a digest of its text: programs of different
versions each find their own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from hashlib import sha256
from importlib.resources import files
from typing import TypeAlias, cast

from hiredis import pack_command

from persistence.record import TIME_PLACE

__all__ = ["LIBRARY", "Argument", "command", "function_call", "library_text"]

Argument: TypeAlias = str | bytes | int

# Its own types allow one word alone.
_pack = cast("Callable[[tuple[Argument, ...]], bytes]", pack_command)

_TEMPLATE = files("persistence").joinpath("redis_functions.lua").read_text(encoding="utf-8")

LIBRARY = f"genarrative_{sha256(_TEMPLATE.encode()).hexdigest()[:12]}"
"""Name of the library; its functions' names begin with it, as they share one space."""


def library_text() -> str:
    """What FUNCTION LOAD takes."""
    return f"#!lua name={LIBRARY}\n" + _TEMPLATE.replace("LIBRARY_", f"{LIBRARY}_")


def command(*words: Argument) -> bytes:
    """Spell a command in the server's protocol."""
    return _pack(words)


def function_call(
    function: str, keys: Sequence[bytes], *arguments: Argument, reads: bool = False
) -> bytes:
    """Spell a call of one of our functions."""
    name = f"{LIBRARY}_{function}"
    return _pack(("FCALL_RO" if reads else "FCALL", name, len(keys), *keys, *arguments))


# The functions count from 1, and say the place of a record's time themselves.
assert f"local TIME_AT = {TIME_PLACE.start + 1} " in _TEMPLATE
