"""Reply: what the creation agent says when no model does (domain 7.3, 7.4)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from actors.domains.domain_types import AgentAnchor
from actors.domains.rules.agent.anchors import coverage_permille, is_filled
from actors.domains.rules.agent.book import AgentBook
from actors.domains.rules.agent.stage import FOUNDATION_COVERAGE_PERMILLE
from actors.domains.rules.limits import SUGGESTED_REPLIES_MAX

__all__ = ["Reply", "fallback_reply", "greeting", "greeting_replies"]


class Reply(NamedTuple):
    """What the agent says, and what the author may want to answer."""

    text: str
    suggested: list[str]


def greeting(book: AgentBook) -> str:
    """The first message of every session."""
    return book.greeting


def greeting_replies(book: AgentBook) -> list[str]:
    """What an author may begin with."""
    return _suggested(next(iter(book.anchors.values())).replies)


def fallback_reply(anchors: Sequence[AgentAnchor], book: AgentBook) -> Reply:
    """What is noted and what is open, and a question for the first open anchor.

    With nothing open it is an offer to draft the foundation; such an offer is among the suggested
    replies as soon as enough is known.
    """
    noted = [anchor.key for anchor in anchors if is_filled(anchor)]
    opened = [anchor.key for anchor in anchors if not is_filled(anchor)]
    reply = book.reply
    parts = [reply["noted"].format(labels=_labels(noted, book)) if noted else reply["nothing"]]
    suggested: list[str] = []
    if opened:
        parts.append(reply["open"].format(labels=_labels(opened, book)))
        parts.append(book.anchors[opened[0]].question)
        suggested += book.anchors[opened[0]].replies
    else:
        parts.append(reply["offer"])
    if coverage_permille(anchors) >= FOUNDATION_COVERAGE_PERMILLE:
        suggested.append(reply["draft"])
    return Reply(reply["gap"].join(parts), _suggested(suggested))


def _labels(keys: Iterable[str], book: AgentBook) -> str:
    return book.reply["comma"].join(book.anchors[key].label for key in keys)


def _suggested(replies: Sequence[str]) -> list[str]:
    return list(replies[:SUGGESTED_REPLIES_MAX])
