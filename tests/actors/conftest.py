"""Puts this folder on the path: benches that several folders of tests share live here."""
