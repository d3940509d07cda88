"""Parser of the larger grammar, which HTTP takes: reports over several tables, and writes.

It adds to queries (wire spec 10.1): lists of columns with aliases, ``COUNT(*) AS n``, more than two
tables, ``CROSS JOIN``, ``INSERT``, ``UPDATE`` and ``DELETE``.
"""

from __future__ import annotations

from protocol.errors import SqlError
from protocol.limits import SQL_TABLES_MAX, SQL_TERMS_MAX
from protocol.sql.lexer import TokenKind
from protocol.sql.parser import QueryParser, tokens_of
from protocol.sql.syntax import (
    Assignment,
    ColumnName,
    Command,
    Delete,
    Insert,
    Literal,
    Pick,
    PickAll,
    PickCount,
    Report,
    Sender,
    TableName,
    Update,
)

__all__ = ["parse_command"]

_Pick = Pick | PickAll | PickCount


class _CommandParser(QueryParser):
    """Recursive descent over the tokens of one statement."""

    def command(self) -> Command:
        if self._at_end_of_statement():
            raise SqlError("Empty SQL query")
        command: Command
        if self._take_word("SELECT"):
            command = self._report()
        elif self._take_word("INSERT"):
            command = self._insert()
        elif self._take_word("UPDATE"):
            command = self._update()
        elif self._take_word("DELETE"):
            command = self._delete()
        elif self._peek().kind is TokenKind.WORD:
            raise SqlError(f"Unsupported: {self._peek().text.upper()} statements")
        else:
            self._fail("a statement")
        self._finish()
        return command

    # --- reports

    def _report(self) -> Report:
        picks = self._picks()
        if not self._take_word("FROM"):
            self._fail_select("FROM")
        if self._peek().is_mark("*"):
            raise SqlError("Unsupported SELECT: `*` in FROM")
        tables = [self._table()]
        joins: list[tuple[ColumnName, ColumnName] | None] = []
        while self._at_join():
            table, columns = self._further_table()
            tables.append(table)
            joins.append(columns)
        if len(tables) > SQL_TABLES_MAX:
            raise SqlError(f"Unsupported SELECT: more than {SQL_TABLES_MAX} tables")
        where = self._any_of() if self._take_word("WHERE") else None
        return Report(picks, tuple(tables), tuple(joins), where, self._order(), self._limit())

    def _picks(self) -> tuple[_Pick, ...]:
        self._refuse_quantifier()
        picks = [self._pick()]
        while self._take_mark(","):
            picks.append(self._pick())
        if len(picks) > SQL_TERMS_MAX:
            raise SqlError(f"Unsupported SELECT: more than {SQL_TERMS_MAX} columns")
        if len(picks) > 1 and not all(isinstance(pick, Pick) for pick in picks):
            raise SqlError("Unsupported projection: `*` and COUNT(*) stand alone")
        return tuple(picks)

    def _pick(self) -> _Pick:
        if self._take_mark("*"):
            return PickAll(None)
        if not self._at_name():
            self._fail("a select list")
        parts = self._name_parts()
        if self._take_mark("."):
            self._take()  # the ``*``: names do not end in a dot otherwise
            return PickAll(".".join(parts))
        if self._take_mark("("):
            return self._count(".".join(parts))
        explicit = self._take_word("AS")
        alias = self._name() if explicit or self._at_name() else None
        return Pick(ColumnName(".".join(parts[:-1]) or None, parts[-1]), alias)

    def _count(self, function: str) -> PickCount:
        if function.upper() != "COUNT" or not self._take_mark("*") or not self._take_mark(")"):
            raise SqlError(f"Unsupported projection: function {function}")
        explicit = self._take_word("AS")
        if not explicit and not self._at_name():
            raise SqlError("Unsupported projection: COUNT(*) without an alias")
        return PickCount(self._name())

    def _at_join(self) -> bool:
        token = self._peek()
        if token.is_word("CROSS") and self._peek(1).is_word("JOIN"):
            return True
        self._refuse_other_joins()
        return token.is_word("INNER") or token.is_word("JOIN")

    def _further_table(self) -> tuple[TableName, tuple[ColumnName, ColumnName] | None]:
        if self._take_word("CROSS"):
            self._take()
            return self._table(), None
        if self._take_word("INNER") and not self._peek().is_word("JOIN"):
            self._fail("JOIN")
        self._take()
        return self._table(), self._on()

    # --- writes

    def _insert(self) -> Insert:
        if not self._take_word("INTO"):
            self._fail("INTO")
        table = ".".join(self._name_parts())
        columns: list[str] = []
        if self._take_mark("("):
            columns.append(self._name())
            while self._take_mark(","):
                columns.append(self._name())
            self._close()
        if not self._take_word("VALUES"):
            self._fail("VALUES")
        rows = [self._values()]
        while self._take_mark(","):
            rows.append(self._values())
        return Insert(table, tuple(columns), tuple(rows))

    def _values(self) -> tuple[Literal | Sender, ...]:
        if not self._take_mark("("):
            self._fail("`(`")
        values = [self._value()]
        while self._take_mark(","):
            values.append(self._value())
        self._close()
        return tuple(values)

    def _update(self) -> Update:
        table = ".".join(self._name_parts())
        if not self._take_word("SET"):
            self._fail("SET")
        assignments = [self._assignment()]
        while self._take_mark(","):
            assignments.append(self._assignment())
        where = self._any_of() if self._take_word("WHERE") else None
        return Update(table, tuple(assignments), where)

    def _assignment(self) -> Assignment:
        column = self._name()
        token = self._take()
        if token.kind is not TokenKind.OPERATOR or token.text != "=":
            raise SqlError(f"Unsupported expression: {token.source} in SET")
        return Assignment(column, self._value())

    def _delete(self) -> Delete:
        if not self._take_word("FROM"):
            self._fail("FROM")
        table = ".".join(self._name_parts())
        return Delete(table, self._any_of() if self._take_word("WHERE") else None)

    def _value(self) -> Literal | Sender:
        operand = self._operand()
        if isinstance(operand, ColumnName):
            raise SqlError(f"Unsupported expression: column `{operand.column}` as a value")
        return operand

    def _close(self) -> None:
        if not self._take_mark(")"):
            self._fail("`)`")


def parse_command(text: str) -> Command:
    """Parse one statement of the larger grammar.

    Raises:
        SqlError: the text is not in the grammar, or beyond a limit; nothing else, whatever the
            text (wire spec 10.4).
    """
    return _CommandParser(tokens_of(text)).command()
