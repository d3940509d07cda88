"""Limits of the server: sizes, counts and times, each with what happens beyond it."""

from __future__ import annotations

from protocol.limits import MESSAGE_BYTES_MAX

__all__ = [
    "BUCKETS_SWEEP_MIN",
    "CLAIMS_JSON_BYTES_MAX",
    "CLAIM_TEXT_BYTES_MAX",
    "CLOCK_SKEW_SECONDS_MAX",
    "CLOSE_SECONDS_MAX",
    "DISPLAY_NAME_CHARS_MAX",
    "HEADER_BYTES_MAX",
    "HEAD_SECONDS_MAX",
    "HEALTH_SECONDS_MAX",
    "HOST_STOP_SECONDS_MAX",
    "INBOUND_MESSAGE_BYTES_DEFAULT",
    "INBOUND_PENDING_HIGH",
    "INBOUND_PENDING_LOW",
    "INBOUND_PENDING_MAX",
    "JWKS_BYTES_MAX",
    "JWKS_REFRESH_SECONDS_MIN",
    "JWKS_SECONDS_MAX",
    "JWKS_TTL_SECONDS",
    "MODEL_ANSWER_CHARS_MAX",
    "MODEL_CONNECT_SECONDS_MAX",
    "MODEL_FIRST_SECONDS_MAX",
    "MODEL_GAP_SECONDS_MAX",
    "MODEL_RETRY_SECONDS",
    "MODEL_SECONDS_MAX",
    "OUTBOUND_BYTES_MAX",
    "OWNERSHIP_SECONDS",
    "REFUSAL_SECONDS",
    "RESUME_SECONDS_MAX",
    "STOP_SECONDS_MAX",
    "TOKEN_BYTES_MAX",
    "WEBSOCKET_TOKEN_SECONDS",
]

INBOUND_MESSAGE_BYTES_DEFAULT = 1_048_576
"""One inbound websocket message (domain 1.9), adjustable by ``message_bytes_max`` up to the
protocol's 32 MiB; a larger one closes the connection with 1009 as soon as its length is read."""

INBOUND_PENDING_HIGH = 2_048
"""Unanswered requests of one connection beyond which its socket is not read any more."""

INBOUND_PENDING_LOW = 1_024
"""Unanswered requests at which reading goes on."""

RESUME_SECONDS_MAX = 1.0
"""Longest time until a socket that is not read is looked at again, should no answer do it."""

INBOUND_PENDING_MAX = 16_384
"""Unanswered requests of one connection; more close it with 1013 ``too many requests`` (wire
spec 8.3). Reached only by bursts within one read, since reading stops long before."""

OUTBOUND_BYTES_MAX = 16_777_216
"""Bytes waiting to leave on one connection when more is to be sent. Beyond it the peer is too
slow: it is closed with 1013 ``too slow``, so that nobody else waits and memory is bounded. What
is measured was waiting before, so one large snapshot alone never closes a connection."""

CLOSE_SECONDS_MAX = 0.25
"""Wait for the peer's close frame after ours (wire spec 8.3), and for what is still buffered."""

HEADER_BYTES_MAX = 65_536
"""Request line and headers of one HTTP request; more is answered 400 and closed."""

HEAD_SECONDS_MAX = 10.0
"""Time for a request's line and headers to arrive; then the connection is closed."""

HOST_STOP_SECONDS_MAX = 6.0
"""Time for the actors to finish and checkpoint; then sockets are closed all the same."""

STOP_SECONDS_MAX = 10.0
"""From a termination signal to the end of the process; what is not finished then is cut off."""

HEALTH_SECONDS_MAX = 2.0
"""Time the store has to take a small write before ``/readyz`` answers 503."""

REFUSAL_SECONDS = 2.0
"""How long ``/readyz`` answers 503 after the store has refused a batch: on a disk that is nearly
full a small write may still work."""

OWNERSHIP_SECONDS = 1.0
"""Between two questions whether the store is still ours. Writes are refused at once when it is not;
for so long a server that lost it can answer what needs no write with rows that are not the last."""

TOKEN_BYTES_MAX = 8_000
"""A token as text. The upgrade's request line, which may carry it, ends at 8,192 bytes."""

CLAIMS_JSON_BYTES_MAX = 4_096
"""A token's claims as canonical JSON (domain 1.8); a token with more is refused."""

CLAIM_TEXT_BYTES_MAX = 128
"""``iss`` and ``sub``, UTF-8 (wire spec 1.3); longer or empty ones are refused."""

DISPLAY_NAME_CHARS_MAX = 40
"""Display name taken from a token (domain 1.8); longer ones are cut."""

WEBSOCKET_TOKEN_SECONDS = 60
"""Life of the token that a client puts into the address of a socket (wire spec 1.3)."""

CLOCK_SKEW_SECONDS_MAX = 60
"""How far in our future an issuer's ``iat`` and ``nbf`` may lie."""

JWKS_SECONDS_MAX = 5.0
"""One request for an issuer's discovery document or keys."""

JWKS_BYTES_MAX = 262_144
"""Size of an issuer's discovery document or keys; more is an error of the issuer."""

JWKS_TTL_SECONDS = 300.0
"""Age at which an issuer's keys are fetched again."""

JWKS_REFRESH_SECONDS_MIN = 10.0
"""Tokens that name unknown keys make us ask their issuer this often at most."""

BUCKETS_SWEEP_MIN = 4_096
"""Token buckets kept before the full ones, which say nothing, are swept out."""

MODEL_CONNECT_SECONDS_MAX = 5.0
"""Connecting to a text model (domain 8.3); then the next provider is asked."""

MODEL_FIRST_SECONDS_MAX = 15.0
"""Until a text model's first sign of life (domain 8.3); then the next provider is asked."""

MODEL_GAP_SECONDS_MAX = 20.0
"""Between two signs of life of a text model (domain 8.3); then its answer has failed."""

MODEL_SECONDS_MAX = 90.0
"""A whole request to text models (domain 8.3); then it has failed."""

MODEL_RETRY_SECONDS = (0.5, 2.0)
"""Pauses before a text model is asked again that could not be reached or broke (domain 8.3)."""

MODEL_ANSWER_CHARS_MAX = 262_144
"""Characters of one answer; a model that says more is broken."""

assert INBOUND_PENDING_LOW < INBOUND_PENDING_HIGH < INBOUND_PENDING_MAX
assert INBOUND_MESSAGE_BYTES_DEFAULT <= MESSAGE_BYTES_MAX
assert MODEL_CONNECT_SECONDS_MAX <= MODEL_FIRST_SECONDS_MAX < MODEL_SECONDS_MAX
assert HOST_STOP_SECONDS_MAX + CLOSE_SECONDS_MAX < STOP_SECONDS_MAX
assert JWKS_REFRESH_SECONDS_MIN < JWKS_TTL_SECONDS
assert CLAIMS_JSON_BYTES_MAX * 4 // 3 < TOKEN_BYTES_MAX < HEADER_BYTES_MAX
