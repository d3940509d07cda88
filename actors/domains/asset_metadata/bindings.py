"""Bindings: which stored file shows which entity (domain 8.6).

Readers depend on a row alone, and a binding does not say who may read its object. So only its
owner reads it; what everybody may know of a published world is in its links and objects.
"""

from __future__ import annotations

from actors import Timestamp, table
from actors.domains.domain_types import AssetEntityKind, AssetSlot
from actors.domains.kinds import CATALOG

__all__ = ["AssetEntityBinding"]


def _reader(row: AssetEntityBinding) -> str:
    return row.owner_user_id


@table(
    public=True,
    primary_key="binding_id",
    index=["asset_object_id", "owner_user_id", "entity_ref"],
    actor=CATALOG,
    readers=_reader,
)
class AssetEntityBinding:
    """The file in one slot of one entity; its id is made of both. Binding again replaces it."""

    binding_id: str
    asset_object_id: str
    entity_kind: AssetEntityKind
    entity_id: str
    entity_ref: str
    slot: AssetSlot
    asset_kind: str
    owner_user_id: str
    profile_id: str | None
    created_at: Timestamp
    updated_at: Timestamp
