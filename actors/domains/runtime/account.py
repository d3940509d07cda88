"""Account: who a user is, and which connections the user has open (domain 1.8, 1.10, 1.11)."""

from __future__ import annotations

from enum import IntEnum

from actors.claims import Claims
from actors.domains.kinds import USER
from actors.domains.limits import DISPLAY_NAME_CHARS_MAX, SIGNUP_BONUS
from actors.domains.rules.text import cut_text
from actors.domains.runtime.wallet import LedgerReason, append_entry
from actors.module.context import DatabaseReader, ReducerContext
from actors.module.tables import table
from actors.module.types import Identity, Timestamp, replace

__all__ = [
    "ClientPresence",
    "Role",
    "UserAccount",
    "account_of",
    "arrive",
    "display_name_of",
    "is_present",
    "leave",
]


class Role(IntEnum):
    """What a token allows its bearer (domain 1.8)."""

    PLAYER = 0
    CREATOR = 1
    MODERATOR = 2
    SERVICE = 3
    ADMIN = 4


@table(public=True, primary_key="user_id", unique=["identity"], actor=USER)
class UserAccount:
    """A user as the last token described it."""

    user_id: str
    identity: Identity
    issuer: str
    display_name: str
    roles: list[Role]
    signup_bonus_granted: bool
    created_at: Timestamp
    last_seen_at: Timestamp


@table(public=True, primary_key="connection_key", index=["user_id"], actor=USER)
class ClientPresence:
    """An open connection of the user."""

    connection_key: str
    user_id: str
    protocol: str
    connected_at: Timestamp
    last_seen_at: Timestamp


def arrive(ctx: ReducerContext, claims: Claims) -> bool:
    """Note a connection; the first one ever creates the account and pays the signup bonus.

    Returns:
        Whether the user had no connection before.
    """
    account = account_of(ctx, claims)
    ctx.db[UserAccount].upsert(
        replace(account, roles=_roles(claims), issuer=claims.issuer, last_seen_at=ctx.timestamp)
    )
    is_first = not is_present(ctx.db)
    ctx.db[ClientPresence].upsert(
        ClientPresence(
            connection_key=str(ctx.connection_id),
            user_id=ctx.key,
            protocol=ctx.protocol,
            connected_at=ctx.timestamp,
            last_seen_at=ctx.timestamp,
        )
    )
    return is_first


def leave(ctx: ReducerContext) -> bool:
    """Forget a connection; answers whether it was the last one."""
    return ctx.db[ClientPresence].delete(str(ctx.connection_id)) and not is_present(ctx.db)


def is_present(db: DatabaseReader) -> bool:
    """Whether the user has a connection."""
    return len(db[ClientPresence]) > 0


def account_of(ctx: ReducerContext, claims: Claims) -> UserAccount:
    """The account of this actor's user, created on first sight (domain 1.11)."""
    accounts = ctx.db[UserAccount]
    known = accounts.find(ctx.key)
    if known is not None:
        return known
    append_entry(ctx, SIGNUP_BONUS, LedgerReason.SIGNUP_BONUS, "signup", "Welcome")
    return accounts.insert(
        UserAccount(
            user_id=ctx.key,
            identity=claims.identity,
            issuer=claims.issuer,
            display_name=_display_name(ctx.key, claims),
            roles=_roles(claims),
            signup_bonus_granted=True,
            created_at=ctx.timestamp,
            last_seen_at=ctx.timestamp,
        )
    )


def display_name_of(ctx: ReducerContext) -> str:
    """What others call this actor's user; of one who never came, what they would."""
    account = ctx.db[UserAccount].find(ctx.key)
    return _nameless(ctx.key) if account is None else account.display_name


def _display_name(user_id: str, claims: Claims) -> str:
    return cut_text(claims.display_name or "", DISPLAY_NAME_CHARS_MAX) or _nameless(user_id)


def _nameless(user_id: str) -> str:
    return f"Traveler-{user_id[-4:]}"


def _roles(claims: Claims) -> list[Role]:
    return [role for role in Role if role.name.lower() in claims.roles]
