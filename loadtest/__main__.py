"""Entry of ``python -m loadtest``."""

from __future__ import annotations

from loadtest.cli import main

__all__: list[str] = []

if __name__ == "__main__":
    main()
