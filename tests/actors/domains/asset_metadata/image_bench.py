"""Images on the bench: a painter, a folder for files, and the procedures that keep them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

from asset_bench import CATALOG_KEY, begin_session
from user_bench import claims
from vale_bench import Player, Vale, running_vale

from actors.domains.asset_metadata.bindings import AssetEntityBinding
from actors.domains.asset_metadata.links import CustomWorldAssetLink
from actors.domains.asset_metadata.objects import AssetObject
from actors.host.caller import Caller
from actors.host.procedures import Run
from actors.module.image_model import ImageModel
from actors.module.object_store import ObjectStore
from actors.module.types import ConnectionId
from server.effects.folder_objects import FolderObjects


class Painter:
    """Makes every image out of one answer: bytes, or a failure."""

    def __init__(self, answer: bytes | Exception) -> None:
        self.answer = answer
        self.asked: list[tuple[str, int, int, int | None, str]] = []

    async def generate_image(
        self, prompt: str, *, width: int, height: int, seed: int | None, user_id: str
    ) -> bytes:
        self.asked.append((prompt, width, height, seed, user_id))
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


class Studio(NamedTuple):
    """A user with a creation session, and where files go."""

    vale: Vale
    owner: Player
    folder: Path
    store: FolderObjects

    @property
    def ctx(self) -> Run:
        """A procedure of the user."""
        return Run(self.vale.host, Caller(self.owner.claims, ConnectionId(0)))

    @property
    def assets(self) -> list[AssetObject]:
        return self.vale.rows(CATALOG_KEY, AssetObject)

    @property
    def bindings(self) -> list[AssetEntityBinding]:
        return self.vale.rows(CATALOG_KEY, AssetEntityBinding)

    @property
    def links(self) -> list[CustomWorldAssetLink]:
        return self.vale.rows(CATALOG_KEY, CustomWorldAssetLink)

    def file(self, image_src: str) -> bytes:
        """What is kept at an address."""
        return (self.folder / image_src.removeprefix("/objects/")).read_bytes()

    def files(self) -> list[Path]:
        return [path for path in self.folder.rglob("*") if path.is_file()]


@asynccontextmanager
async def studio(folder: Path, painter: Painter | None = None) -> AsyncIterator[Studio]:
    """A studio with files in a folder, and an image model if one is given."""
    store = FolderObjects(folder)
    providers: dict[type, Any] = {ObjectStore: store}
    if painter is not None:
        providers[ImageModel] = painter
    async with running_vale(providers=providers) as vale:
        owner = await vale.enter(claims(1))
        await begin_session(owner)
        yield Studio(vale, owner, folder, store)
