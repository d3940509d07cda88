from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.domains.data import lexicon_json
from actors.domains.data.lexicon import read_lexicon

ENGLISH = read_lexicon(lexicon_json("en"))
CHINESE = read_lexicon(lexicon_json("zh"))


@pytest.mark.parametrize(
    ("words", "functions"),
    [
        ("go", ["travel"]),
        ("Enter the mill!", ["travel"]),
        ("talk", ["talk"]),
        ("ASK about it", ["talk"]),
        ("speak up", ["talk"]),
        ("attack", ["fight"]),
        ("fight it", ["fight"]),
        ("search the floor", ["inspect"]),
        ("open\tthe door", ["inspect"]),
        ("rest", ["rest"]),
        ("sleep a little", ["rest"]),
        ("buy bread", ["trade"]),
        ("sell bread", ["trade"]),
        # The order is that of the lists, not that of the words.
        ("fight, then talk", ["talk", "fight"]),
        # Forms that no list has mean nothing.
        ("gone", []),
        ("asking, fights, opened", []),
        ("forest", []),
        ("", []),
        ("\U0001f642 ...", []),
    ],
)
def test_english_words_mean_functions(words: str, functions: list[str]) -> None:
    assert list(ENGLISH.functions(words)) == functions


@pytest.mark.parametrize(
    ("words", "functions"),
    [
        ("don't attack", []),
        ("I don\u2019t want to fight", []),
        ("I will not sleep", []),
        ("never talk, go", ["travel"]),
        ("don't attack but talk", ["talk"]),
        ("Do not fight! Speak.", ["talk"]),
        ("why not go", ["travel"]),
        ("I can't wait to fight", ["fight"]),
        ("the rest of them", []),
    ],
)
def test_a_negation_lasts_until_the_next_pause(words: str, functions: list[str]) -> None:
    assert list(ENGLISH.functions(words)) == functions


@pytest.mark.parametrize(
    ("words", "functions"),
    [
        ("去磨坊", ["travel"]),
        ("走进山洞看一看", ["travel"]),
        ("進入山洞", ["travel"]),
        ("问问铁匠", ["talk"]),
        ("跟村長說話", ["talk"]),
        ("攻击那头狼", ["fight"]),
        ("打它", ["fight"]),
        ("搜一搜屋子", ["inspect"]),
        ("睡一觉", ["rest"]),
        ("休息", ["rest"]),
        ("买些药", ["trade"]),
        ("賣掉長劍", ["trade"]),
        # A longer phrase wins over what it holds.
        ("打开箱子", ["inspect"]),
        ("打听消息", ["talk"]),
        ("打个盹", ["rest"]),
        ("打量四周", []),
        ("小说和传说", []),
        ("过去的事", []),
        ("坚持下去", []),
        # To go and do something is to do it, where it can be done.
        ("去问铁匠", ["talk", "travel"]),
        ("去打狼", ["fight", "travel"]),
        ("不去", []),
        ("别打了\uff0c聊聊吧", ["talk"]),
        ("没有打开", []),
        ("能不能去磨坊", ["travel"]),
        ("不如打一架", ["fight"]),
        ("不打但是要聊", ["talk"]),
        ("吹口哨", []),
    ],
)
def test_chinese_words_mean_functions(words: str, functions: list[str]) -> None:
    assert list(CHINESE.functions(words)) == functions


@pytest.mark.parametrize(
    ("lexicon", "text", "name", "mentions"),
    [
        (ENGLISH, "go to the mill", "The Burnt Mill", 1),
        (ENGLISH, "the burnt mill, please", "The Burnt Mill", 2),
        (ENGLISH, "go to the keep", "The Burnt Mill", 0),
        (ENGLISH, "open the MILLER\u2019S chest", "Miller's Chest", 2),
        (CHINESE, "去村子的广场", "村子广场", 2),
        (CHINESE, "去广场", "磨坊", 0),
        (CHINESE, "去找Bran", "铁匠 Bran", 1),
        (CHINESE, "", "", 0),
    ],
)
def test_a_text_mentions_a_name(lexicon: Any, text: str, name: str, mentions: int) -> None:
    assert lexicon.mentions(text, name) == mentions


@given(st.text(), st.sampled_from([ENGLISH, CHINESE]))
def test_what_is_said_before_a_pause_changes_nothing_after_it(text: str, lexicon: Any) -> None:
    alone = lexicon.functions("fight \u6253")
    assert set(alone) <= set(lexicon.functions(f"{text}. fight \u6253"))
    assert lexicon.mentions(text, text) >= lexicon.mentions(text, "The Burnt Mill")


@pytest.mark.parametrize(
    "change",
    [
        {"functions": {"travel": ["go"]}},
        {"more": []},
        {"breaks": [""]},
        {"breaks": ["but", "but"]},
        {"idioms": ["go"]},
        {"negations": ["..."]},
        {"small_words": "the"},
    ],
)
def test_a_lexicon_with_a_mistake_is_not_read(change: dict[str, object]) -> None:
    document = json.loads(lexicon_json("en")) | change
    with pytest.raises(ValueError):
        read_lexicon(json.dumps(document))


def test_every_function_has_its_words() -> None:
    document = json.loads(lexicon_json("en"))
    document["functions"]["rest"] = []
    with pytest.raises(ValueError):
        read_lexicon(json.dumps(document))
