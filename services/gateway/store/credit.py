"""The statements that ask receivables whether a student may be charged."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from fleet.database import Database, Tx
from services.gateway.domain.api_keys import ApiKey
from services.gateway.domain.credit import Standing

_CARDS = """
    SELECT book, kind, key, effective_from, version, document AS card
    FROM billing_public.cards_of_flight(CAST(:student AS text), CAST(:aircraft AS text),
                                        CAST(:instructor AS text))
"""
# One statement, so that key, book, time zone and account are of one instant.
_CHECK = """
    SELECT key.key_id, key.name, key.scopes,
           key.revoked_at IS NOT NULL OR coalesce(key.expires_at <= now(), false),
           coalesce(key.last_used_at >= now() - interval '1 minute', false),
           billing_public.book_version(), school.time_zone, told.currency, told.posted, told.pending,
           told.available, told.disputed, told.under_way, told.credit_limit, told.room, told.used_percent,
           told.level, told.held, told.reason, told.shortfall, told.overdue
    FROM receivables_public.school_time_zone() AS school (time_zone)
    LEFT JOIN api_key AS key ON key.key_hash = $1
    LEFT JOIN LATERAL receivables_public.credit_check($2, $3, $4, $5) AS told ON true
"""
_FIGURES = (
    *("currency", "posted", "pending", "available", "disputed", "under_way", "credit_limit", "room"),
    *("used_percent", "level", "held", "reason", "shortfall", "overdue"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """A check's answer, and all that it depends on, at one instant.

    key: None when no key has the hash; noted: its use was, within the last minute. book: the version at
    which the school's book stands. time_zone, standing: None where it names no zone, or no currency, yet.
    """

    key: ApiKey | None
    noted: bool
    book: int | None
    time_zone: str | None
    standing: Standing | None


async def cards(
    tx: Tx, student: str, aircraft: str | None, instructor: str | None
) -> Sequence[Mapping[str, Any]]:
    """The cards that may price a flight: book, kind, key, effective_from, version and card of each."""
    rows = await tx.all(_CARDS, student=student, aircraft=aircraft, instructor=instructor)
    return [dict(row._mapping) for row in rows]


async def check(
    db: Database, key_hash: bytes, student: str, charge: int, day: date, activity: str | None
) -> Checked:
    """How a student stands on that day beside the charge, asked with a key.

    activity: of a planned flight, whose kind may have a limit of its own.
    """
    row = await db.ask(_CHECK, key_hash, student, charge, day, activity)
    assert row is not None  # the function of the time zone gives a row always
    key_id, name, scopes, over, noted, book, time_zone, *figures = row
    return Checked(
        key=None if key_id is None else ApiKey(key_id=key_id, name=name, scopes=frozenset(scopes), over=over),
        noted=noted,
        book=book,
        time_zone=time_zone,
        standing=None if figures[0] is None else Standing(**dict(zip(_FIGURES, figures, strict=True))),
    )
