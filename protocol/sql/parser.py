"""Parser of the query grammar that subscriptions and one-off queries share (wire spec 10.1).

``ORDER BY`` and ``LIMIT`` at the end of a query are an extension.
"""

from __future__ import annotations

from typing import NoReturn

from protocol.errors import SqlError
from protocol.limits import (
    SQL_BYTES_MAX,
    SQL_NESTING_MAX,
    SQL_ORDER_TERMS_MAX,
    SQL_TERMS_MAX,
)
from protocol.sql.lexer import Token, TokenKind, tokenize
from protocol.sql.syntax import (
    AllOf,
    AnyOf,
    ColumnName,
    Comparison,
    Condition,
    Join,
    Literal,
    LiteralKind,
    Negation,
    Operand,
    OrderTerm,
    Select,
    SelectEverything,
    Sender,
    Statement,
    TableName,
    Truth,
)

__all__ = ["COLUMN_LIST", "QueryParser", "parse_query", "tokens_of"]

_AFTER_WHERE = ("ORDER", "GROUP", "HAVING", "LIMIT", "OFFSET", "FETCH", "UNION", "EXCEPT")
_OTHER_JOINS = ("LEFT", "RIGHT", "FULL", "CROSS", "NATURAL", "OUTER", "SEMI", "ANTI")
_KEYWORDS = frozenset(
    (
        *("SELECT", "FROM", "WHERE", "AND", "OR", "NOT", "AS", "ON", "JOIN", "INNER", "TRUE"),
        *("FALSE", "NULL", "INTERSECT", "USING", *_AFTER_WHERE, *_OTHER_JOINS),
    )
)
_REFUSED_OPERATORS = ("IS", "LIKE", "ILIKE", "IN", "BETWEEN", "NOT", "SIMILAR", "COLLATE")
COLUMN_LIST = (
    "Column projections are not supported in subscriptions; Subscriptions must return a table type"
)


class QueryParser:
    """Recursive descent over the tokens of one query."""

    def __init__(self, tokens: list[Token]) -> None:
        self._tokens = tokens
        self._next = 0
        self._depth = 0
        self._terms = 0

    def statement(self) -> Statement:
        """All of it; raises SqlError when it is no query."""
        if self._at_end_of_statement():
            raise SqlError("Empty SQL query")
        if not self._peek().is_word("SELECT"):
            if self._peek().kind is TokenKind.WORD:
                raise SqlError("Unsupported: Non-SELECT queries")
            self._fail("a SELECT")
        self._take()
        returned = self._select_list()
        if not self._take_word("FROM"):
            self._fail_select("FROM")
        statement: Statement
        if returned is None and self._peek().is_mark("*"):
            self._take()
            statement = SelectEverything()
        else:
            statement = self._select(returned)
        self._finish()
        return statement

    def _select(self, returned: str | None) -> Select:
        table = self._table()
        join = self._join()
        where = None
        if self._take_word("WHERE"):
            where = self._any_of()
        return Select(returned, table, join, where, self._order(), self._limit())

    # --- clauses

    def _select_list(self) -> str | None:
        self._refuse_quantifier()
        token = self._peek()
        if token.is_mark("*"):
            self._take()
            returned = None
        else:
            if not self._at_name() and token.kind is TokenKind.END:
                self._fail("a select list")
            parts = self._name_parts() if self._at_name() else []
            if not parts or not (self._peek().is_mark(".") and self._peek(1).is_mark("*")):
                raise SqlError(COLUMN_LIST)
            self._take()
            self._take()
            returned = ".".join(parts)
        if self._peek().is_mark(","):
            raise SqlError(COLUMN_LIST)
        return returned

    def _refuse_quantifier(self) -> None:
        token = self._peek()
        if token.is_word("DISTINCT") or token.is_word("ALL") or token.is_word("TOP"):
            raise SqlError(f"Unsupported SELECT: {token.source}")

    def _table(self) -> TableName:
        if self._peek().is_mark("("):
            raise SqlError("Unsupported SELECT: subquery in FROM")
        name = ".".join(self._name_parts())
        explicit = self._take_word("AS")
        alias = self._name() if explicit or self._at_name() else name
        if self._peek().is_mark(","):
            raise SqlError("Unsupported SELECT: implicit joins")
        return TableName(name, alias)

    def _join(self) -> Join | None:
        self._refuse_other_joins()
        inner = self._take_word("INNER")
        if not self._take_word("JOIN"):
            if inner:
                self._fail("JOIN")
            return None
        table = self._table()
        left, right = self._on()
        self._refuse_other_joins()
        if self._peek().is_word("JOIN") or self._peek().is_word("INNER"):
            raise SqlError("Unsupported SELECT: more than two tables")
        return Join(table, left, right)

    def _on(self) -> tuple[ColumnName, ColumnName]:
        if not self._take_word("ON"):
            raise SqlError("Non-inner joins are not supported")
        parenthesised = self._take_mark("(")
        left = self._join_column()
        token = self._take()
        if token.kind is not TokenKind.OPERATOR or token.text != "=":
            raise SqlError(f"Unsupported expression: {token.source} in ON")
        right = self._join_column()
        if parenthesised and not self._take_mark(")"):
            self._fail("`)`")
        if self._peek().is_word("AND") or self._peek().is_word("OR"):
            raise SqlError(f"Unsupported expression: {self._peek().source} in ON")
        return left, right

    def _refuse_other_joins(self) -> None:
        if self._peek().kind is TokenKind.WORD and self._peek().text.upper() in _OTHER_JOINS:
            raise SqlError("Non-inner joins are not supported")

    def _join_column(self) -> ColumnName:
        if not self._at_name():
            raise SqlError(f"Unsupported expression: {self._peek().source} in ON")
        return self._column()

    def _order(self) -> tuple[OrderTerm, ...]:
        if not self._take_word("ORDER"):
            return ()
        if not self._take_word("BY"):
            self._fail("BY")
        terms = [self._order_term()]
        while self._take_mark(","):
            terms.append(self._order_term())
        if len(terms) > SQL_ORDER_TERMS_MAX:
            raise SqlError(f"Unsupported ORDER BY: more than {SQL_ORDER_TERMS_MAX} columns")
        return tuple(terms)

    def _order_term(self) -> OrderTerm:
        if not self._at_name():
            raise SqlError(f"Unsupported ORDER BY: {self._peek().source}")
        column = self._column()
        is_falling = self._take_word("DESC")
        if not is_falling:
            self._take_word("ASC")
        return OrderTerm(column, is_falling)

    def _limit(self) -> int | None:
        if not self._take_word("LIMIT"):
            return None
        token = self._take()
        # A longer number is no count of anything, and Python refuses to read much longer ones.
        if token.kind is not TokenKind.NUMBER or not token.text.isdecimal() or len(token.text) > 18:
            raise SqlError(f"Unsupported LIMIT: {token.source}")
        return int(token.text)

    def _finish(self) -> None:
        token = self._peek()
        if token.kind is TokenKind.WORD and token.text.upper() in (*_AFTER_WHERE, "INTERSECT"):
            raise SqlError(f"Unsupported SELECT: {token.text.upper()}")
        if not self._at_end_of_statement():
            if token.is_mark(";"):
                raise SqlError("Multiple SQL statements are not supported")
            self._fail("the end of the query")

    def _at_end_of_statement(self) -> bool:
        ahead = 0
        while self._peek(ahead).is_mark(";"):
            ahead += 1
        return self._peek(ahead).kind is TokenKind.END

    # --- conditions

    def _any_of(self) -> Condition:
        operands = [self._all_of()]
        while self._take_word("OR"):
            operands.append(self._all_of())
        return operands[0] if len(operands) == 1 else AnyOf(tuple(operands))

    def _all_of(self) -> Condition:
        operands = [self._negation()]
        while self._take_word("AND"):
            operands.append(self._negation())
        return operands[0] if len(operands) == 1 else AllOf(tuple(operands))

    def _negation(self) -> Condition:
        negated = False
        while self._take_word("NOT"):
            negated = not negated
        condition = self._condition()
        return Negation(condition) if negated else condition

    def _condition(self) -> Condition:
        if not self._take_mark("("):
            return self._comparison()
        if self._peek().is_word("SELECT"):
            raise SqlError("Unsupported expression: subquery")
        self._depth += 1
        if self._depth > SQL_NESTING_MAX:
            raise SqlError(f"Unsupported expression: more than {SQL_NESTING_MAX} levels")
        condition = self._any_of()
        self._depth -= 1
        if not self._take_mark(")"):
            self._fail_expression("`)`")
        if self._peek().kind is TokenKind.OPERATOR:
            raise SqlError("Unsupported expression: comparison of a parenthesised expression")
        return condition

    def _comparison(self) -> Condition:
        self._terms += 1
        if self._terms > SQL_TERMS_MAX:
            raise SqlError(f"Unsupported expression: more than {SQL_TERMS_MAX} comparisons")
        left = self._operand()
        if self._peek().kind is not TokenKind.OPERATOR:
            self._refuse_operator()
            return Truth(left)
        operator = self._take().text
        right = self._operand()
        self._refuse_operator()
        return Comparison(operator, left, right)

    def _refuse_operator(self) -> None:
        token = self._peek()
        refused = token.kind is TokenKind.WORD and token.text.upper() in _REFUSED_OPERATORS
        arithmetic = token.kind is TokenKind.PUNCTUATION and token.text not in (")", ";")
        if refused or arithmetic or token.kind is TokenKind.OPERATOR:
            raise SqlError(f"Unsupported expression: {token.source}")

    def _operand(self) -> Operand:
        token = self._peek()
        if token.is_mark("-") or token.is_mark("+"):
            self._take()
            number = self._take()
            if number.kind is not TokenKind.NUMBER:
                raise SqlError(f"Unsupported expression: {token.source}{number.source}")
            sign = "-" if token.text == "-" else ""
            return Literal(LiteralKind.NUMBER, sign + number.text)
        if token.is_mark("("):
            raise SqlError("Unsupported expression: nested expression")
        if self._at_name():
            return self._column()
        self._take()
        return self._literal(token)

    def _literal(self, token: Token) -> Operand:
        if token.kind is TokenKind.NUMBER:
            return Literal(LiteralKind.NUMBER, token.text)
        if token.kind is TokenKind.HEX:
            return Literal(LiteralKind.HEX, token.text)
        if token.kind is TokenKind.STRING:
            return Literal(LiteralKind.STRING, token.text)
        if token.kind is TokenKind.PARAMETER and token.text == "sender":
            return Sender()
        if token.is_word("TRUE") or token.is_word("FALSE"):
            return Literal(LiteralKind.BOOL, token.text.upper())
        raise SqlError(f"Unsupported expression: {token.source}")

    def _column(self) -> ColumnName:
        parts = self._name_parts()
        if self._peek().is_mark("("):
            raise SqlError(f"Unsupported expression: function {'.'.join(parts)}")
        return ColumnName(".".join(parts[:-1]) if len(parts) > 1 else None, parts[-1])

    # --- names and tokens

    def _at_name(self) -> bool:
        token = self._peek()
        if token.kind is TokenKind.WORD:
            return token.text.upper() not in _KEYWORDS
        return token.kind is TokenKind.QUOTED

    def _name(self) -> str:
        if not self._at_name():
            self._fail("a name")
        return self._take().text

    def _name_parts(self) -> list[str]:
        parts = [self._name()]
        while self._peek().is_mark(".") and not self._peek(1).is_mark("*"):
            self._take()
            parts.append(self._name())
        return parts

    def _peek(self, ahead: int = 0) -> Token:
        return self._tokens[min(self._next + ahead, len(self._tokens) - 1)]

    def _take(self) -> Token:
        token = self._peek()
        self._next += 1
        return token

    def _take_word(self, keyword: str) -> bool:
        found = self._peek().is_word(keyword)
        self._next += found
        return found

    def _take_mark(self, text: str) -> bool:
        found = self._peek().is_mark(text)
        self._next += found
        return found

    def _fail(self, expected: str) -> NoReturn:
        raise SqlError(f"sql parser error: expected {expected}, found {self._peek().source}")

    def _fail_select(self, expected: str) -> NoReturn:
        if self._at_name():
            raise SqlError(f"Unsupported SELECT: {self._peek().source}")
        self._fail(expected)

    def _fail_expression(self, expected: str) -> NoReturn:
        if self._at_name():
            raise SqlError(f"Unsupported expression: {self._peek().source}")
        self._fail(expected)


def tokens_of(text: str) -> list[Token]:
    """The tokens of a statement's text.

    Raises:
        SqlError: the text is too long, or holds something that is no token.
    """
    if len(text.encode(errors="replace")) > SQL_BYTES_MAX:
        raise SqlError(f"SQL query exceeds maximum allowed length of {SQL_BYTES_MAX} bytes")
    return tokenize(text)


def parse_query(text: str) -> Statement:
    """Parse one query.

    Raises:
        SqlError: the text is not in the grammar, or beyond a limit; nothing else, whatever the
            text (wire spec 10.4).
    """
    return QueryParser(tokens_of(text)).statement()
