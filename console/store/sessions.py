"""Sessions, and sign-ins that are under way. A cookie is a secret: only its hash is kept."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final

from console.roles import Person
from fleet.database import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """Somebody's session. `form_token` is in each of its forms; `came_by` is "local" or "oidc"."""

    person: Person
    form_token: str
    came_by: str
    began_at: datetime
    ends_at: datetime


def hashed(secret: str) -> bytes:
    return sha256(secret.encode()).digest()


_BEGIN: Final = """
    INSERT INTO session (cookie_hash, person, shown_name, roles, wallet, form_token, came_by,
                         provider_session, subject, ends_at)
    VALUES (:cookie_hash, :person, :shown_name, CAST(:roles AS text[]), :wallet, :form_token, :came_by,
            :provider_session, :subject, now() + CAST(:lasts AS interval))
"""


async def begin(
    tx: Tx,
    cookie: str,
    person: Person,
    *,
    form_token: str,
    came_by: str,
    lasts: timedelta,
    provider_session: str | None = None,
    subject: str | None = None,
) -> None:
    """Begin a session that this cookie names."""
    await tx.execute(
        _BEGIN,
        cookie_hash=hashed(cookie),
        person=person.name,
        shown_name=person.shown_name,
        roles=sorted(person.roles),
        wallet=person.wallet,
        form_token=form_token,
        came_by=came_by,
        provider_session=provider_session,
        subject=subject,
        lasts=lasts,
    )


# One statement finds it and notes that it was used, at most once a minute: a page is not a write each time.
# A local session is nobody's as soon as payouts has seen a live key.
_USE: Final = """
    WITH found AS (
        SELECT * FROM session
        WHERE cookie_hash = :cookie_hash AND ended_at IS NULL AND ends_at > now()
          AND seen_at > now() - CAST(:idle AS interval)
          AND (came_by <> 'local'
               OR NOT EXISTS (SELECT FROM payouts_public.stripe_mode WHERE livemode OR key_livemode))
    ), touched AS (
        UPDATE session SET seen_at = now() FROM found
        WHERE :touch AND session.cookie_hash = found.cookie_hash
          AND found.seen_at < now() - interval '1 minute'
    )
    SELECT person, shown_name, roles, wallet, form_token, came_by, began_at, ends_at FROM found
"""


async def use(tx: Tx, cookie: str, *, idle: timedelta, touch: bool = True) -> Session | None:
    """The session of a cookie, if it lives; it is used now, unless not to be touched."""
    row = await tx.first(_USE, cookie_hash=hashed(cookie), idle=idle, touch=touch)
    if row is None:
        return None
    person = Person(name=row.person, shown_name=row.shown_name, roles=frozenset(row.roles), wallet=row.wallet)
    return Session(
        person=person,
        form_token=row.form_token,
        came_by=row.came_by,
        began_at=row.began_at,
        ends_at=row.ends_at,
    )


_LIVING: Final = """
    SELECT count(*) AS living FROM session
    WHERE ended_at IS NULL AND ends_at > now() AND seen_at > now() - CAST(:idle AS interval)
"""


async def living(tx: Tx, *, idle: timedelta) -> int:
    """How many sessions are somebody's now."""
    return int((await tx.one(_LIVING, idle=idle)).living)


_END: Final = "UPDATE session SET ended_at = now() WHERE cookie_hash = :cookie_hash AND ended_at IS NULL"
_END_OF_PROVIDER: Final = """
    UPDATE session SET ended_at = now()
    WHERE (provider_session = :session OR CAST(:session AS text) IS NULL AND subject = :subject)
      AND ended_at IS NULL
"""


async def end(tx: Tx, cookie: str) -> None:
    """End a session: whoever has the cookie is nobody now."""
    await tx.execute(_END, cookie_hash=hashed(cookie))


async def end_of_provider(tx: Tx, *, session: str | None, subject: str | None) -> int:
    """End what began with a session of the provider's, or without one all of a subject's; how many ended."""
    return await tx.execute(_END_OF_PROVIDER, session=session, subject=subject)


_LIVE: Final = """
    SELECT EXISTS (SELECT FROM payouts_public.stripe_mode WHERE livemode OR key_livemode) AS live
"""


_ERASE: Final = "DELETE FROM session WHERE wallet = ANY (CAST(:wallets AS text[]))"


async def erase(tx: Tx, wallets: Sequence[str]) -> int:
    """Remove these holders' sessions, with the names they were shown by; how many."""
    return await tx.execute(_ERASE, wallets=list(wallets))


async def money_is_real(tx: Tx) -> bool:
    """Whether payouts has seen Stripe's live mode, or holds a key of it."""
    return bool((await tx.one(_LIVE)).live)


_REMEMBER: Final = """
    INSERT INTO sign_in (state_hash, nonce, verifier, next_page)
    VALUES (:state_hash, :nonce, :verifier, :next_page)
"""
_TAKE: Final = """
    DELETE FROM sign_in WHERE state_hash = :state_hash
    RETURNING nonce, verifier, next_page, began_at > now() - CAST(:lasts AS interval) AS in_time
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignIn:
    """What the provider's answer must fit, and the page to go to then."""

    nonce: str
    verifier: str
    next_page: str


async def remember_sign_in(tx: Tx, state: str, begun: SignIn) -> None:
    """Keep what the answer with this state must fit."""
    await tx.execute(
        _REMEMBER,
        state_hash=hashed(state),
        nonce=begun.nonce,
        verifier=begun.verifier,
        next_page=begun.next_page,
    )


async def take_sign_in(tx: Tx, state: str, *, lasts: timedelta) -> SignIn | None:
    """The sign-in of this state, once and in time; None: nobody began it, or it was answered already."""
    row = await tx.first(_TAKE, state_hash=hashed(state), lasts=lasts)
    if row is None or not row.in_time:
        return None
    return SignIn(nonce=row.nonce, verifier=row.verifier, next_page=row.next_page)


_FORGET: Final = (
    "DELETE FROM session WHERE coalesce(ended_at, ends_at) < now() - interval '30 days'",
    "DELETE FROM sign_in WHERE began_at < now() - interval '1 day'",
    """
    DELETE FROM act USING decision WHERE decision.decision_id = act.preview_id
        AND act.decided_at IS NULL AND act.asked_at < now() - interval '1 day'
    """,
    "DELETE FROM decision WHERE dry_run AND coalesce(taken_at, requested_at) < now() - interval '1 day'",
)


async def forget_old(tx: Tx) -> None:
    """Delete ended sessions after a month, and sign-ins and previews that led nowhere after a day."""
    for statement in _FORGET:
        await tx.execute(statement)
