"""Entry of ``python -m server``: the same command line as ``genarrative``."""

from __future__ import annotations

from server.cli import main

__all__: list[str] = []

if __name__ == "__main__":
    main()
