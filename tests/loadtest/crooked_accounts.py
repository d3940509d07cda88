"""A server of the game that pays a point too much, and forgets what clients save."""

from __future__ import annotations

from actors.domains.gameplay import progression
from actors.domains.runtime import snapshots
from server.cli import main

honest = progression.grant


def generous(before, amount, source):
    """Take the place of the rule that grants."""
    return honest(before, amount + 1, source)


progression.grant = generous
snapshots.write_json = lambda _state: "{}"

if __name__ == "__main__":
    main()
