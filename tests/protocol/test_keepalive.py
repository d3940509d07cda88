from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from protocol.keepalive import (
    IDLE_SECONDS_MAX,
    PING_INTERVAL_SECONDS,
    Keepalive,
    KeepaliveAction,
)

PING, WAIT, DROP = KeepaliveAction.PING, KeepaliveAction.WAIT, KeepaliveAction.DROP


def test_the_first_ping_goes_out_right_after_the_upgrade():
    keepalive = Keepalive(100.0)
    assert keepalive.deadline() == 100.0
    assert keepalive.poll(100.0) is PING
    assert keepalive.poll(100.0) is WAIT


def test_pings_follow_every_interval_while_they_are_answered():
    keepalive = Keepalive(0.0)
    for beat in range(5):
        now = beat * PING_INTERVAL_SECONDS
        assert keepalive.deadline() == now
        assert keepalive.poll(now) is PING
        keepalive.pong_received(now + 1)


def test_no_ping_while_a_pong_is_outstanding():
    keepalive = Keepalive(0.0)
    keepalive.poll(0.0)
    keepalive.received(20.0)
    assert keepalive.poll(25.0) is WAIT
    assert keepalive.deadline() == 20.0 + IDLE_SECONDS_MAX
    keepalive.pong_received(26.0)
    assert keepalive.poll(26.0) is PING


def test_silence_drops_the_connection_and_any_frame_resets_it():
    keepalive = Keepalive(0.0)
    keepalive.poll(0.0)
    keepalive.received(10.0)
    assert keepalive.poll(IDLE_SECONDS_MAX) is WAIT
    assert keepalive.poll(10.0 + IDLE_SECONDS_MAX) is DROP


@given(st.lists(st.tuples(st.floats(0.01, 20), st.sampled_from(["frame", "pong", "poll"]))))
def test_polling_at_the_deadline_always_has_something_to_do(steps):
    now = 0.0
    keepalive = Keepalive(now)
    for delay, step in steps:
        now += delay
        if step == "frame":
            keepalive.received(now)
        elif step == "pong":
            keepalive.pong_received(now)
        else:
            due = keepalive.deadline()
            action = keepalive.poll(max(now, due))
            assert action is not WAIT
            if action is DROP:
                return
            now = max(now, due)
