"""Domain 12.9: after a crash at any record of any flow, the end is the one without the crash.

What is sent leaves when its round is durable, so the places before a send are among the records.
"""

from __future__ import annotations

import json
import logging
from typing import NamedTuple

import pytest
from crash_agent_flows import AGENT_COURSES
from crash_asset_flows import ASSET_COURSES
from crash_bench import Flow, MortalBench, Tables
from crash_other_flows import OTHER_COURSES, narration
from crash_story_flows import STORY_COURSES, Course, Step
from crash_world_flows import WORLD_COURSES
from user_bench import MODULE
from vale_bench import claims, running_vale

from actors.domains.ai.stages import AiTaskStage
from actors.domains.custom_world import fixture_worlds
from actors.domains.fixtures import vale_document
from actors.module.text_model import TextModel

COURSES = {
    **STORY_COURSES,
    **OTHER_COURSES,
    **WORLD_COURSES,
    **ASSET_COURSES,
    **AGENT_COURSES,
}

CALLED = [
    step
    for step, course in COURSES.items()
    if not (course.waits or course.is_parting or course.is_replay)
]
"""Flows that somebody waits for; the others come with time, or of themselves."""

NEVER_SENT = {
    "agent.sync_rejected": "only a library of 200 worlds is full; see test_agent_publishing",
    "story.battle_loadout_timer": "users' actors answer at once; see test_battle_course",
}
"""Messages that no flow can bring about, and why."""


class Whole(NamedTuple):
    """A flow without a crash.

    Attributes:
        known_ids: generated ids that were there before it.
        records: how many it takes.
        ends: what it may come to.
        calls: the functions, messages and timers that have had effects.
    """

    flow: Flow
    known_ids: set[str]
    records: int
    ends: list[Tables]
    calls: set[str]


_WHOLE: dict[Step, Whole] = {}


async def _flow_of(step: Step, course: Course) -> Flow:
    model = course.told or course.model
    with pytest.MonkeyPatch.context() as patch:
        if course.world is not None:
            document = json.loads(vale_document())
            course.world(document)
            text = json.dumps(document)
            patch.setattr(fixture_worlds, "vale_document", lambda: text)
        async with running_vale(providers=None if model is None else {TextModel: model()}) as vale:
            await step(vale)
            calls, now = tuple(vale.calls), vale.clock()
    people = [claims(number) for number in range(1, course.people + 1)]
    people += [who for who in dict.fromkeys(who for who, _, _ in calls) if who not in people]
    return Flow(
        image=vale.image,
        now=now,
        people=people,
        calls=calls,
        by_chance=course.by_chance,
        model=course.model,
        waits=course.waits,
        is_parting=course.is_parting,
        is_replay=course.is_replay,
        is_parked=course.is_parked,
    )


async def _whole(step: Step) -> Whole:
    """A flow run without a crash, once for all tests."""
    if step not in _WHOLE:
        course = COURSES[step]
        flow = await _flow_of(step, course)
        bench = await MortalBench(flow).start()
        known_ids = bench.known_ids()
        await bench.stop()
        bench = MortalBench(flow)
        records = await bench.finish()
        ends, calls = [bench.tables(known_ids)], bench.store.calls
        await bench.stop()
        if course.is_race:
            bench = MortalBench(flow)
            await bench.finish(in_turn=True)
            ends.append(bench.tables(known_ids))
            await bench.stop()
        _WHOLE[step] = Whole(flow, known_ids, records, ends, calls)
    return _WHOLE[step]


@pytest.mark.parametrize("step", COURSES, ids=lambda step: step.__name__.strip("_"))
async def test_the_end_is_the_same_after_a_crash_at_any_record(
    step: Step, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL, "actors")
    flow, known_ids, records, ends, _ = await _whole(step)
    assert records > 0
    for written in range(records + 1):
        bench = MortalBench(flow)
        assert await bench.die_after(written) == 0
        await bench.die_after(written % 3)  # and again, while what is left is made up for
        await bench.finish()
        assert bench.tables(known_ids) in ends, f"crash after {written} of {records} records"
        await bench.stop()


@pytest.mark.parametrize("step", CALLED, ids=lambda step: step.__name__.strip("_"))
async def test_an_answer_that_was_lost_is_given_again(step: Step) -> None:
    """The store had acknowledged everything, and the process died before anybody was told."""
    flow, known_ids, _, ends, _ = await _whole(step)
    assert flow.calls
    bench = MortalBench(flow)
    await bench.finish()
    answers = await bench.ask_again()
    await bench.crash()
    await bench.start()
    assert await bench.ask_again() == answers
    bench.ask()
    await bench.settle()
    assert bench.tables(known_ids) in ends
    await bench.stop()


async def test_every_message_of_the_game_has_a_flow() -> None:
    taken: set[str] = set()
    for step in COURSES:
        taken |= (await _whole(step)).calls
    assert MODULE.messages.keys() & taken == MODULE.messages.keys() - NEVER_SENT.keys()


async def test_a_narration_that_a_crash_cut_off_is_told_by_the_next_attempt() -> None:
    flow, known_ids, records, ends, _ = await _whole(narration)
    attempts = []
    for written in range(records):
        bench = MortalBench(flow)
        await bench.die_after(written)
        await bench.finish()
        assert bench.tables(known_ids) in ends
        stages = [
            row
            for key in bench.disk.actors
            if key[:6] == "story/"
            for row in bench.rows(key, AiTaskStage)
        ]
        attempts.append(max(row.attempt for row in stages))
        await bench.stop()
    assert set(attempts) == {1, 2}
