"""World demonstration: an author makes a world with the creation agent, and somebody plays it.

It runs twice, each time on a server of its own: with a model, which is a script on this machine,
and without any, where the rules of the game write everything.
"""

from __future__ import annotations

import json
import tempfile
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from rich.console import Console

from loadtest.author import TABLES, Author
from loadtest.connection import Address
from loadtest.errors import CheckError, RefusedError, expect
from loadtest.limits import DEMO_STEPS
from loadtest.model_script import ModelScript
from loadtest.model_server import running_model
from loadtest.player import Deltas, Player
from loadtest.playthrough import Playthrough
from loadtest.policy import Step
from loadtest.schema_reader import fetch_schema
from loadtest.screen import Screen
from loadtest.seat import Seat
from loadtest.server_process import running_server
from loadtest.tally import Tally
from loadtest.world_screen import WorldScreen
from protocol.schema import ModuleSchema

__all__ = ["make_world", "show_worlds"]

_WORDS = (
    (
        "A drowned kingdom where lighthouse keepers trade in captured moonlight."
        " The tone is grim but warm."
    ),
    (
        "I want to be a ferryman who smuggles lost names."
        " The war against the tide threatens every harbour."
    ),
)
_NAME = "Old Man Brine"


class _ShownSeat(Seat):
    """A player whose calls and rows are printed, while a referee looks on."""

    _view: Screen

    def show_on(self, view: Screen) -> None:
        """Print from now on."""

        def watch(deltas: Deltas) -> None:
            self.referee.observe(deltas)
            view.show(deltas)

        self._view = view
        self.player.watch(watch)

    async def do(self, step: Step) -> bool:
        """Say what is done, and do it."""
        labels = {row.choice_id: row.label for row in self.rows("story_choice")}
        chosen = labels.get(step.fields.get("choice_id"))
        named = (step.name, step.fields.get("skill_id"), step.fields.get("npc_key"))
        words = ": ".join(str(name).replace("_", " ") for name in named if name)
        self._view.step(chosen or words)
        return await super().do(step)


async def show_worlds(console: Console) -> None:
    """Make and play a world twice: with a model, and without.

    Raises:
        LoadTestError: something was not as it should be.
    """
    for title, has_model in (("With a model", True), ("Without a model", False)):
        screen = WorldScreen(console)
        screen.title(title)
        with tempfile.TemporaryDirectory(prefix="genarrative-world-") as folder:
            await _show(Path(folder), console, screen, has_model=has_model)
    console.print("\n[bold green]Both worlds went as they should.[/bold green]")


async def _show(folder: Path, console: Console, screen: WorldScreen, *, has_model: bool) -> None:
    arguments = ["--log-level", "error"]
    async with AsyncExitStack() as stack:
        if has_model:
            url = await stack.enter_async_context(running_model(ModelScript().tell))
            config = folder / "genarrative.toml"
            config.write_text(f'text_models = ["{url}#script"]\n')
            arguments += ["--config", str(config)]
        server = await stack.enter_async_context(
            running_server(*arguments, data_dir=folder / "data")
        )
        await make_world(server.address, console, screen, has_model=has_model)


async def make_world(
    address: Address, console: Console, screen: WorldScreen, *, has_model: bool
) -> None:
    """Make a world on a running server, and have it played by somebody else.

    Args:
        address: of its database.
        console: the player's screen.
        screen: the author's.
        has_model: whether a model answers the author.

    Raises:
        CheckError: the server shows something else than it should.
        RefusedError: a call was refused that should not be.
    """
    schema = await fetch_schema(address)
    author = await Author.begin(address, schema, *TABLES)
    author.player.watch(screen.show)
    try:
        await _talk(author, screen, "Llm" if has_model else "Fallback")
        await _draft(author, screen)
        await _edit(author, screen)
        profile_id = await _publish(author, screen)
        expect("faults of the subscription", author.player.faults(), [])
    finally:
        await author.leave()
    await _play(address, schema, profile_id, console, screen)


async def _talk(author: Author, screen: WorldScreen, source: str) -> None:
    for words in _WORDS:
        screen.step(words)
        message = await author.answered(await author.say(words))
        screen.reply_ended(message)
        expect("who has written the reply", message.text_source.name, source)
    screen.anchors(author.session())
    expect("the stage", author.session().stage.name, "FoundationReady")


async def _draft(author: Author, screen: WorldScreen) -> None:
    screen.step("draft the foundation")
    await author.act("draft_foundation", replace=False)
    screen.cards(author.player.rows("custom_world_draft_card"))
    screen.findings(_findings(author))
    expect("blockers", author.session().blocker_count, 0)


async def _edit(author: Author, screen: WorldScreen) -> None:
    """Rename somebody; break the world and mend it."""
    npc = author.cards("Npc")[0]
    screen.step(f"call {npc.title} something else")
    await author.act("update_draft_card", cardId=npc.card_id, patch={"name": _NAME})
    card = author.cards("Npc")[0]
    screen.say(f"  {npc.title} is [bold]{card.title}[/bold] now, revision {card.revision}")
    expect("the card's title", card.title, _NAME)

    world = author.cards("World")[0]
    screen.step("shorten the premise to a word")
    await author.act("update_draft_card", cardId=world.card_id, patch={"premise": "Sea."})
    screen.findings(row for row in _findings(author) if row.severity.name == "Blocker")
    expect("blockers", [row.code for row in _findings(author, "Blocker")], ["BLK_PREMISE"])
    screen.step("publish it all the same")
    try:
        await author.act("publish_world")
    except RefusedError as refusal:
        screen.say(f"  [red]{refusal.code}[/red]")
        expect("the refusal", refusal.code, "agent.action_disabled_state")
    else:
        raise CheckError("a world with a blocker was published")
    screen.step("take the premise back")
    premise = json.loads(world.payload_json)["premise"]
    await author.act("update_draft_card", cardId=world.card_id, patch={"premise": premise})
    screen.preview(_preview(author))
    expect("blockers", author.session().blocker_count, 0)


async def _publish(author: Author, screen: WorldScreen) -> str:
    screen.step("publish")
    await author.act("publish_world")
    session = author.session()
    expect("the stage", session.stage.name, "Published")
    screen.say(f"  published as [bold]{session.result_profile_id}[/bold]")
    return str(session.result_profile_id)


async def _play(
    address: Address, schema: ModuleSchema, profile_id: str, console: Console, screen: WorldScreen
) -> None:
    """Somebody else finds the world, enters it and plays some turns."""
    seat = await _ShownSeat.take(address, schema, Tally())
    try:
        screen.title("Somebody else")
        screen.step("look into the gallery")
        entry = await _found(seat.player, profile_id)
        screen.entry(entry)
        view = Screen(console, seat.player.rows, seat.player.user_id)
        seat.show_on(view)
        detail = await seat.player.ask(
            "get_custom_world_gallery_detail",
            owner_user_id=entry.owner_user_id,
            profile_id=profile_id,
        )
        role = json.loads(detail.world_json)["roles"][0]
        screen.step(f"enter it as {role['name']}, {role['title']}")
        story = Playthrough(seat, 1, profile_id=profile_id, role=role["key"])
        await story.begin()
        for _ in range(DEMO_STEPS):
            await story.take_turn()
        expect("broken rules", seat.referee.violations, [])
        plays = (await _found(seat.player, profile_id)).play_count
        expect("plays of the world", plays, 1)
    finally:
        await seat.leave()


async def _found(player: Player, profile_id: str) -> Any:
    page = await player.ask("list_custom_world_gallery", sort="Newest", limit=10)
    entry = next((row for row in page.items if row.profile_id == profile_id), None)
    if entry is None:
        raise CheckError("the gallery has no such world")
    return entry


def _findings(author: Author, severity: str = "") -> list[Any]:
    rows = author.player.rows("custom_world_agent_finding")
    found = [row for row in rows if not severity or row.severity.name == severity]
    return sorted(found, key=lambda row: row.finding_id)


def _preview(author: Author) -> Any:
    (preview,) = author.player.rows("custom_world_result_preview")
    return preview
