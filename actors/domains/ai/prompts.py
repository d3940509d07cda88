"""Prompts: how material is put before a model, and how it is asked to repair an answer (8.3).

Whatever authors and players have written stands between data marks, as JSON, so that no text can
end its place or pass for an instruction.
"""

from __future__ import annotations

from collections.abc import Sequence

from actors import Prompt
from actors.domains.ai.limits import BROKEN_CHARS_MAX
from actors.domains.rules.canonical_json import write_json

__all__ = ["fenced", "repair_prompt"]


def fenced(name: str, value: object) -> str:
    """A named piece of material, of what ``write_json`` takes."""
    text = write_json(value).replace("<", "\\u003c").encode(errors="replace").decode()
    return f"{name}: <data>{text}</data>"


def repair_prompt(prompt: Prompt, broken: str, faults: Sequence[str], schema: str) -> Prompt:
    """What a model is asked whose answer broke the rules."""
    user = "\n".join(
        (
            prompt.user,
            fenced("your answer", broken[:BROKEN_CHARS_MAX]),
            fenced("what is wrong with it", list(faults)),
            f"Answer again, with one JSON object of this schema: {schema}",
        )
    )
    return Prompt(prompt.system, user)
