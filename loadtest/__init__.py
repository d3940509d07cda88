"""Load tests: bots that speak the wire as clients do, benchmarks, and a demonstration."""

__all__: list[str] = []
