"""Model script: what a model says in the demonstration, as data that is shipped with it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib.resources import files
from typing import Any

from loadtest.limits import SCRIPT_PIECE_CHARS
from loadtest.model_server import Answer

__all__ = ["ModelScript"]


class ModelScript:
    """Answers each kind of request with the next of its answers, and refuses it after the last.

    A kind is known by words that its prompt has. ``tell`` is a teller of a model server.
    """

    def __init__(self) -> None:
        text = (files("loadtest") / "data" / "demo_model.json").read_text(encoding="utf-8")
        self._parts: list[dict[str, Any]] = json.loads(text)
        self._said = [0] * len(self._parts)

    def tell(self, body: Any) -> Answer | None:
        """The next answer to a request, letter by letter as models write it."""
        system = body["messages"][0]["content"]
        for number, part in enumerate(self._parts):
            if part["heard"] in system:
                answers = part["answers"]
                said = self._said[number]
                self._said[number] += 1
                if said >= len(answers):
                    return None
                text = json.dumps(answers[said], ensure_ascii=False)
                return Answer(_pieces(text), 1 / part["pieces_per_second"])
        return None


def _pieces(text: str) -> Iterator[str]:
    for start in range(0, len(text), SCRIPT_PIECE_CHARS):
        yield text[start : start + SCRIPT_PIECE_CHARS]
