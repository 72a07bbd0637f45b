"""A month of one wallet, of its ledger entries: for staff any wallet, for a holder their own."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final

from console.reads.tables import EXPORT_MAX, Column, Listing
from console.statement_parts import Part, correction_of, flight_of, parts_of
from console.statements import Month, Statement, stated
from console.times import begin_of_day
from fleet.database import Tx
from fleet.zones import local_date

_ANY: Final = "(SELECT * FROM ledger_public.entries WHERE address = :wallet)"
_OWN: Final = "(SELECT * FROM console_public.own_dated_entries() WHERE :wallet = console_public.own_wallet())"
_SOURCES: Final = {"staff": _ANY, "holder": _OWN}

# Of the same rows as the page; both come from Statement.
FILE: Final = Listing(
    name="statement-of-a-month",
    title="Statement",
    sql="",
    columns=(
        Column(name="occurred_at", title="Occurred", kind="instant"),
        Column(name="event_type", title="Kind", kind="state"),
        Column(name="source", title="For"),
        Column(name="memo", title="Memo", kind="long"),
        Column(name="amount", title="Amount", kind="money"),
        Column(name="balance", title="Balance", kind="money"),
        Column(name="currency", title="Currency"),
        Column(name="recorded_at", title="Recorded", kind="instant"),
    ),
    key="source",
    order="occurred_at",
)


def _opening(entries: str) -> str:
    return (
        "SELECT coalesce(sum(amount), 0)::bigint AS amount"  # noqa: S608 - one of the two above
        f" FROM {entries} AS entry"
        " WHERE currency = :currency AND occurred_at < :since AND recorded_at <= :before"
    )


def _lines(entries: str) -> str:
    return (
        "SELECT occurred_at, recorded_at, event_type, source, memo, currency, amount"  # noqa: S608 - as above
        f" FROM {entries} AS entry"
        " WHERE currency = :currency AND occurred_at < :until"
        " AND (occurred_at >= :since OR recorded_at > :before)"
        f" ORDER BY occurred_at, version LIMIT {EXPORT_MAX + 1}"
    )


def _first(entries: str) -> str:
    return f"SELECT min(occurred_at) AS at FROM {entries} AS entry"  # noqa: S608 - as above


_OPENING: Final = {who: _opening(entries) for who, entries in _SOURCES.items()}
_LINES: Final = {who: _lines(entries) for who, entries in _SOURCES.items()}
_FIRST: Final = {who: _first(entries) for who, entries in _SOURCES.items()}


async def statement(tx: Tx, wallet: str, month: Month, currency: str, *, own: bool = False) -> Statement:
    """The statement of a month; empty for a wallet without entries. own: in a holder's transaction."""
    who = "holder" if own else "staff"
    given: Mapping[str, Any] = {
        "wallet": wallet, "currency": currency, "since": month.since, "before": month.before,
    }  # fmt: skip
    opening = (await tx.one(_OPENING[who], **given)).amount
    rows = await tx.all(_LINES[who], **given, until=month.until)
    return stated(wallet, month, opening, [dict(row._mapping) for row in rows])


async def first_entry(tx: Tx, wallet: str, *, own: bool = False) -> datetime | None:
    """When the wallet's first entry occurred; None: it has none, or is another's."""
    at: datetime | None = (await tx.one(_FIRST["holder" if own else "staff"], wallet=wallet)).at
    return at


_HOLDERS: Final = """
    SELECT address FROM ledger_public.wallets
    WHERE kind IN ('student', 'instructor', 'aircraft_owner') AND currency = :currency AND entries > 0
      AND address > :after
    ORDER BY address LIMIT :most
"""
_BILLS: Final = {
    "staff": "SELECT * FROM console_public.bills_of(CAST(:wallet AS text), CAST(:flights AS text[]),"
    " CAST(:revisions AS integer[]))",
    "holder": "SELECT * FROM console_public.own_bills(CAST(:flights AS text[]),"
    " CAST(:revisions AS integer[])) WHERE CAST(:wallet AS text) = console_public.own_wallet()",
}
_ISSUED: Final = {
    "staff": "SELECT opening, closing, content_hash, issued_at FROM console_public.issued_statements"
    " WHERE wallet = :wallet AND month = :month AND currency = :currency",
    "holder": "SELECT opening, closing, content_hash, issued_at FROM console_public.own_issued()"
    " WHERE :wallet = console_public.own_wallet() AND month = :month AND currency = :currency",
}
_TRANSFERS: Final = {
    "staff": "SELECT created_at, amount, currency, state, sentence, sent_at, in_bank_at"
    " FROM payouts_public.transfers WHERE wallet = :wallet AND created_at >= :since AND created_at < :until"
    " ORDER BY created_at LIMIT 500",
    "holder": "SELECT created_at, amount, currency, state, sentence, sent_at, in_bank_at"
    " FROM console_public.own_transfers() WHERE :wallet = console_public.own_wallet()"
    " AND created_at >= :since AND created_at < :until ORDER BY created_at LIMIT 500",
}
_AGEING: Final = {
    "staff": "SELECT * FROM receivables_public.ageing_of(:day, substr(CAST(:wallet AS text), 9))"
    " WHERE starts_with(CAST(:wallet AS text), 'student:') AND currency = :currency",
    "holder": "SELECT * FROM console_public.own_ageing(:day)"
    " WHERE CAST(:wallet AS text) = console_public.own_wallet() AND currency = :currency",
}


def _year(entries: str) -> str:
    return (
        "SELECT event_type, sum(amount)::bigint AS amount"  # noqa: S608 - one of the two above
        f" FROM {entries} AS entry WHERE currency = :currency AND occurred_at >= :begin"
        " AND occurred_at < :until AND recorded_at <= :known GROUP BY event_type ORDER BY event_type"
    )


_YEAR: Final = {who: _year(entries) for who, entries in _SOURCES.items()}


async def holders(tx: Tx, currency: str, after: str, most: int) -> list[str]:
    """Wallets of students and payees that have entries in a currency, by address after `after`."""
    rows = await tx.all(_HOLDERS, currency=currency, after=after, most=most)
    return [row.address for row in rows]


async def issued(
    tx: Tx, wallet: str, month: Month, currency: str, *, own: bool = False
) -> dict[str, Any] | None:
    """What the statement was when it was issued; None: it is not yet, or was before anything was kept."""
    given = {"wallet": wallet, "month": month.name, "currency": currency}
    row = await tx.first(_ISSUED["holder" if own else "staff"], **given)
    return dict(row._mapping) if row else None


async def parts(
    tx: Tx, wallet: str, lines: Sequence[Mapping[str, Any]], zone: str, *, own: bool = False
) -> list[Part]:
    """What of its flights makes up the lines of a statement: hours, rates and amounts, by day."""
    corrected = [correction_of(line, local_date(line["occurred_at"], zone)) for line in lines]
    corrections = [one for one in corrected if one is not None]
    named = {one for line in lines if (one := flight_of(line["source"]))}
    billed = sorted(named - {(one.flight_id, one.revision) for one in corrections})
    given: Mapping[str, Any] = {
        "wallet": wallet,
        "flights": [flight for flight, _ in billed],
        "revisions": [revision for _, revision in billed],
    }
    rows = await tx.all(_BILLS["holder" if own else "staff"], **given) if billed else []
    found = [part for row in rows for part in parts_of(wallet, dict(row._mapping))]
    return sorted(found + corrections, key=lambda part: (part.day, part.flight_id, part.revision))


async def parts_of_flight(tx: Tx, wallet: str, flight: str, revision: int) -> list[Part]:
    """What of one flight's bill is the holder's own: hours, rates and amounts. In a holder's transaction."""
    rows = await tx.all(_BILLS["holder"], wallet=wallet, flights=[flight], revisions=[revision])
    return [part for row in rows for part in parts_of(wallet, dict(row._mapping)) if part.counted]


async def year_to_date(
    tx: Tx, wallet: str, month: Month, currency: str, zone: str, *, own: bool = False
) -> list[dict[str, Any]]:
    """Sums by kind since the year began, as known when the month was issued."""
    given: Mapping[str, Any] = {
        "wallet": wallet, "currency": currency, "until": month.until, "known": month.issued_at,
        "begin": begin_of_day(date(int(month.name[:4]), 1, 1), zone),
    }  # fmt: skip
    return [dict(row._mapping) for row in await tx.all(_YEAR["holder" if own else "staff"], **given)]


async def transfers(tx: Tx, wallet: str, month: Month, *, own: bool = False) -> list[dict[str, Any]]:
    """The transfers that were made in a month, as they stand now."""
    given = {"wallet": wallet, "since": month.since, "until": month.until}
    return [dict(row._mapping) for row in await tx.all(_TRANSFERS["holder" if own else "staff"], **given)]


async def ageing(tx: Tx, wallet: str, currency: str, day: date, *, own: bool = False) -> list[dict[str, Any]]:
    """What a student owes by how long it is overdue on a day; nothing of anybody else."""
    given = {"wallet": wallet, "currency": currency, "day": day}
    return [dict(row._mapping) for row in await tx.all(_AGEING["holder" if own else "staff"], **given)]
