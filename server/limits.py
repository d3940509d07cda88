"""Limits of the server: sizes, counts and times, each with what happens beyond it."""

from __future__ import annotations

from typing import Final

from protocol.limits import MESSAGE_BYTES_MAX

__all__ = [
    "ADMIN_ANSWER_BYTES_MAX",
    "ADMIN_BATCH_MAX",
    "ADMIN_CALLS_BURST",
    "ADMIN_CALLS_PER_MINUTE",
    "ADMIN_COMMAND_SECONDS_MAX",
    "ADMIN_CONNECTIONS_MAX",
    "ADMIN_DRAIN_SECONDS_MAX",
    "ADMIN_JOURNAL_ENTRIES_MAX",
    "ADMIN_LIST_ROWS_MAX",
    "ADMIN_MESSAGE_BYTES_MAX",
    "ADMIN_REASON_CHARS_MAX",
    "ADMIN_REASON_CHARS_MIN",
    "ADMIN_STOP_SECONDS_MAX",
    "ADMIN_TABLE_ROWS_MAX",
    "ADMIN_WORKS_MAX",
    "ARCHIVE_SECONDS_MAX",
    "BODIES_BYTES_MAX",
    "BODY_SECONDS_MAX",
    "BUCKETS_SWEEP_MIN",
    "BUDGETS_SAVE_SECONDS",
    "CANARY_PAUSE_SECONDS",
    "CANARY_RED_SECONDS_MAX",
    "CANARY_SECONDS_MAX",
    "CLAIMS_JSON_BYTES_MAX",
    "CLAIM_TEXT_BYTES_MAX",
    "CLIENT_ANSWER_BYTES_MAX",
    "CLIENT_ANSWER_SECONDS_MAX",
    "CLOCK_SKEW_SECONDS_DEFAULT",
    "CLOCK_SKEW_SECONDS_MAX",
    "CLOSE_SECONDS_MAX",
    "DEFLATE_BYTES_MIN",
    "DISPLAY_NAME_CHARS_MAX",
    "DOCTOR_ANSWER_SECONDS_MAX",
    "DOCTOR_CHECK_BYTES_MAX",
    "DOCTOR_CLOCK_SECONDS_MAX",
    "DOCTOR_DISK_BYTES_LOW",
    "DOCTOR_DISK_BYTES_MIN",
    "DOCTOR_FILES_LOW",
    "DOCTOR_FILES_MIN",
    "DOCTOR_STEP_SECONDS_MAX",
    "DOCTOR_SYNC_SECONDS_MAX",
    "HEADER_BYTES_MAX",
    "HEAD_SECONDS_MAX",
    "HEALTH_SECONDS_MAX",
    "HOST_STOP_SECONDS_MAX",
    "INBOUND_MESSAGE_BYTES_DEFAULT",
    "INBOUND_PENDING_HIGH",
    "INBOUND_PENDING_LOW",
    "INBOUND_PENDING_MAX",
    "JSON_BODY_BYTES_MAX",
    "JSON_DEPTH_MAX",
    "JSON_INTEGER_MAX",
    "JSON_NODES_MAX",
    "JWKS_BYTES_MAX",
    "JWKS_REFRESH_SECONDS_MIN",
    "JWKS_SECONDS_MAX",
    "JWKS_STALE_SECONDS_MAX",
    "JWKS_TTL_SECONDS",
    "LOG_FOLLOWERS_MAX",
    "LOG_LINES_MAX",
    "LOG_TEXT_CHARS_MAX",
    "LOOP_LAG_SECONDS",
    "MODEL_ANSWER_CHARS_MAX",
    "MODEL_CONNECT_SECONDS_MAX",
    "MODEL_DRAIN_SECONDS_MAX",
    "MODEL_FIRST_SECONDS_MAX",
    "MODEL_GAP_SECONDS_MAX",
    "MODEL_IMAGE_BYTES_MAX",
    "MODEL_REQUESTS_USER_MAX",
    "MODEL_REQUESTS_WAITING_MAX",
    "MODEL_RETRY_AFTER_SECONDS_MAX",
    "MODEL_RETRY_SECONDS",
    "MODEL_SECONDS_MAX",
    "OBJECTS_CONNECT_SECONDS_MAX",
    "OBJECTS_PAUSE_SECONDS",
    "OBJECTS_RETRIES_MAX",
    "OBJECTS_SECONDS_MAX",
    "OBJECTS_TRY_SECONDS_MAX",
    "OUTBOUND_BYTES_MAX",
    "OWNERSHIP_SECONDS",
    "PAGE_ENTRIES_DEFAULT",
    "PREFLIGHT_SECONDS",
    "REFUSAL_SECONDS",
    "RESUME_SECONDS_MAX",
    "RSA_BITS_MIN",
    "SIGNING_KEYS_MAX",
    "STOP_SECONDS_MAX",
    "STREAM_BEGIN_SECONDS_MAX",
    "STREAM_PING_SECONDS",
    "STREAM_WRITE_SECONDS_MAX",
    "TAILS_MAX",
    "TAIL_ENTRIES_MAX",
    "TAIL_ENTRIES_PER_NOTICE",
    "TAIL_ENTRIES_PER_PAUSE",
    "TAIL_PAUSE_SECONDS",
    "TAIL_ROWS_MAX",
    "TAIL_TEXT_CHARS_MAX",
    "TOKEN_ASCII_CHARS",
    "TOKEN_BYTES_MAX",
    "UPLOAD_BYTES_MAX",
    "UPLOAD_FIELDS_MAX",
    "UPLOAD_FIELD_BYTES_MAX",
    "VISITS_MAX",
    "VISIT_SECONDS",
    "WEBSOCKET_TOKEN_SECONDS_DEFAULT",
    "WEBSOCKET_TOKEN_SECONDS_MAX",
]

INBOUND_MESSAGE_BYTES_DEFAULT = 1_048_576
"""One inbound websocket message (domain 1.9), adjustable by ``message_bytes_max`` up to the
protocol's 32 MiB; a larger one closes the connection with 1009 as soon as its length is read."""

INBOUND_PENDING_HIGH: Final = 2_048
"""Unanswered requests of one connection beyond which its socket is not read any more."""

INBOUND_PENDING_LOW: Final = 1_024
"""Unanswered requests at which reading goes on."""

RESUME_SECONDS_MAX = 1.0
"""Longest time until a socket that is not read is looked at again, should no answer do it."""

INBOUND_PENDING_MAX: Final = 16_384
"""Unanswered requests of one connection; more close it with 1013 ``too many requests`` (wire
spec 8.3). Reached only by bursts within one read, since reading stops long before."""

DEFLATE_BYTES_MIN = 1_024
"""A shorter frame is sent as it is, even to who accepts compressed ones: compressing it takes
longer than sending what it would save (the official host's threshold, wire spec 5.2)."""

OUTBOUND_BYTES_MAX: Final = 16_777_216
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

CANARY_PAUSE_SECONDS = 2.5
"""Between two beats of the canary."""

CANARY_SECONDS_MAX = 5.0
"""Time that a beat of the canary may take; then what has not come counts as broken."""

CANARY_RED_SECONDS_MAX = 10.0
"""Within this time after any part breaks, ``/healthz`` answers 503."""

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

WEBSOCKET_TOKEN_SECONDS_DEFAULT = 60
WEBSOCKET_TOKEN_SECONDS_MAX = 3_600
"""Life of the token that a client puts into the address of a socket (wire spec 1.3)."""

SIGNING_KEYS_MAX = 8
"""Keys of one data folder; a token may have to be tried with each of them."""

CLIENT_ANSWER_BYTES_MAX = 268_435_456
"""One message of a server to the command line; a larger one ends the connection with 1009."""

CLIENT_ANSWER_SECONDS_MAX = 60.0
"""Silence of a server towards the command line; then it counts as not there."""

CLOCK_SKEW_SECONDS_DEFAULT = 60
CLOCK_SKEW_SECONDS_MAX = 600
"""How far issuers' clocks and ours may differ: ``iat`` and ``nbf`` may lie so far in our future,
and an issuer's ``exp`` in our past."""

JWKS_SECONDS_MAX = 5.0
"""An issuer's discovery document and keys, both together; then it counts as silent."""

JWKS_BYTES_MAX = 262_144
"""Size of an issuer's discovery document or keys; more is an error of the issuer."""

JWKS_TTL_SECONDS = 300.0
"""Age at which an issuer's keys are fetched again."""

JWKS_STALE_SECONDS_MAX = 86_400.0
"""Age up to which known keys are good while their issuer is silent."""

JWKS_REFRESH_SECONDS_MIN = 10.0
"""Tokens that name unknown keys make us ask their issuer this often at most."""

RSA_BITS_MIN = 2_048
"""Keys of issuers with fewer bits are left out."""

BUCKETS_SWEEP_MIN = 4_096
"""Token buckets kept before the full ones, which say nothing, are swept out."""

MODEL_CONNECT_SECONDS_MAX = 5.0
"""Connecting to a text model (domain 8.3); then the next provider is asked."""

MODEL_DRAIN_SECONDS_MAX = 1.0
"""How long the end of a whole answer is waited for; a connection without it is not used again."""

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

JSON_BODY_BYTES_MAX = 2 * 1024 * 1024
"""A request's JSON body (domain 1.9), where a route does not say otherwise; a larger one is
answered 413, by its length before it is read."""

UPLOAD_BYTES_MAX = 8 * 1024 * 1024
"""The body of an upload (domain 1.9), where a route does not say otherwise; 413 as well."""

UPLOAD_FIELDS_MAX = 32
"""Fields of an upload beside its file; more are answered 400."""

UPLOAD_FIELD_BYTES_MAX = 65_536
"""One field of an upload beside its file; more is answered 400."""

BODIES_BYTES_MAX = 256 * 1024 * 1024
"""Bodies of requests in memory at the same time; one that does not fit is answered 503."""

BODY_SECONDS_MAX = 60.0
"""Time for a request's body to arrive; then it is answered 408."""

JSON_DEPTH_MAX = 16
"""Most levels of objects and arrays in a JSON body (domain 1.9)."""

JSON_NODES_MAX = 20_000
"""Most values in a JSON body (domain 1.9)."""

JSON_INTEGER_MAX = 2**53
"""Largest integer in a JSON body, either way (domain 1.9)."""

PAGE_ENTRIES_DEFAULT = 20
"""Entries of a page when the query does not say (domain 11.1)."""

STREAM_BEGIN_SECONDS_MAX = 0.5
"""How long an event stream waits for its first event, or for a refusal, before it begins."""

STREAM_PING_SECONDS = 15.0
"""Silence on an event stream after which a comment shows that it is alive (domain 11.4)."""

STREAM_WRITE_SECONDS_MAX = 30.0
"""Time for the reader of an event stream to take what is waiting; then the stream ends. No event
is made meanwhile, so a slow reader costs one event."""

VISITS_MAX = 10_000
"""Callers by HTTP who count as connected; beyond it the one that called least recently leaves."""

VISIT_SECONDS = 60.0
"""How long after a call by HTTP its caller counts as connected."""

PREFLIGHT_SECONDS = 600
"""How long a browser may remember what a preflight of the facade said."""

MODEL_RETRY_AFTER_SECONDS_MAX = 10.0
"""Longest pause that a model's server may ask for; with more, the next provider is asked."""

MODEL_REQUESTS_WAITING_MAX = 256
"""Requests of all users that wait for models; more fail at once with ``dependency.unavailable``."""

MODEL_REQUESTS_USER_MAX = 8
"""Requests of one user that run or wait; more fail likewise."""

MODEL_IMAGE_BYTES_MAX = 8_388_608
"""File of a generated image (domain 8.4); a larger one counts as none."""

TOKEN_ASCII_CHARS = 4
"""Letters that make about one token, where a provider does not count them itself."""

BUDGETS_SAVE_SECONDS = 5.0
"""Between two writes of what users have taken from their budgets; a crash forgets so much."""

OBJECTS_CONNECT_SECONDS_MAX = 5.0
"""Connecting to an object store; then it is tried again."""

OBJECTS_TRY_SECONDS_MAX = 10.0
"""One request to an object store; then it is tried again."""

OBJECTS_RETRIES_MAX = 2
"""Tries after the first one of a request to an object store that failed in passing."""

OBJECTS_PAUSE_SECONDS = 0.2
"""Pause before a request to an object store is tried again; the next one is twice as long."""

OBJECTS_SECONDS_MAX = 30.0
"""A request to an object store, tries and all; then ``dependency.timeout``."""

ADMIN_MESSAGE_BYTES_MAX = 1_048_576
"""One message of an operator; a larger one closes the admin channel with 1009."""

ADMIN_ANSWER_BYTES_MAX = 268_435_456
"""One message of the admin channel to the command line, which asks for no more than it shows."""

ADMIN_BATCH_MAX = 32
"""Requests in one message of an operator; more are refused as an invalid request."""

ADMIN_CALLS_PER_MINUTE = 1_200
"""Commands that an operator gains a minute; beyond them ``limit.rate_exceeded``."""

ADMIN_CALLS_BURST = 100
"""Commands that an operator may run at once."""

ADMIN_CONNECTIONS_MAX = 64
"""Connections of all operators; one more is refused with 503."""

ADMIN_WORKS_MAX = 8
"""What goes on beside the commands of one connection, such as tails; one more is refused."""

ADMIN_COMMAND_SECONDS_MAX = 30.0
"""Time for a command, where it does not say otherwise; then it fails with ``command.timeout``."""

ARCHIVE_SECONDS_MAX = 2.0
"""How long a reader of the audit waits for records that are on their way into an archive; then it
takes those that are there, and verifying says which are missing."""

ADMIN_DRAIN_SECONDS_MAX = 3_600
"""Longest time that a drain may wait for connections to end."""

ADMIN_STOP_SECONDS_MAX = 1.0
"""Time for commands to end when the server stops; then they are cut off."""

ADMIN_LIST_ROWS_MAX = 1_000
"""Rows of one answer; further ones are asked for with a cursor or a narrower filter."""

ADMIN_TABLE_ROWS_MAX = 200
"""Rows of each table that an answer about one actor shows; all of them are counted."""

ADMIN_JOURNAL_ENTRIES_MAX = 200
"""Turns of one answer; older ones are asked for by number."""

ADMIN_REASON_CHARS_MIN = 3
"""Characters of a reason; fewer explain nothing."""

ADMIN_REASON_CHARS_MAX = 500
"""Characters of a reason; more are refused."""

LOG_LINES_MAX = 2_000
"""Logs that are kept for those who read them over HTTP; older ones give way."""

LOG_TEXT_CHARS_MAX = 4_000
"""Characters of one such log's text; longer ones are cut."""

LOG_FOLLOWERS_MAX = 16
"""Readers who follow the logs over HTTP; one more is answered 503."""

LOOP_LAG_SECONDS = 0.25
"""Between two measurements of how late the event loop is."""

TAILS_MAX = 16
"""Tails of all operators; one more is refused."""

TAIL_ENTRIES_MAX = 1_024
"""Entries of one tail that wait for their operator; beyond it the oldest are dropped, and the next
notice says how many."""

TAIL_PAUSE_SECONDS = 0.1
"""Between two notices of a tail, so that a busy server spends its time on calls."""

TAIL_ENTRIES_PER_NOTICE = 32
"""Entries of one notice: with the pause, what one operator can be told in a second."""

TAIL_ENTRIES_PER_PAUSE = 64
"""Entries that a full tail takes in within one pause, for which its oldest give way; what comes
beyond that is only counted, so that following everything on a busy server costs little."""

TAIL_ROWS_MAX = 20
"""Rows that a tail shows of one table of one commit; it says how many there were."""

TAIL_TEXT_CHARS_MAX = 500
"""Characters of one text that a tail shows, and items of one list."""

DOCTOR_ANSWER_SECONDS_MAX = 5.0
"""Time for a running server to answer the doctor; then it counts as not answering."""

DOCTOR_CHECK_BYTES_MAX = 268_435_456
"""A SQLite file that the doctor reads whole to find damage; a larger one is only looked into."""

DOCTOR_CLOCK_SECONDS_MAX = 1.0
"""How far clocks may be apart; beyond it the doctor warns."""

DOCTOR_STEP_SECONDS_MAX = 0.05
"""How far the wall clock may move against the monotonic one; beyond it the doctor warns."""

DOCTOR_DISK_BYTES_MIN = 104_857_600
DOCTOR_DISK_BYTES_LOW = 1_073_741_824
"""Free space; with less the doctor finds an error, a warning."""

DOCTOR_FILES_MIN = 256
DOCTOR_FILES_LOW = 8_192
"""Files that may be open; with less the doctor finds an error, a warning."""

DOCTOR_SYNC_SECONDS_MAX = 0.1
"""Time for a small write to become durable; beyond it the doctor warns."""

assert CANARY_PAUSE_SECONDS + CANARY_SECONDS_MAX < CANARY_RED_SECONDS_MAX
assert TAIL_ENTRIES_PER_NOTICE < TAIL_ENTRIES_PER_PAUSE < TAIL_ENTRIES_MAX
assert OBJECTS_CONNECT_SECONDS_MAX < OBJECTS_TRY_SECONDS_MAX < OBJECTS_SECONDS_MAX
assert INBOUND_PENDING_LOW < INBOUND_PENDING_HIGH < INBOUND_PENDING_MAX
assert INBOUND_MESSAGE_BYTES_DEFAULT <= MESSAGE_BYTES_MAX
assert MODEL_CONNECT_SECONDS_MAX <= MODEL_FIRST_SECONDS_MAX < MODEL_SECONDS_MAX
assert HOST_STOP_SECONDS_MAX + ADMIN_STOP_SECONDS_MAX + CLOSE_SECONDS_MAX < STOP_SECONDS_MAX
assert JWKS_REFRESH_SECONDS_MIN < JWKS_TTL_SECONDS < JWKS_STALE_SECONDS_MAX
assert CLAIMS_JSON_BYTES_MAX * 4 // 3 < TOKEN_BYTES_MAX < HEADER_BYTES_MAX
assert JSON_BODY_BYTES_MAX < UPLOAD_BYTES_MAX < BODIES_BYTES_MAX
assert UPLOAD_FIELDS_MAX * UPLOAD_FIELD_BYTES_MAX < UPLOAD_BYTES_MAX
assert STREAM_PING_SECONDS < STREAM_WRITE_SECONDS_MAX < VISIT_SECONDS
