"""Domain 1.6 by its bytes: nobody is sent a row of others, whatever is asked in whatever protocol.

Every row carries a word that is drawn at random. Whoever may read the row has to hear the word,
which shows that listening works, and nobody else may, in all that comes to them over their socket
and over HTTP: rows, counts, error texts and headers.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from eavesdropper import Eavesdropper, eavesdropping
from served import DATABASE, Served, serving

from actors.module.module import Module
from protocol.upgrade import Subprotocol

MODULE = Module.load("vault_module")
TABLES = ("diary", "key", "seat", "letter", "whisper", "stamp", "safe")
VIEWS = ("my_share", "open_letters")
SYSTEM = (
    *(
        "st_table",
        "st_client",
        "st_column",
        "st_row_level_security",
        "st_var",
        "information_schema",
    ),
    *("request_receipt", "outbox_message", "inbox_cursor", "actor_timer", "dead_letter"),
    *("*", "sqlite_master", "letter; SELECT * FROM safe", "letter -- "),
)
PROTOCOLS = tuple(Subprotocol)
ROOM_ID = "r_1"


def word() -> str:
    """A word that nobody can guess."""
    return f"secret-{secrets.token_hex(8)}"


@pytest.fixture(scope="module")
def vault(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder: Path = tmp_path_factory.mktemp("vault")
    with serving("vault_module", folder / "data", "--no-rate-limits") as server:
        yield server
        server.stop()


def queries(victim: Eavesdropper) -> list[str]:
    """Everything that one can ask for by name, and what an id that was guessed adds to it."""
    ids = (victim.user_id, str(victim.identity))
    whole = [f"SELECT * FROM {name}" for name in (*TABLES, *VIEWS, *SYSTEM)]
    guessed = [
        *(f"SELECT * FROM letter WHERE reader = '{name}'" for name in ids),
        *(f"SELECT * FROM letter WHERE reader != '{name}'" for name in ids),
        *(f"SELECT * FROM safe WHERE owner = '{name}'" for name in ids),
        *(f"SELECT * FROM my_share WHERE owner = '{name}'" for name in ids),
        *(f"SELECT * FROM whisper WHERE reader = '{name}'" for name in ids),
        f"SELECT * FROM key WHERE room_id = '{ROOM_ID}'",
        "SELECT * FROM letter WHERE text >= 'secret' OR id >= 0",
        "SELECT * FROM seat WHERE id = 1 OR text > ''",
        "SELECT * FROM letter ORDER BY text DESC LIMIT 5",
        "SELECT * FROM safe ORDER BY id LIMIT 5",
    ]
    joins = [
        "SELECT stamp.* FROM stamp JOIN letter ON stamp.letter_id = letter.id",
        "SELECT letter.* FROM stamp JOIN letter ON stamp.letter_id = letter.id",
        "SELECT letter.* FROM letter JOIN stamp ON letter.id = stamp.letter_id",
        "SELECT a.* FROM letter a JOIN letter b ON a.id = b.id",
        "SELECT stamp.* FROM stamp JOIN safe ON stamp.letter_id = safe.id",
        "SELECT safe.* FROM safe JOIN stamp ON stamp.letter_id = safe.id",
        "SELECT seat.* FROM seat JOIN stamp ON seat.id = stamp.id",
        "SELECT diary.* FROM diary JOIN stamp ON diary.page = stamp.id",
    ]
    return whole + guessed + joins


STATEMENTS = (
    "SELECT text FROM letter",
    "SELECT text AS colour FROM safe",
    "SELECT letter.text, stamp.colour FROM letter JOIN stamp ON letter.id = stamp.letter_id",
    "SELECT a.text FROM letter a CROSS JOIN stamp b CROSS JOIN stamp c",
    "UPDATE letter SET reader = ''",
    "DELETE FROM letter",
    "INSERT INTO letter (id, reader, text) VALUES (1, '', 'x')",
    "SHOW letter",
)
"""What only HTTP may understand."""


async def ask_for_everything(spy: Eavesdropper, victim: Eavesdropper) -> None:
    """Leave subscriptions to all that can be named, and read all of it once."""
    for query in queries(victim):
        await spy.try_subscribe(query)
        await spy.try_query(query)
        await spy.sql(query)
    await spy.try_subscribe(*queries(victim))
    for statement in STATEMENTS:
        await spy.sql(statement)
    for name in ("take", "stumble"):
        await spy.try_call(name, spy.spell(name, 1))
    for page in range(3):
        await spy.try_procedure("pages", page.to_bytes(8, "little"))
    await spy.try_procedure("pages", spy.spell("pages"))
    for path in ("", "/schema?version=9", "/schema?version=10", "/logs?num_lines=999", "/names"):
        await spy.request("GET", f"/v1/database/{DATABASE}{path}")
    await spy.request("GET", f"/v1/identity/{victim.identity}/databases")
    await spy.request("GET", f"/v1/identity/{victim.identity}/verify")
    for function in ("take", "stumble", "pages", "write_diary"):
        body = {"json": [1, "x"] if function == "write_diary" else [1]}
        await spy.request("POST", f"/v1/database/{DATABASE}/call/{function}", **body)


async def settle(spy: Eavesdropper) -> None:
    """Be told what there is to tell: an answer of an actor comes after the deltas before it."""
    await spy.call("burn_letter", 999)
    await spy.call("turn_key", "r_nowhere", False)
    await spy.call("sit", MODULE.reducers["sit"].input(ROOM_ID, 99, "nobody"))


def heard_by(spies: dict[str, Eavesdropper], text: str) -> set[str]:
    return {name for name, spy in spies.items() if spy.has_heard(text)}


@pytest.mark.parametrize("protocol", PROTOCOLS, ids=lambda protocol: protocol.value)
async def test_nobody_hears_a_word_that_is_not_theirs(vault: Served, protocol: Subprotocol) -> None:
    async with AsyncExitStack() as stack:

        async def newcomer(spoken: Subprotocol) -> Eavesdropper:
            return await stack.enter_async_context(eavesdropping(MODULE, vault, spoken))

        ann, eve = await newcomer(Subprotocol.V2_BSATN), await newcomer(protocol)
        people = {"ann": ann, "eve": eve}
        told: dict[str, set[str]] = {}

        def secret(*readers: str) -> str:
            text = word()
            told[text] = set(readers)
            return text

        sit = MODULE.reducers["sit"].input
        await ask_for_everything(ann, eve)
        await ann.call("write_diary", 1, secret("ann"))
        await ann.call("send_letter", 1, ann.user_id, secret("ann"))
        await ann.call("lock_away", 1, secret("ann"))
        await ann.call("sit", sit(ROOM_ID, 1, ""))
        await ask_for_everything(eve, ann)
        assert await eve.sql("SELECT COUNT(*) AS n FROM letter WHERE id = 1") == [[0]]
        assert await ann.sql("SELECT COUNT(*) AS n FROM letter WHERE id = 1") == [[1]]
        joined = "SELECT COUNT(*) AS n FROM stamp JOIN letter ON stamp.letter_id = letter.id"
        assert await eve.sql(joined) == [[0]]

        # Rows that enter and leave a filter: the text changes in the same transaction.
        for reader, name in ((eve, "eve"), (ann, "ann"), (eve, "eve"), (ann, "ann")):
            await ann.call("send_letter", 1, reader.user_id, secret(name))
            await ann.call("send_letter", 2, ann.user_id, secret("ann"))
            can_hear = name == "ann" or not protocol.value.startswith("v1")  # has no events
            await ann.call("whisper_to", reader.user_id, secret(*([name] if can_hear else [])))
            await ann.call("lock_away", 1, secret("ann"))
            await ann.call("write_diary", 1, secret("ann"))
            await settle(eve)
            await settle(ann)
        await ann.call("send_letter", 1, "", secret("ann", "eve"))
        await ann.call("send_letter", 1, ann.user_id, secret("ann"))
        await ann.call("burn_letter", 1)
        await settle(eve)

        # Sessions that attach and detach.
        for _ in range(2):
            await ann.call("sit", sit(ROOM_ID, 1, secret()))
            await ann.call("sit", sit(ROOM_ID, 1, ""))
            await ann.call("sit", sit(ROOM_ID, 2, ""))
            await ann.call("turn_key", ROOM_ID, True)
            await ann.call("sit", sit(ROOM_ID, 1, secret("ann")))
            await ann.call("sit", sit(ROOM_ID, 1, secret("ann", "eve")))
            await eve.call("turn_key", ROOM_ID, True)
            await ann.call("sit", sit(ROOM_ID, 1, secret("ann", "eve")))
            await settle(eve)
            await eve.call("turn_key", ROOM_ID, False)
            await ann.call("sit", sit(ROOM_ID, 1, secret("ann")))
            await ann.call("sit", sit(ROOM_ID, 2, secret("ann")))
            await settle(eve)
            await settle(ann)
            await ann.call("turn_key", ROOM_ID, False)
            await ann.call("sit", sit(ROOM_ID, 2, secret()))
            await ask_for_everything(eve, ann)

        for text, readers in told.items():
            assert heard_by(people, text) == readers, text
