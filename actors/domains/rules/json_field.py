"""One text field of a JSON object, read while the object is still being written (domain 8.3)."""

from __future__ import annotations

from enum import Enum
from typing import Final

__all__ = ["JsonField"]

_ESCAPES: Final = {
    '"': '"',
    "\\": "\\",
    "/": "/",
    "b": "\b",
    "f": "\f",
    "n": "\n",
    "r": "\r",
    "t": "\t",
}
_HEX: Final = frozenset("0123456789abcdefABCDEF")


class _State(Enum):
    BEFORE = 0
    """No object has begun; whatever a model says first is passed over."""
    FIELDS = 1
    """Between the fields of the object."""
    KEY = 2
    COLON = 3
    VALUE = 4
    """A value is about to begin."""
    OTHER = 5
    """Inside another field's value."""
    WANTED = 6
    """Inside the wanted text."""
    DONE = 7


class JsonField:
    """Gives the text of a top-level field, piece by piece, as pieces of the JSON come.

    Whatever is no JSON has no field; nothing is ever raised.

    Args:
        name: the field's key, written without escapes.
    """

    __slots__ = ("_depth", "_escape", "_is_quoted", "_key", "_name", "_state", "_surrogate")

    def __init__(self, name: str) -> None:
        self._name = name
        self._state = _State.BEFORE
        self._key = ""
        self._depth = 0
        self._is_quoted = False
        self._escape = ""
        self._surrogate = ""

    def feed(self, piece: str) -> str:
        """What the piece adds to the field's text."""
        return "".join(map(self._take, piece))

    def _take(self, letter: str) -> str:
        match self._state:
            case _State.WANTED:
                return self._take_wanted(letter)
            case _State.BEFORE:
                if letter == "{":
                    self._state = _State.FIELDS
            case _State.FIELDS:
                if letter == '"':
                    self._key, self._state = "", _State.KEY
                elif letter == "}":
                    self._state = _State.DONE
            case _State.KEY:
                self._take_key(letter)
            case _State.COLON:
                if letter == ":":
                    self._state = _State.VALUE
            case _State.VALUE:
                if not letter.isspace():
                    self._begin_value(letter)
            case _State.OTHER:
                self._take_other(letter)
        return ""

    def _take_key(self, letter: str) -> None:
        if letter == '"' and not self._escape:
            self._state = _State.COLON
        else:
            self._key += letter
            self._escape = "\\" if letter == "\\" and not self._escape else ""

    def _begin_value(self, letter: str) -> None:
        if letter == '"' and self._key == self._name:
            self._state = _State.WANTED
            return
        self._state = _State.OTHER
        self._depth = 0
        self._take_other(letter)

    def _take_other(self, letter: str) -> None:
        if self._is_quoted:
            if self._escape:
                self._escape = ""
            elif letter == "\\":
                self._escape = letter
            elif letter == '"':
                self._is_quoted = False
        elif letter == '"':
            self._is_quoted = True
        elif letter in "{[":
            self._depth += 1
        elif letter == "," and self._depth == 0:
            self._state = _State.FIELDS
        elif letter in "}]":
            self._depth -= 1
            if self._depth < 0:
                self._state = _State.DONE

    def _take_wanted(self, letter: str) -> str:
        if self._escape:
            self._escape += letter
            return self._take_escape()
        if letter == "\\":
            self._escape = letter
            return ""
        if letter == '"' or self._surrogate or "\ud800" <= letter <= "\udfff":
            self._state = _State.DONE
            return ""
        return letter

    def _take_escape(self) -> str:
        """The letter that an escape stands for, once it is whole; half a pair waits for the other.

        A broken one ends the text.
        """
        kind, digits = self._escape[1], self._escape[2:]
        if kind != "u":
            letter = _ESCAPES.get(kind)
        elif not _HEX.issuperset(digits):
            letter = None
        elif len(digits) < 4:
            return ""
        else:
            letter = chr(int(digits, 16))
        self._escape = ""
        if letter is None or bool(self._surrogate) != ("\udc00" <= letter <= "\udfff"):
            self._state = _State.DONE
            return ""
        if "\ud800" <= letter <= "\udbff":
            self._surrogate = letter
            return ""
        pair, self._surrogate = self._surrogate + letter, ""
        return pair.encode("utf-16", "surrogatepass").decode("utf-16")
