from __future__ import annotations

from loadtest.scenarios.admin_watch import Tail


def notice(
    *seqs: int, dropped: int = 0, is_durable: bool = True, is_last: bool = False
) -> dict[str, object]:
    entries = [{"actor": "database/0", "seq": seq} for seq in seqs]
    return {
        "tail": 1,
        "dropped": dropped,
        "is_durable": is_durable,
        "is_last": is_last,
        "entries": entries,
    }


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
    assert "record 6 of database/0 came after 6" in tail.faults


def test_what_may_be_taken_back_is_a_fault() -> None:
    tail = Tail()
    tail.take(notice(5, is_durable=False))
    assert tail.faults == ["a tail told what was not durable"]


def test_told_and_dropped_are_all_that_happened() -> None:
    tail = Tail()
    tail.take(notice(5, 6))
    tail.take(notice(9, dropped=2))
    assert not tail.over.is_set()
    tail.take(notice(dropped=3, is_last=True))
    assert tail.over.is_set()
    assert tail.reckon(12, 12) is True
    assert tail.faults == []


def test_what_waited_in_the_end_must_be_said_to_be_dropped() -> None:
    tail = Tail()
    tail.take(notice(5, 6))
    tail.take(notice(dropped=1, is_last=True))
    assert tail.reckon(8, 8) is True
    assert tail.faults == [
        "4 to 4 entries happened, 2 were told and 1 were said to be dropped",
    ]


def test_what_did_not_happen_cannot_be_dropped() -> None:
    tail = Tail()
    tail.take(notice(5, 6))
    tail.take(notice(dropped=4, is_last=True))
    assert tail.reckon(7, 9) is False
    assert tail.faults == ["3 to 5 entries happened, 2 were told and 4 were said to be dropped"]


def test_while_others_write_the_sum_is_known_between_two_looks() -> None:
    tail = Tail()
    tail.take(notice(5, 6))
    tail.take(notice(dropped=2, is_last=True))
    assert tail.reckon(7, 9) is False
    assert tail.faults == []


def test_a_tail_whose_beginning_was_dropped_is_not_reckoned_up() -> None:
    tail = Tail()
    tail.take(notice(5, 6, dropped=1))
    tail.take(notice(7, is_last=True))
    assert tail.reckon(99, 99) is False
    assert tail.faults == []


def test_nothing_comes_after_the_last_notice() -> None:
    tail = Tail()
    tail.take(notice(5, is_last=True))
    tail.take(notice(6))
    assert tail.faults == ["a tail told something after its last notice"]
