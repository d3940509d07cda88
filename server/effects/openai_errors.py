"""OpenAI errors: what the client library raises, as a provider's failures, without its texts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import openai

from actors.errors import TextModelError
from server.effects.provider import TransientModelError

__all__ = ["provider_errors"]

_TOO_MANY = 429
_BROKEN = 500


@contextmanager
def provider_errors() -> Iterator[None]:
    """Run a request.

    Raises:
        TransientModelError: nothing came, and the same request may succeed soon.
        TextModelError: any other failure of the request.
    """
    try:
        yield
    except openai.APITimeoutError:
        raise TextModelError("dependency.timeout", "no connection in time") from None
    except openai.APIConnectionError:
        raise TransientModelError("dependency.unavailable", "the connection broke") from None
    except openai.APIStatusError as error:
        text = f"answered with status {error.status_code}"
        if error.status_code == _TOO_MANY or error.status_code >= _BROKEN:
            seconds = _seconds(error.response.headers.get("retry-after", ""))
            raise TransientModelError("dependency.unavailable", text, seconds) from None
        raise TextModelError("dependency.unavailable", text) from None
    except (openai.OpenAIError, ValueError, LookupError, TypeError, AttributeError):
        # Foreign data is read as it comes: whatever does not fit the protocol ends up here.
        raise TextModelError("dependency.unavailable", "the answer is broken") from None


def _seconds(header: str) -> float:
    """What a Retry-After header asks for; one that names a date asks for nothing."""
    return float(header) if header.isdecimal() else 0.0
