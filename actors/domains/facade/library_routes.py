"""The library over HTTP: an author's worlds, written, published and withdrawn (domain 11.2)."""

from __future__ import annotations

from actors import Route, struct, u32
from actors.domains.custom_world.library import (
    CustomWorldLibraryDetail,
    UpsertCustomWorldProfile,
    delete_custom_world_profile,
    get_custom_world_library_detail,
    list_custom_world_library,
    upsert_custom_world_profile,
)
from actors.domains.custom_world.library_calls import (
    publish_custom_world_profile_and_return,
    unpublish_custom_world_profile_and_return,
)
from actors.domains.custom_world.profile import CustomWorldProfile
from actors.domains.domain_types import Finding

__all__ = ["ROUTES"]

_LIBRARY = "/api/runtime/custom-world-library"
_PROFILE = f"{_LIBRARY}/{{profile_id}}"


@struct
class ProfileAnswer:
    """A profile as it stands after the call."""

    profile: CustomWorldProfile


@struct
class DetailAnswer:
    """A profile with its draft and what the compile remarks on it."""

    profile: CustomWorldProfile
    document_json: str
    findings: list[Finding]


@struct
class NewProfileBody:
    """The document of a new world."""

    document_json: str
    request_id: str


@struct
class ProfileBody:
    """Another document of a world."""

    profile_id: str
    document_json: str
    expected_revision: u32 | None
    request_id: str


def detail(found: CustomWorldLibraryDetail) -> DetailAnswer:
    """The draft as JSON, and not as a text that holds it."""
    return DetailAnswer(found.profile, found.document, found.findings)


def read_new_profile(body: NewProfileBody) -> UpsertCustomWorldProfile:
    """The call that makes a profile."""
    return UpsertCustomWorldProfile(None, body.document_json, None, body.request_id)


def read_profile(body: ProfileBody) -> UpsertCustomWorldProfile:
    """The call that writes a profile."""
    return UpsertCustomWorldProfile(
        body.profile_id, body.document_json, body.expected_revision, body.request_id
    )


ROUTES = (
    Route("GET", _LIBRARY, list_custom_world_library),
    Route(
        "POST", _LIBRARY, upsert_custom_world_profile, ProfileAnswer, read_new_profile, status=201
    ),
    Route("GET", _PROFILE, get_custom_world_library_detail, detail),
    Route("PUT", _PROFILE, upsert_custom_world_profile, ProfileAnswer, read_profile),
    Route("DELETE", _PROFILE, delete_custom_world_profile, status=204),
    Route("POST", f"{_PROFILE}/publish", publish_custom_world_profile_and_return),
    Route(
        "POST",
        f"{_PROFILE}/unpublish",
        unpublish_custom_world_profile_and_return,
        ProfileAnswer,
    ),
)
