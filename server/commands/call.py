"""Command ``call``: one call of a reducer or a procedure over HTTP."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence

from protocol.sats_json import compile_json, dumps, loads
from server.commands.arguments import arguments_json, find_function
from server.commands.client_link import ClientLink, Target

__all__ = ["call_function"]


def call_function(target: Target, name: str, words: Sequence[str], *, as_json: bool) -> None:
    """Call; prints what a procedure answers, nothing for a reducer.

    With ``as_json`` it is one object: ``value`` and ``execution_duration_micros``.

    Raises:
        RefusedError: the function or the server refuses.
        StartError: the arguments do not fit, or the server cannot be reached.
    """
    with ClientLink(target) as link:
        function = find_function(link.schema(), name)
        body = arguments_json(function, words)
        answer = link.ask("POST", f"/call/{name}", body=body, media_type="application/json")
    value: object = None
    if function.returns is not None:
        codec = compile_json(function.returns)
        value = codec.to_typed(codec.from_json(loads(answer.content)))
    if as_json:
        micros = int(answer.headers["spacetime-execution-duration-micros"])
        shown = {"value": value, "execution_duration_micros": micros}
        sys.stdout.write(f"{dumps(shown).decode()}\n")
    elif function.returns is not None:
        sys.stdout.write(f"{json.dumps(value, indent=2)}\n")
