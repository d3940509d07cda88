from __future__ import annotations

from loadtest.scenarios.admin_watch import Tail


def notice(*seqs: int, dropped: int = 0, is_durable: bool = True) -> dict[str, object]:
    entries = [{"actor": "module/0", "seq": seq} for seq in seqs]
    return {"tail": 1, "dropped": dropped, "is_durable": is_durable, "entries": entries}


def test_a_whole_tail_has_no_faults() -> None:
    tail = Tail()
    tail.take(notice(5, 6, 7))
    tail.take(notice(8, 11, dropped=2))
    assert (tail.told, tail.dropped, tail.faults) == (5, 2, [])


def test_what_is_dropped_may_be_said_before_it_is_missing() -> None:
    tail = Tail()
    tail.take(notice(5, 6, dropped=3))
    tail.take(notice(7, 8))
    tail.take(notice(12))
    assert tail.faults == []
    tail.take(notice(14))
    assert tail.faults == ["4 entries are missing, 3 were said to be dropped"]


def test_what_is_missing_without_a_word_is_a_fault() -> None:
    tail = Tail()
    tail.take(notice(5, 8, dropped=1))
    assert tail.faults == ["2 entries are missing, 1 were said to be dropped"]


def test_what_is_out_of_order_is_a_fault() -> None:
    tail = Tail()
    tail.take(notice(5, 6))
    tail.take(notice(6))
    assert "record 6 of module/0 came after 6" in tail.faults


def test_what_may_be_taken_back_is_a_fault() -> None:
    tail = Tail()
    tail.take(notice(5, is_durable=False))
    assert tail.faults == ["a tail told what was not durable"]
