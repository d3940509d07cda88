from __future__ import annotations

import json
import signal
import threading

import pytest

from loadtest.profile import read_profile
from loadtest.sampler import Sampler


def test_shares_by_thread_package_and_function(tmp_path) -> None:
    turn = ["/somewhere/actors/host/turns.py", "ReducerCall.turn"]
    write = ["/somewhere/persistence/sqlite.py", "write"]
    library = ["/venv/lib/site-packages/pykka/_actor.py", "Actor.tell"]
    samples = [
        ["MainThread", 600, [turn, turn, library]],
        ["MainThread", 100, [library]],
        ["writer", 300, [write]],
    ]
    path = tmp_path / "samples.json"
    path.write_text(json.dumps(samples))
    profile = read_profile(path)
    assert profile.threads == {"MainThread": 0.7, "writer": 0.3}
    assert profile.packages == {"actors": 0.6, "persistence": 0.3, "pykka": 0.1}
    first, *_ = profile.functions
    assert first == ("actors/host/turns.py:ReducerCall.turn", 0.6, 0.6)
    shares = {share.name: share for share in profile.functions}
    assert shares["pykka/_actor.py:Actor.tell"].total == pytest.approx(0.7)


def test_no_samples_are_an_empty_profile(tmp_path) -> None:
    path = tmp_path / "samples.json"
    path.write_text("[]")
    assert read_profile(path).functions == []


def test_the_sampler_sees_who_works(tmp_path) -> None:
    sampler = Sampler()
    before = signal.getsignal(signal.SIGPROF)
    release = threading.Event()
    idle = threading.Thread(target=release.wait, name="idle")
    idle.start()
    try:
        signal.signal(signal.SIGPROF, lambda _number, frame: sampler.sample(frame))
        sampler.begin()
        work_until(lambda: sum(sampler.nanos.values()) > 20_000_000)
    finally:
        sampler.end()
        signal.signal(signal.SIGPROF, before)
        release.set()
        idle.join()
    path = tmp_path / "samples.json"
    sampler.write(path)
    profile = read_profile(path)
    assert profile.threads["MainThread"] > 0.9
    worked = [share.total for share in profile.functions if share.name.endswith("work_until")]
    assert worked[0] > 0.9


def work_until(done) -> None:
    while not done():
        sum(range(1_000))
