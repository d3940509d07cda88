"""Playthrough: one player's way through a story, as its host or as a guest, rules watched."""

from __future__ import annotations

from typing import Any, NamedTuple

from loadtest.errors import CheckError, expect
from loadtest.limits import STEPS_MAX, STORY_SECONDS_MAX
from loadtest.policy import Policy, Step
from loadtest.referee import UNTOLD
from loadtest.seat import Seat
from loadtest.story import PROFILE
from loadtest.whims import Whims

__all__ = ["Invitation", "Playthrough"]

_ROLE = "wanderer"


class Invitation(NamedTuple):
    """What a guest must be told to come into a story."""

    story_session_id: str
    code: str


class Playthrough:
    """Plays one story of a world from a seat: begin, or join, then play.

    Args:
        seat: a player who has not played yet.
        chapters: leave the story after so many; a host of a shorter story finishes it.
        whims: how often, in a thousand steps, the player does something needless instead.
        profile_id: of the world; the fixture world by default.
        role: whom the host plays.
        fights: seek nothing but fights, and leave after so many; 0 plays the story.
    """

    def __init__(
        self,
        seat: Seat,
        chapters: int,
        whims: int = 0,
        *,
        profile_id: str = PROFILE,
        role: str = _ROLE,
        fights: int = 0,
    ) -> None:
        user_id = seat.player.user_id
        self.seat = seat
        self._policy = Policy(user_id, seat.rows, chapters, fights)
        self._whims = Whims(user_id, seat.rows, whims, user_id)
        self._story_id = ""
        self._entry = {"profile_id": profile_id, "role_key": role}

    async def begin(self) -> None:
        """Begin the story as its host; returns when it can be played.

        Raises:
            RefusedError: the server does not let it begin.
            CheckError: a rule is broken.
        """
        await self.seat.do(Step("begin_story_session", self._entry))
        await self.seat.until(self._is_at_rest)
        self._story_id = self._session().story_session_id

    async def invite(self) -> Invitation:
        """Open the host's story for guests."""
        await self.seat.do(Step("create_story_invite", {"story_session_id": self._story_id}))
        return Invitation(self._story_id, self._session().invite_code)

    async def join(self, invitation: Invitation) -> None:
        """Come into a story as a guest; returns when it can be played."""
        fields = {"invite_code": invitation.code, "role": "Player", "role_key": _ROLE}
        self._story_id = invitation.story_session_id
        await self.seat.do(
            Step("join_story_session", {"story_session_id": self._story_id, **fields})
        )
        await self.seat.until(self._is_at_rest)

    async def lead(self) -> None:
        """Play to the end as the host.

        Raises:
            CheckError: a rule is broken, or the story does not end.
            RefusedError: a call was refused that the rows allow.
        """
        for _ in range(STEPS_MAX):
            if not await self.take_turn():
                return
        raise CheckError(f"the story does not end within {STEPS_MAX} calls")

    async def take_turn(self) -> bool:
        """Do the next thing as the host, as soon as one can; False when the story is over.

        Raises what :meth:`lead` raises.
        """
        await self.seat.until(
            lambda: self._is_over() or self._own_turn() is not None or self._is_at_rest(),
            STORY_SECONDS_MAX,
        )
        self.seat.referee.judge()
        if self._is_over():
            return False
        battle = self._own_turn()
        if battle is None:
            await self._do(self._whims.step() or self._policy.step())
        else:
            await self._do(self._whims.action(battle) or self._policy.action(battle))
        return True

    async def follow(self) -> None:
        """Play to the end as a guest: fight in the own turns, wear what was found.

        Raises what :meth:`lead` raises.
        """
        for _ in range(STEPS_MAX):
            await self.seat.until(
                lambda: (
                    self._is_over() or self._own_turn() is not None or self._upkeep() is not None
                ),
                STORY_SECONDS_MAX,
            )
            self.seat.referee.judge()
            if self._is_over():
                return
            battle = self._own_turn()
            if battle is not None:
                await self._do(self._whims.action(battle) or self._policy.action(battle))
            elif (step := self._upkeep()) is not None:
                await self._do(step)
        raise CheckError(f"the story does not end within {STEPS_MAX} calls")

    def check_end(self) -> None:
        """Check what is left when the story is over (domain 5.2).

        Raises:
            CheckError: something is wrong.
        """
        seat = self.seat
        seat.referee.judge()
        if faults := seat.player.faults():
            raise CheckError(f"the subscription does not balance: {faults[0]}")
        session = seat.referee.last_seen["story_session"][self._story_id]
        expect("story rows after the end", seat.rows("story_session"), [])
        status = session.status.name
        if status not in {"Completed", "Abandoned"}:
            raise CheckError(f"the story was archived while it was {status}")
        is_completed = status == "Completed"
        (world,) = seat.rows("profile_played_world")
        expect("completions of the world", world.completed_count, int(is_completed))
        left = [row.level_at_exit is not None for row in seat.rows("my_chapter_progression")]
        entered = session.chapter_index
        expect("chapters left", left.count(True), entered if is_completed else entered - 1)
        expect("chapters entered", len(left), entered)

    async def _do(self, step: Step) -> None:
        exchanges = len(self.seat.rows("npc_exchange_record"))
        was_done = await self.seat.do(step)
        if was_done and step.name == "use_inventory_item":
            # The user's actor has only asked the story; the record is the story's answer.
            await self.seat.until(
                lambda: len(self.seat.rows("npc_exchange_record")) > exchanges or self._is_over()
            )

    def _session(self) -> Any:
        return next(iter(self.seat.rows("story_session")), None)

    def _is_over(self) -> bool:
        """Whether the directory has archived the story, and its rows are gone."""
        return self._session() is None and any(
            row.session_key == self._story_id and row.state.name == "Archived"
            for row in self.seat.rows("session_directory_entry")
        )

    def _own_turn(self) -> Any:
        """The battle that waits for this player, if one does."""
        for battle in self.seat.rows("battle_state"):
            if battle.status.name == "Active":
                for row in self.seat.rows("battle_combatant"):
                    is_own = row.user_id == self.seat.player.user_id
                    in_battle = row.battle_state_id == battle.battle_state_id
                    if is_own and in_battle and row.seq == battle.active_seq:
                        return battle
        return None

    def _is_at_rest(self) -> bool:
        """Whether the story waits for its host, and nothing is under way for this player."""
        session = self._session()
        if session is None or session.status.name not in {"Active", "ChapterBreak"}:
            return False
        rows = self.seat.rows
        return (
            self.seat.referee.is_quiet()
            and all(row.text_status.name not in UNTOLD for row in rows("story_event"))
            and any(
                row.chapter_index == session.chapter_index for row in rows("my_chapter_progression")
            )
            and any(row.source.name == "StoryMilestone" for row in rows("reward_settlement"))
            and all(row.status.name != "TurnInPending" for row in rows("quest_record"))
        )

    def _upkeep(self) -> Step | None:
        is_idle = self._session() is not None and self.seat.referee.is_quiet()
        return self._policy.upkeep() if is_idle else None
