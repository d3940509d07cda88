"""A server whose chapters forget what was earned in them: rules broken on purpose."""

from __future__ import annotations

from actors.domains.gameplay import settlement
from server.cli import main


def forget(*_: object) -> None:
    """Take the place of the chapter's ledger."""


settlement.add_to_ledger = forget

if __name__ == "__main__":
    main()
