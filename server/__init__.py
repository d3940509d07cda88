"""Process around the actors: settings, listener, identity, delivery, metrics, command line."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

__all__ = ["__version__"]

try:
    __version__ = version("genarrative-server")
except PackageNotFoundError:  # running from a checkout that is not installed
    __version__ = "0+unknown"
