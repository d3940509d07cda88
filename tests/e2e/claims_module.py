"""A module that says what it is told of its callers."""

from __future__ import annotations

from actors import ReducerContext, ViewContext, procedure, reducer, struct, table


@struct
class Caller:
    issuer: str
    subject: str
    audience: list[str]
    roles: list[str]
    display_name: str | None
    raw: str


@table(public=True, primary_key="subject")
class Seen:
    subject: str
    issuer: str
    roles: str


@procedure
def who_am_i(ctx: ViewContext) -> Caller:
    claims = ctx.claims
    assert claims is not None
    return Caller(
        claims.issuer,
        claims.subject,
        list(claims.audience),
        sorted(claims.roles),
        claims.display_name,
        claims.raw_claims_json,
    )


@reducer
def be_seen(ctx: ReducerContext) -> None:
    claims = ctx.claims
    assert claims is not None
    roles = ",".join(sorted(claims.roles))
    ctx.db[Seen].upsert(Seen(claims.subject, claims.issuer, roles))


@reducer(roles=["moderator"])
def tidy_up(ctx: ReducerContext) -> None:
    for row in ctx.db[Seen]:
        ctx.db[Seen].delete(row.subject)
