"""Story language: in which language a session is told (domain 5.2)."""

from __future__ import annotations

from actors import ReducerContext, table
from actors.domains.data import language_of
from actors.domains.kinds import STORY
from actors.domains.rules.world import WorldDocument
from actors.module import DatabaseReader

__all__ = ["StoryLocale", "choose_locale", "forget_locale", "story_language"]


@table(primary_key="story_session_id", actor=STORY)
class StoryLocale:
    """The locale that the host chose at the begin; without a choice there is no row."""

    story_session_id: str
    locale: str


def choose_locale(ctx: ReducerContext, story_session_id: str, locale: str | None) -> None:
    """Remember the host's choice, if there is one."""
    if locale is not None:
        ctx.db[StoryLocale].insert(StoryLocale(story_session_id, locale))


def forget_locale(ctx: ReducerContext, story_session_id: str) -> None:
    """Leave nothing behind of a session that never was."""
    ctx.db[StoryLocale].delete(story_session_id)


def story_language(db: DatabaseReader, story_session_id: str, world: WorldDocument) -> str:
    """The host's choice, else the world's own language, else English.

    A language that the game does not speak counts as no choice, so that a world's names and the
    words around them stay of one kind.
    """
    chosen = db[StoryLocale].find(story_session_id)
    return language_of(None if chosen is None else chosen.locale, world.meta.locale)
