from __future__ import annotations

from server.databases import Database, Databases, database_identity

SECRET = bytes(range(32))


def test_a_database_keeps_its_identity_within_a_folder_only():
    one = database_identity("board", SECRET)
    assert one == database_identity("board", SECRET)
    assert one != database_identity("board", bytes(32))
    assert one != database_identity("other", SECRET)
    assert str(one).startswith("c200")


def test_look_up_by_name_and_identity():
    board = Database("board", database_identity("board", SECRET))
    databases = Databases(board)
    for text in ("board", str(board.identity), f"0x{board.identity}", str(board.identity).upper()):
        assert databases.find(text) == board
    for text in ("", "Board", "f" * 64, "0x12", "board/"):
        assert databases.find(text) is None
