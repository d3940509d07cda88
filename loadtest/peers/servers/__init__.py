"""Servers of other libraries, for comparison; each runs in an environment of its own."""
