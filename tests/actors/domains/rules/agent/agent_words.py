"""Words of a story that tests begin worlds with."""

from __future__ import annotations

from actors.domains.data.agent_books import agent_books
from actors.domains.rules.agent import (
    Wish,
    anchor_values,
    empty_anchors,
    extract_anchors,
)

SEED_TEXT = (
    "A drowned kingdom under a curse. The tone is grim mystery. I want to be a ferryman hero."
)
ANCHORS = extract_anchors(SEED_TEXT, empty_anchors(), agent_books("en"))
WISH = Wish("cws_test", anchor_values(ANCHORS), "")
