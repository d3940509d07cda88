from __future__ import annotations

import json
import logging
from collections import Counter
from collections.abc import Iterator

import pytest
import structlog

from server.log_levels import log_levels, reset_log_levels, set_log_level
from server.logs import configure_logs, count_logs, hide_secrets, in_context

TOKEN = "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl"


class Written:
    """What was written to standard error."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys
        self._text = ""

    def getvalue(self) -> str:
        self._text += self._capsys.readouterr().err
        return self._text


@pytest.fixture
def written(capsys) -> Iterator[Written]:
    """Standard error; logging is put back as it was."""
    root, libraries = logging.getLogger(), ("asyncio", "uvicorn", "websockets")
    before = root.handlers[:], root.level, [logging.getLogger(name).level for name in libraries]
    yield Written(capsys)
    reset_log_levels()
    root.handlers[:], root.level = before[0], before[1]
    for name, level in zip(libraries, before[2], strict=True):
        logging.getLogger(name).setLevel(level)
    structlog.reset_defaults()


def lines(written: Written) -> list[dict[str, object]]:
    return [json.loads(line) for line in written.getvalue().splitlines()]


def test_secrets_are_hidden_wherever_they_stand():
    event = {
        "event": f"GET /v1/database/x/subscribe?token={TOKEN}&compression=None",
        "Authorization": "Bearer opaque",
        "token": "opaque",
        "exception": f"Traceback\n  token={TOKEN!r}",
        "headers": {"x-api-key": "opaque", "Cookie": "a=b", "accept": ["*/*", TOKEN]},
        "store": "redis://user:hunter2@host/0",
        "reason": "Bearer opaque-thing",
        "count": 3,
    }
    assert hide_secrets(None, "info", event) == {
        "event": "GET /v1/database/x/subscribe?token=<hidden>&compression=None",
        "Authorization": "<hidden>",
        "token": "<hidden>",
        "exception": "Traceback\n  token='<hidden>'",
        "headers": {"x-api-key": "<hidden>", "Cookie": "<hidden>", "accept": ["*/*", "<hidden>"]},
        "store": "redis://<hidden>@host/0",
        "reason": "Bearer <hidden>",
        "count": 3,
    }


@pytest.mark.parametrize("form", ["pretty", "json"])
def test_no_form_of_logs_lets_a_token_out(written, form):
    configure_logs("info", form)
    ours, theirs = structlog.get_logger("server.test"), logging.getLogger("actors.test")
    ours.info(f"in the event {TOKEN}", somewhere=TOKEN, token="opaque", nested=[{"a": TOKEN}])
    theirs.warning("as an argument %s", TOKEN, extra={"password": "opaque", "where": TOKEN})
    try:
        raise ValueError(TOKEN)
    except ValueError:
        ours.exception("ours broke")
        theirs.exception("theirs broke")
    text = written.getvalue()
    assert TOKEN not in text
    assert "opaque" not in text
    assert text.count("ValueError") >= 2, "what happened is told, only not the secret"


def test_logs_are_json_lines_with_what_was_said_beside_them(written):
    configure_logs("info", "json")
    structlog.get_logger("server.test").info("ours", connection="c1")
    logging.getLogger("actors.test").error("%s broke", "it", extra={"actor": "user/a", "seq": 3})
    ours, theirs = lines(written)
    assert (ours["event"], ours["logger"], ours["level"]) == ("ours", "server.test", "info")
    assert ours["connection"] == "c1"
    assert (theirs["event"], theirs["logger"], theirs["level"]) == (
        "it broke",
        "actors.test",
        "error",
    )
    assert (theirs["actor"], theirs["seq"]) == ("user/a", 3)
    assert theirs["timestamp"].endswith("Z")


def test_a_context_is_added_as_long_as_it_lasts(written):
    configure_logs("info", "json")
    end = in_context(lambda: {"actor": "user/a", "seq": 7})
    log = logging.getLogger("actors.test")
    log.warning("one")
    log.warning("two", extra={"actor": "user/b"})
    end()
    log.warning("three")
    one, two, three = lines(written)
    assert (one["actor"], one["seq"]) == ("user/a", 7)
    assert (two["actor"], two["seq"]) == ("user/b", 7), "what a log says itself counts"
    assert "actor" not in three


def test_written_logs_are_counted_by_level(written):
    configure_logs("warning", "json")
    counted: Counter[str] = Counter()
    end = count_logs(counted)
    log = logging.getLogger("actors.test")
    log.info("not written")
    log.warning("one")
    log.error("two")
    log.error("three")
    end()
    log.error("four")
    assert counted == {"warning": 1, "error": 2}


def test_levels_change_at_run_time_for_our_loggers_and_the_libraries(written):
    configure_logs("warning", "json")
    ours, theirs = structlog.get_logger("server.chatty"), logging.getLogger("actors.chatty.deep")
    ours.debug("too soon")
    theirs.debug("too soon")
    assert set_log_level("server.chatty", "debug") == ("server.chatty", "debug", True)
    set_log_level("actors.chatty", "debug")
    ours.debug("ours")
    theirs.debug("theirs")
    assert [line["event"] for line in lines(written)] == ["ours", "theirs"]
    shown = {entry.name: entry for entry in log_levels()}
    assert shown["server.chatty"] == ("server.chatty", "debug", True)
    assert shown["actors.chatty.deep"] == ("actors.chatty.deep", "debug", False)
    assert shown[""] == ("", "warning", False)
    assert reset_log_levels("server.chatty") == [("server.chatty", "warning", False)]
    assert [entry.name for entry in reset_log_levels()] == ["actors.chatty"]
    assert reset_log_levels() == []
    ours.debug("too late")
    theirs.debug("too late")
    assert len(lines(written)) == 2


def test_the_level_of_all_loggers_can_be_changed_and_put_back(written):
    configure_logs("warning", "json")
    set_log_level("", "debug")
    structlog.get_logger("server.any").debug("now")
    set_log_level("", "error")
    structlog.get_logger("server.any").warning("not now")
    assert reset_log_levels() == [("", "warning", False)]
    structlog.get_logger("server.any").warning("again")
    assert [line["event"] for line in lines(written)] == ["now", "again"]
