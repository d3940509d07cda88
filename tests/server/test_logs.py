from __future__ import annotations

from server.logs import hide_secrets

TOKEN = "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl"


def test_secrets_are_hidden_wherever_they_stand():
    event = {
        "event": f"GET /v1/database/x/subscribe?token={TOKEN}&compression=None",
        "Authorization": "Bearer opaque",
        "token": "opaque",
        "exception": f"Traceback\n  token={TOKEN!r}",
        "count": 3,
    }
    assert hide_secrets(None, "info", event) == {
        "event": "GET /v1/database/x/subscribe?token=<token>&compression=None",
        "Authorization": "<hidden>",
        "token": "<hidden>",
        "exception": "Traceback\n  token='<token>'",
        "count": 3,
    }
