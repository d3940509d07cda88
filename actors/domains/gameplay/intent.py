"""Intent: which of the offered choices a player's own words mean (domain 5.3)."""

from __future__ import annotations

from typing import Final

from actors.domains.data import LANGUAGES, lexicon_json
from actors.domains.data.lexicon import read_lexicon
from actors.domains.gameplay.choices import offered_choices
from actors.domains.gameplay.story import StoryChoice, StoryFunction, StorySession
from actors.domains.gameplay.story_language import story_language
from actors.domains.rules.world import WorldDocument
from actors.module import DatabaseReader

__all__ = ["LEXICONS", "meant_choice"]

LEXICONS: Final = {language: read_lexicon(lexicon_json(language)) for language in LANGUAGES}
"""What players' words mean, by language."""


def meant_choice(
    db: DatabaseReader, session: StorySession, world: WorldDocument, words: str
) -> StoryChoice | None:
    """The offered choice that the words mean; None makes the turn a narrative one.

    The lexicon says which functions the words speak of. Of their choices the one wins whose
    target's name the words hold most of, else the first. The words are read in the story's
    language first and, if they mean nothing there, in the others: people write as they speak.
    """
    spoken = story_language(db, session.story_session_id, world)
    offered = offered_choices(db, session, world)
    for language in dict.fromkeys((spoken, *LANGUAGES)):
        lexicon = LEXICONS[language]
        functions = [StoryFunction[name.upper()] for name in lexicon.functions(words)]
        if not functions:
            continue
        meant = [
            (choice, lexicon.mentions(words, name))
            for function in functions
            for choice, name in offered
            if choice.function is function and choice.enabled
        ]
        return max(meant, key=lambda each: each[1], default=(None, 0))[0]
    return None
