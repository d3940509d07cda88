from __future__ import annotations

from example_bench import caller, running_example

from examples.chat import Message, User
from persistence.memory import MemoryDisk


def people(chat) -> set[tuple[int, str | None, bool]]:
    numbers = {caller(number).identity: number for number in range(1, 4)}
    return {(numbers[row.identity], row.name, row.online) for row in chat.rows(User)}


async def test_users_come_say_their_name_and_go():
    disk = MemoryDisk()
    async with running_example("examples.chat", disk) as chat:
        await chat.connect(1)
        await chat.connect(2)
        assert people(chat) == {(1, None, True), (2, None, True)}
        assert await chat.call(1, "set_name", "Ann") is None
        assert await chat.call(2, "set_name", "") == "Names must not be empty"
        await chat.disconnect(1)
        assert people(chat) == {(1, "Ann", False), (2, None, True)}
    async with running_example("examples.chat", disk) as chat:
        # Whoever was there when the host ended has left.
        await chat.connect(1)
        assert people(chat) == {(1, "Ann", True), (2, None, False)}


async def test_messages_are_kept_as_they_were_said():
    disk = MemoryDisk()
    async with running_example("examples.chat", disk) as chat:
        await chat.connect(1)
        for text in ("one", "two", "two"):
            assert await chat.call(1, "send_message", text) is None
        assert await chat.call(1, "send_message", "") == "Messages must not be empty"
        said = sorted(chat.rows(Message), key=lambda row: row.sent)
        assert [row.text for row in said] == ["one", "two", "two"]
        assert {row.sender for row in said} == {caller(1).identity}
    async with running_example("examples.chat", disk) as chat:
        assert sorted(chat.rows(Message), key=lambda row: row.sent) == said
