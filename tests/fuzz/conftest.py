from __future__ import annotations

import sys
from pathlib import Path

# The server's process comes from there, and what was specified byte by byte.
TESTS = Path(__file__).parents[1]
sys.path += [str(TESTS / "e2e"), str(TESTS / "protocol")]
