"""Operations: what operators do and decide, kept by actors beside those of the hosted module.

Its functions need a role that no token can carry: only the server itself calls them. Clients see
nothing of it but ``operations_announcement``.
"""

from __future__ import annotations

__all__ = ["MODULE"]

MODULE = "actors.operations"
"""What ``Module.load`` hosts beside a module."""
