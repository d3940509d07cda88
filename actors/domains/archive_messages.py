"""Archive messages: how a story's state travels to its host's archives and back (domain 2.6, 12.3).

They keep the rules of ``messages``: refusals are messages, and each one names its business key.
"""

from __future__ import annotations

from actors.domains.messages import DraftWorld
from actors.module.types import struct, u32

__all__ = [
    "ExportRejected",
    "ExportState",
    "ImportState",
    "ResumeStory",
    "StateExported",
    "StateImported",
    "Supersede",
    "Superseded",
]


# To a story's actor


@struct
class ExportState:
    """The host wants to archive the session; ``StateExported`` or ``ExportRejected``.

    Key: ``save_id``, which only comes back in the answer.
    """

    save_id: str
    user_id: str


@struct
class ImportState:
    """The first message of a restored story's actor. Key: ``story_session_id``.

    Answered by ``StateImported`` or ``StoryRejected``. ``draft`` is the world of an archived test
    play, which the catalog does not have.
    """

    story_session_id: str
    host_user_id: str
    state_json: str
    draft: DraftWorld | None


@struct
class Supersede:
    """A restored session takes the place of this one; answered by ``Superseded``.

    Key: ``successor_id``, the restored session.
    """

    successor_id: str


@struct
class ResumeStory:
    """No other session of the lineage is played any more: the restored one may go on.

    Key: ``story_session_id``. It answers with ``RecordSession`` (active).
    """

    story_session_id: str


# To a user's actor


@struct
class StateExported:
    """A session's state for an archive, with what the archive's row says of it.

    Key: ``save_id``. The texts and the cover are those of the world's pinned document.
    """

    save_id: str
    profile_id: str
    published_version: u32
    runtime_session_id: str
    world_name: str
    subtitle: str
    summary_text: str
    cover_image_src: str | None
    chapter_index: u32
    scene_title: str
    state_json: str


@struct
class ExportRejected:
    """A session cannot be archived as it stands; nothing changed. Key: ``save_id``."""

    save_id: str
    code: str
    message: str


@struct
class StateImported:
    """A restored session could begin; it waits for ``ResumeStory``. Key: ``story_session_id``."""

    story_session_id: str


@struct
class Superseded:
    """A session of the lineage has ended for its successor, or had before. Key: the successor."""

    successor_id: str
