"""Lexer: the text of a query as tokens (wire spec 10.1, 10.2)."""

from __future__ import annotations

import re
from enum import Enum
from typing import NamedTuple

from protocol.errors import SqlError
from protocol.limits import SQL_TOKENS_MAX

__all__ = ["Token", "TokenKind", "tokenize"]


class TokenKind(Enum):
    """What a token is; keywords are words until the parser asks for them."""

    WORD = "word"
    QUOTED = "quoted"
    NUMBER = "number"
    HEX = "hex"
    STRING = "string"
    PARAMETER = "parameter"
    OPERATOR = "operator"
    PUNCTUATION = "punctuation"
    END = "end"


class Token(NamedTuple):
    """A token.

    ``text`` is unescaped: the name within quotes, the digits of a hex literal, the operator with
    ``!=`` spelled ``<>``, a parameter's name without its colon. ``source`` is as written.
    """

    kind: TokenKind
    text: str
    source: str

    def is_word(self, keyword: str) -> bool:
        """Whether this is the bare word ``keyword`` (given in upper case), in any case."""
        return self.kind is TokenKind.WORD and self.text.upper() == keyword

    def is_mark(self, text: str) -> bool:
        """Whether this is the punctuation ``text``."""
        return self.kind is TokenKind.PUNCTUATION and self.text == text


_PATTERN = re.compile(
    r"""
      (?P<space>\s+ | --[^\n]* | /\*(?s:.*?)\*/)
    | (?P<unfinished>/\*)
    | (?P<hex>0[xX][0-9a-fA-F]*\b | [xX]'[^']*')
    | (?P<number>(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?(?!\w))
    | (?P<word>[^\W\d]\w*)
    | (?P<quoted>"(?:[^"]|"")*")
    | (?P<string>'(?:[^']|'')*')
    | (?P<parameter>:[^\W\d]\w*)
    | (?P<operator><>|!=|<=|>=|=|<|>)
    | (?P<punctuation>\|\||[().,;*+\-/%])
    """,
    re.VERBOSE,
)


_KINDS = {kind.value: kind for kind in TokenKind}


def _unescape(kind: TokenKind, source: str) -> str:
    if kind is TokenKind.QUOTED:
        return source[1:-1].replace('""', '"')
    if kind is TokenKind.STRING:
        return source[1:-1].replace("''", "'")
    if kind is TokenKind.HEX:
        return source[2:].removesuffix("'")
    if kind is TokenKind.PARAMETER:
        return source[1:]
    return "<>" if source == "!=" else source


def tokenize(text: str) -> list[Token]:
    """Split a query into tokens, without white space and comments; the last one is END.

    Raises:
        SqlError: a character that begins no token, an unfinished string or comment, or too many
            tokens.
    """
    tokens: list[Token] = []
    position = 0
    while position < len(text):
        match = _PATTERN.match(text, position)
        if match is None or match.lastgroup is None or match.lastgroup == "unfinished":
            raise SqlError(f"sql parser error: unexpected {text[position]!r} at {position}")
        if match.lastgroup != "space":
            if len(tokens) == SQL_TOKENS_MAX:
                raise SqlError(f"Unsupported expression: more than {SQL_TOKENS_MAX} words")
            kind = _KINDS[match.lastgroup]
            source = match.group()
            tokens.append(Token(kind, _unescape(kind, source), source))
        position = match.end()
    tokens.append(Token(TokenKind.END, "", "end of query"))
    return tokens
