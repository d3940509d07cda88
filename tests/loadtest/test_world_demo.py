from __future__ import annotations

import io

import pytest
from rich.console import Console

from loadtest.errors import CheckError
from loadtest.model_script import ModelScript
from loadtest.server_process import running_server
from loadtest.world_demo import make_world, show_worlds
from loadtest.world_screen import WorldScreen


async def test_worlds_are_made_published_and_played() -> None:
    page = io.StringIO()
    await show_worlds(Console(file=page, width=120))
    with_model, _, without = page.getvalue().partition("Without a model")
    for expected in (
        "A drowned kingdom whose keepers trade in captured moonlight: I can see",
        "45 pieces, by llm",
        "player fantasy: A ferryman who smuggles lost names past the tide.",
        "Ilve Marrow, Tamsin Vell",
        "95% Making sure that it can be played",
        "Saltlight: quality 640 of 1000, ready to publish",
        "played 0 times",
        "Salt Market",
    ):
        assert expected in with_model, expected
    for expected in ("Noted: world premise, tone", "by fallback", "quality 600 of 1000"):
        assert expected in without, expected
    for half in (with_model, without):
        assert "BLK_PREMISE the premise has fewer than 40 characters" in half
        assert "agent.action_disabled_state" in half
        assert "Old Man Brine now, revision 2" in half
        assert "begin story session" in half
    assert "Both worlds went as they should." in without


async def test_a_server_without_its_model_is_found_out(tmp_path) -> None:
    console = Console(file=io.StringIO())
    arguments = ("--store", "memory:", "--log-level", "error")
    async with running_server(*arguments, data_dir=tmp_path / "data") as server:
        with pytest.raises(CheckError, match="expected Llm, the server shows Fallback"):
            await make_world(server.address, console, WorldScreen(console), has_model=True)


def test_a_script_ends_with_its_answers() -> None:
    script = ModelScript()
    narrator = {"messages": [{"content": "You are the narrator of a role-playing story."}]}
    told = []
    while (answer := script.tell(narrator)) is not None:
        told.append("".join(answer.pieces))
    assert len(told) == 4
    assert all(text.startswith('{"narration": "') for text in told)
    assert script.tell({"messages": [{"content": "You are a pirate."}]}) is None
