"""Host: actors in memory, their turns, and what reaches them and leaves them."""

from __future__ import annotations

from actors.host.admission import Admission, admit
from actors.host.caller import Caller
from actors.host.host import Host
from actors.host.http_calls import HttpCalls
from actors.host.named_calls import NamedCalls
from actors.host.passivation import Budget
from actors.host.session import Session, Sink

__all__ = [
    "Admission",
    "Budget",
    "Caller",
    "Host",
    "HttpCalls",
    "NamedCalls",
    "Session",
    "Sink",
    "admit",
]
