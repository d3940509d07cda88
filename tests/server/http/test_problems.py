from __future__ import annotations

import json

import pytest

from actors import ReducerError
from server.http.problems import problem_response, status_of


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("auth.unauthenticated", 401),
        ("auth.token_expired", 401),
        ("input.unknown_endpoint", 404),
        ("input.unknown_function", 404),
        ("world.not_found", 404),
        ("ai.task_not_found", 404),
        ("input.payload_too_large", 413),
        ("asset.too_large", 413),
        ("asset.unsupported_media", 415),
        ("limit.rate_exceeded", 429),
        ("limit.quota_exceeded", 429),
        ("state.actor_unavailable", 503),
        ("dependency.unavailable", 503),
        ("dependency.timeout", 504),
        ("internal.error", 500),
        ("auth.forbidden", 403),
        ("gallery.own_work_forbidden", 403),
        ("asset.not_owner", 403),
        ("story.not_participant", 403),
        ("world.gate_blocked", 422),
        ("agent.requirements_not_met", 422),
        ("ai.invalid_state", 409),
        ("ai.task_final_state", 409),
        ("agent.stale_lease_conflict", 409),
        ("idempotency.conflict", 409),
        ("combat.stale_version", 409),
        ("quest.already_accepted", 409),
        ("input.missing_field", 400),
        ("asset.invalid_hash", 400),
        ("ai.chunk_out_of_range", 400),
        ("agent.text_too_long", 400),
        ("world.document_malformed", 400),
        ("agent.action_unknown", 400),
        ("archive.quota_exceeded", 409),
        ("quest.too_far", 409),
        ("input.method_not_allowed", 405),
        ("input.too_slow", 408),
    ],
)
def test_a_code_has_its_status(code, status):
    assert status_of(code) == status


def test_the_body_says_everything_that_a_program_needs():
    error = ReducerError("quest.too_far", "too far away", scene_key="cave", most_steps=3)
    response = problem_response(error, "req_1")
    assert response.status_code == 409
    assert json.loads(bytes(response.body)) == {
        "error": {
            "code": "quest.too_far",
            "message": "too far away",
            "details": {"sceneKey": "cave", "mostSteps": 3},
            "requestId": "req_1",
        }
    }


def test_a_module_that_says_sentences_keeps_them():
    body = json.loads(bytes(problem_response(ReducerError("Say something!"), "r").body))
    assert body["error"]["code"] == "call.refused"
    assert body["error"]["message"] == "Say something!"


@pytest.mark.parametrize(
    ("error", "seconds"),
    [
        (ReducerError("limit.rate_exceeded", "slow", retry_after_seconds=5), "5"),
        (ReducerError("limit.quota_exceeded", "full"), "1"),
        (ReducerError("state.actor_unavailable", "later"), "1"),
        (ReducerError("quest.too_far", "far", retry_after_seconds=5), None),
    ],
)
def test_when_to_try_again(error, seconds):
    assert problem_response(error, "r").headers.get("retry-after") == seconds


def test_who_is_unknown_learns_what_is_wanted():
    response = problem_response(ReducerError("auth.unauthenticated", "who?"), "r")
    assert response.headers["www-authenticate"] == "Bearer"
