"""What the platform keeps for each user: account, presence, directory, dashboard, wallet."""

from __future__ import annotations

__all__: list[str] = []
