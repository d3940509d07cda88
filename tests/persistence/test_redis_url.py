from __future__ import annotations

import pytest

from persistence import StoreAddressError
from persistence.redis_url import RedisAddress, hide_password, parse_redis_url


def test_a_plain_url():
    address = parse_redis_url("redis://db.example", "game")
    assert address == RedisAddress(nodes=(("db.example", 6379),), name="game")
    assert str(address) == "redis://db.example:6379/0?name=game"


def test_a_url_that_says_everything():
    address = parse_redis_url(
        "rediss://me:p%40ss%2F@a:1,[::1]:2/0?name=x.y&outage_seconds=2.5&reply_seconds=1"
        "&ca=/etc/ca.pem&waitaof=1,2",
        "game",
        "unused",
    )
    assert address.nodes == (("a", 1), ("::1", 2))
    assert (address.username, address.password) == ("me", "p@ss/")
    assert (address.is_tls, address.ca_file) == (True, "/etc/ca.pem")
    assert (address.name, address.outage_seconds, address.reply_seconds) == ("x.y", 2.5, 1.0)
    assert address.sync == (1, 2)
    assert str(address) == "rediss://a:1,[::1]:2/0?name=x.y"
    assert "p@ss" not in repr(address)


def test_the_password_may_come_from_elsewhere():
    assert parse_redis_url("redis://me@h/3", "game", "pw").password == "pw"
    assert parse_redis_url("redis://:own@h", "game", "pw").password == "own"
    assert parse_redis_url("redis://h/3", "game").db == 3


@pytest.mark.parametrize(
    ("rest", "reason"),
    [
        ("", "a host is missing"),
        ("h:x", "Port could not be cast"),
        ("h:99999", "Port out of range"),
        ("h/x", "invalid literal"),
        ("h/-1", "no such database"),
        ("a,,b", "a host is missing"),
        ("h?name=a{b}", "a name is letters"),
        ("h?name=", "a name is letters"),
        ("h?name=" + "x" * 129, "a name is letters"),
        ("h?outage_seconds=0", "outage_seconds: must be"),
        ("h?reply_seconds=nan", "reply_seconds: must be"),
        ("h?waitaof=2", "waitaof: is 1"),
        ("h?waitaof=0,0", "waitaof: is 1"),
        ("h?ca=/x", "ca needs rediss"),
        ("h?nme=x", "unknown parameter nme"),
        ("h?name=x&name=y", "given twice"),
    ],
)
def test_what_cannot_be_understood_is_refused_without_the_password(rest, reason):
    with pytest.raises(StoreAddressError, match=reason) as caught:
        parse_redis_url(f"redis://me:hunter2@{rest}", "game")
    assert "hunter2" not in str(caught.value)


def test_another_scheme_is_refused():
    with pytest.raises(StoreAddressError, match="the scheme"):
        parse_redis_url("http://a", "game")


@pytest.mark.parametrize("password", ["hunter2", "a/hunter2", "hunter2@b", "hunter2?c#d"])
def test_no_password_is_shown_however_it_is_written(password):
    assert "hunter2" not in hide_password(f"redis://me:{password}@h:1/0")
    assert hide_password("redis://h:1/0") == "redis://h:1/0"
