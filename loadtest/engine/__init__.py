"""Engine: whom a load sends in, when, and what it measures; knows no scenario."""

__all__: list[str] = []
