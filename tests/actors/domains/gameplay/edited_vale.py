"""Test Vale with changes, for rules that the fixture world gives no occasion to."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from actors.domains.custom_world import fixture_worlds
from actors.domains.fixtures import vale_document

Document = dict[str, Any]


def publish_edited(monkeypatch: pytest.MonkeyPatch, edit: Callable[[Document], None]) -> None:
    """Let hosts that start from now on publish Test Vale as the edit leaves it."""
    document = json.loads(vale_document())
    edit(document)
    text = json.dumps(document, ensure_ascii=False)
    monkeypatch.setattr(fixture_worlds, "vale_document", lambda: text)


def entity(document: Document, section: str, key: str) -> Document:
    """An entity of a section by its key."""
    name = "chapterKey" if section == "sceneChapterBlueprints" else "key"
    return next(each for each in document[section] if each[name] == key)
