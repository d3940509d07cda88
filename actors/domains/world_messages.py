"""World messages: how worlds come from sessions to libraries to the gallery (domain 12.3, 12.5).

They keep the rules of ``messages``: refusals are messages, and each one names its business key.
A ``publish_key`` is ``{agent_session_id}:{revision}``, or ``{profile_id}:{revision}`` when a
library profile is published directly.
"""

from __future__ import annotations

from actors.domains.domain_types import AgentStage, AssetSlot, EntityKind, ThemeMode
from actors.module.types import struct, u32, u64

__all__ = [
    "AgentBegin",
    "AgentPublishAck",
    "AgentUnpublished",
    "AssetBound",
    "CatalogUnpublish",
    "Charge",
    "ChargeRejected",
    "Charged",
    "CreatorBonus",
    "DropLinks",
    "HeaderUpdate",
    "ProfileSynced",
    "PublishFromAgent",
    "PublishProfile",
    "PublishRejected",
    "Refund",
    "ReopenRejected",
    "ReopenSession",
    "SessionReopened",
    "SyncProfile",
    "SyncRejected",
    "UnpublishAck",
    "UnpublishFromAgent",
    "UserPublishAck",
    "WorkCounters",
    "WorkModerated",
    "WorldCard",
]


@struct
class WorldCard:
    """A world's texts and counts as library, gallery and works show them."""

    world_name: str
    subtitle: str
    summary_text: str
    theme_mode: ThemeMode
    tags: list[str]
    cover_image_src: str | None
    playable_role_count: u32
    landmark_count: u32
    chapter_count: u32
    blocker_count: u32
    warning_count: u32


# From a creation session to its user


@struct
class HeaderUpdate:
    """How a session stands, for its header row. Key: session and ``version``.

    Messages of one session arrive in order, so the last one is the truth.
    """

    agent_session_id: str
    version: u32
    stage: AgentStage
    title: str
    summary_text: str
    cover_image_src: str | None
    progress_permille: u32
    card_count: u32
    blocker_count: u32
    warning_count: u32
    result_profile_id: str | None
    last_error_code: str | None


@struct
class Charge:
    """Take an operation's price; ``Charged`` or ``ChargeRejected``. Key: ``op:{id}:charge``."""

    agent_session_id: str
    operation_id: str
    amount: u32


@struct
class Refund:
    """Give an operation's price back. Key: ``op:{id}:refund``; only what was charged counts."""

    agent_session_id: str
    operation_id: str
    amount: u32


@struct
class ReopenSession:
    """An archived session wants to be worked at again; ``SessionReopened`` or ``ReopenRejected``.

    Key: ``operation_id``. Agreeing takes up one of the user's slots.
    """

    agent_session_id: str
    operation_id: str


@struct
class SyncProfile:
    """Write a session's compiled draft into the library; ``ProfileSynced`` or ``SyncRejected``.

    Key: ``operation_id``. ``profile_id`` follows from the session and stands in the document; the
    library makes the profile when it is not there, and takes a deleted one back.
    """

    agent_session_id: str
    operation_id: str
    profile_id: str
    document_json: str
    document_hash: str
    card: WorldCard


@struct
class PublishFromAgent:
    """Publish a session's compiled draft (12.5, step 1 to 2).

    ``AgentPublishAck`` or ``PublishRejected`` comes back. Key: ``publish_key``. ``profile_id`` is
    as in ``SyncProfile``.
    """

    publish_key: str
    agent_session_id: str
    profile_id: str
    document_json: str
    document_hash: str
    card: WorldCard


@struct
class UnpublishFromAgent:
    """Take a session's world out of the gallery; ``AgentUnpublished`` or ``PublishRejected``."""

    publish_key: str
    agent_session_id: str
    profile_id: str


# From a user to a catalog shard, and back


@struct
class PublishProfile:
    """Publish a version (12.5, step 2 to 3); ``UserPublishAck`` or ``PublishRejected``.

    Key: ``publish_key``. ``version`` is the next one; the catalog revives the latest version
    instead when its hash is the same.
    """

    publish_key: str
    profile_id: str
    owner_user_id: str
    author_display_name: str
    public_work_code: str
    version: u32
    document_json: str
    document_hash: str
    card: WorldCard


@struct
class UserPublishAck:
    """A version is live (12.5, step 3 to 4). Key: ``publish_key``."""

    publish_key: str
    profile_id: str
    version: u32
    public_work_code: str


@struct
class PublishRejected:
    """Nothing was published, or unpublished; to whoever asked. Key: ``publish_key``."""

    publish_key: str
    profile_id: str | None
    code: str
    message: str


@struct
class CatalogUnpublish:
    """Take a world out of the gallery; ``UnpublishAck``. Key: ``publish_key``."""

    publish_key: str
    profile_id: str
    owner_user_id: str


@struct
class UnpublishAck:
    """A world is out of the gallery. Key: ``publish_key``."""

    publish_key: str
    profile_id: str


@struct
class DropLinks:
    """A library profile is deleted: its asset links go, the objects stay. Key: ``profile_id``."""

    profile_id: str
    owner_user_id: str


@struct
class WorkCounters:
    """How a work of the user stands in the gallery. Key: profile and counter version.

    Sent at most every few seconds for one work; the last one is the truth.
    """

    profile_id: str
    like_count: u64
    play_count: u64
    counter_version: u64


@struct
class WorkModerated:
    """Moderators hide a work of the user, or show it again. The last one is the truth."""

    profile_id: str
    is_hidden: bool


@struct
class CreatorBonus:
    """Somebody likes a work of the user for the first time. Key: ``like:{work}:{liker}``."""

    work_id: str
    liker_user_id: str


# From a user to a creation session


@struct
class AgentBegin:
    """The first message of a creation session's actor. Key: ``agent_session_id``.

    The user's directory entry and header row are there already.
    """

    agent_session_id: str
    user_id: str
    locale: str | None
    seed_text: str | None


@struct
class SessionReopened:
    """The user has a slot for the session. Key: ``operation_id``."""

    operation_id: str


@struct
class ReopenRejected:
    """The user has too many sessions. Key: ``operation_id``."""

    operation_id: str
    code: str
    message: str


@struct
class Charged:
    """An operation's price is taken."""

    operation_id: str
    amount: u32


@struct
class ChargeRejected:
    """An operation's price could not be taken."""

    operation_id: str
    code: str
    message: str


@struct
class ProfileSynced:
    """A session's draft is in the library. Key: ``operation_id``."""

    operation_id: str
    profile_id: str
    revision: u32


@struct
class SyncRejected:
    """A session's draft could not be written into the library. Key: ``operation_id``."""

    operation_id: str
    code: str
    message: str


@struct
class AgentPublishAck:
    """A session's world is published, on whose wish ever (12.5, step 4 to 5).

    Key: ``publish_key``. The hash says which of the session's drafts the gallery has.
    """

    publish_key: str
    profile_id: str
    version: u32
    document_hash: str


@struct
class AgentUnpublished:
    """The world of a session is out of the gallery, by whatever way. Key: profile and version."""

    publish_key: str
    profile_id: str


# From a catalog shard to a creation session


@struct
class AssetBound:
    """An entity of a session has an image, or None any more (12.7); the last one is the truth.

    Key: binding and ``version``, which is the number of the catalog's turn that changed it.
    """

    binding_id: str
    version: u64
    agent_session_id: str
    entity_kind: EntityKind
    entity_key: str
    slot: AssetSlot
    image_src: str | None
