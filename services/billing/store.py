"""Every SQL statement of billing, one function each, set-based. Holds no rule but the order of locks.

Lock order: inbox, book, bill (by flight id).
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

import orjson

from fleet.database import Tx, json_parameter
from services.billing.domain.bills import Bill, Billed
from services.billing.domain.flights import Flight
from services.billing.domain.rates import Book, Dated
from services.billing.domain.versions import ChangeSet
from services.billing.wire.card_documents import read_card_of

_SHARE_BOOK = "SELECT version FROM book FOR SHARE"
_LOCK_BOOK = "SELECT version FROM book FOR UPDATE"

# Each part compares kind and key with constants or arrays: only that is pushed into the view, to its index.
_CARDS = """
    SELECT kind, key, effective_from, version, document FROM card WHERE kind IN ('school', 'tax')
    UNION ALL
    SELECT kind, key, effective_from, version, document FROM card
    WHERE kind = ANY (CAST(:kinds AS text[])) AND key = ANY (CAST(:keys AS text[]))
    UNION ALL
    SELECT kind, key, effective_from, version, document FROM card
    WHERE kind = 'owner' AND key = ANY (ARRAY(
        SELECT document ->> 'owner' FROM card WHERE kind = 'aircraft' AND key = ANY (CAST(:keys AS text[]))))
"""


async def read_book(tx: Tx, flights: Iterable[Flight]) -> Book:
    """The cards the flights may need, all at one version: until commit nobody changes the book."""
    version = (await tx.one(_SHARE_BOOK)).version
    wanted = {place for flight in flights for place in _places(flight)}
    kinds, keys = {kind for kind, _ in wanted}, {key for _, key in wanted}
    rows = await tx.all(_CARDS, kinds=sorted(kinds), keys=sorted(keys))
    return Book((_dated(row) for row in rows), version=version)


def _places(flight: Flight) -> list[tuple[str, str]]:
    places = [
        ("student", flight.student),
        ("student_rate", "default"),
        ("student_rate", f"student:{flight.student}"),
    ]
    if flight.aircraft is not None:
        places.append(("aircraft", flight.aircraft))
    if flight.instructor is not None:
        places += [
            ("instructor", flight.instructor),
            ("student_rate", f"instructor:{flight.instructor}"),
        ]
    return places


def _dated(row: Any) -> Dated:
    return Dated(
        kind=row.kind,
        key=row.key,
        effective_from=row.effective_from,
        version=row.version,
        card=read_card_of(row.kind, opened(row.document)),
    )


def opened(document: Any) -> Any:
    """A jsonb value as Python data: the driver hands it over opened, or as text."""
    return orjson.loads(document) if isinstance(document, str | bytes) else document


_BILLED = """
    SELECT flight_id, revision, fingerprint FROM bill
    WHERE corrects IS NULL AND flight_id = ANY (CAST(:flight_ids AS text[]))
"""


async def bills_of(tx: Tx, flights: Iterable[Flight]) -> dict[str, Billed]:
    """The first bill of each flight that has one, by flight id."""
    rows = await tx.all(_BILLED, flight_ids=sorted({flight.flight_id for flight in flights}))
    return {row.flight_id: Billed(revision=row.revision, fingerprint=row.fingerprint) for row in rows}


# jsonb_to_recordset: one parameter however many bills; ON CONFLICT: another member may have billed the flight
# since we looked, then its bill stands and the caller looks again.
_INSERT_BILLS = """
    INSERT INTO bill (id, flight_id, revision, fingerprint, student, instructor, aircraft, billed_on,
                      occurred_at, currency, charge, legs_total, margin, hours_from, billed_tenths,
                      hobbs_out, hobbs_in, tach_out, tach_in,
                      facts, rates, lines, legs, flags, school_version)
    SELECT id, flight_id, revision, fingerprint, student, instructor, aircraft, billed_on, occurred_at,
           currency, charge, legs_total, margin, hours_from, billed_tenths,
           hobbs_out, hobbs_in, tach_out, tach_in, facts, rates, lines, legs, flags, school_version
    FROM jsonb_to_recordset(CAST(:bills AS jsonb)) AS bill (
        id uuid, flight_id text, revision integer, fingerprint text, student text, instructor text,
        aircraft text, billed_on date, occurred_at timestamptz, currency text, charge bigint,
        legs_total bigint, margin bigint, hours_from text, billed_tenths integer,
        hobbs_out integer, hobbs_in integer, tach_out integer, tach_in integer,
        facts jsonb, rates jsonb, lines jsonb, legs jsonb, flags jsonb, school_version integer)
    ORDER BY flight_id
    ON CONFLICT DO NOTHING
    RETURNING id
"""


async def insert_bills(tx: Tx, bills: Mapping[UUID, Bill]) -> set[UUID]:
    """Write bills; the ids that were written. Missing ones were billed by somebody else meanwhile."""
    if not bills:
        return set()
    documents = [_bill_row(bill_id, bill) for bill_id, bill in bills.items()]
    rows = await tx.all(_INSERT_BILLS, bills=json_parameter(documents))
    return {row.id for row in rows}


def _bill_row(bill_id: UUID, bill: Bill) -> dict[str, Any]:
    facts = bill.flight.facts()
    lines, legs = lines_and_legs(bill)
    return {
        "id": bill_id,
        "fingerprint": bill.fingerprint,
        "billed_on": bill.billed_on,
        "occurred_at": bill.occurred_at,
        "currency": bill.currency,
        "charge": bill.charge,
        "legs_total": sum(leg.amount for leg in bill.legs),
        "margin": bill.margin,
        "hours_from": bill.hours.source,
        "billed_tenths": bill.hours.billed,
        "facts": facts,
        "rates": [entry.named() for entry in bill.named],
        "lines": lines,
        "legs": legs,
        "flags": [{"kind": flag.kind, "sentence": flag.sentence} for flag in bill.flags],
        "school_version": bill.school_version,
    } | {name: facts[name] for name in _COPIED_FACTS}


def lines_and_legs(bill: Bill) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """A bill's lines and legs as the row keeps them; a bill priced again is compared with these."""
    lines = [
        {
            "kind": line.kind,
            "description": line.description,
            "amount": line.amount,
            "tenths": line.tenths,
            "rate": line.rate,
            "parts": [list(part) for part in line.parts],
        }
        for line in bill.lines
    ]
    return lines, [{"wallet": leg.wallet, "kind": leg.kind, "amount": leg.amount} for leg in bill.legs]


_COPIED_FACTS = (
    "flight_id",
    "revision",
    "student",
    "instructor",
    "aircraft",
    "hobbs_out",
    "hobbs_in",
    "tach_out",
    "tach_in",
)


async def lock_book(tx: Tx) -> int:
    """Take the book for writing; its version."""
    return int((await tx.one(_LOCK_BOOK)).version)


_CURRENCY = """
    SELECT (SELECT document ->> 'currency' FROM card WHERE kind = 'school') AS currency,
           EXISTS (SELECT FROM bill) AS has_bills
"""


async def book_currency(tx: Tx) -> tuple[str | None, bool]:
    """The school's currency so far, and whether anything was billed in it."""
    row = await tx.one(_CURRENCY)
    return row.currency, row.has_bills


async def version_of_event(tx: Tx, event_key: UUID) -> int | None:
    """The version an event made, when it was applied before."""
    row = await tx.first("SELECT version FROM school_version WHERE event_key = :key", key=event_key)
    return row.version if row else None


_INSERT_VERSION = """
    INSERT INTO school_version (version, base_version, who, why, at, event_key)
    VALUES (:version, :base_version, :who, :why, :at, :event_key)
"""
# `old` is what this database had, not what the publisher believed.
_INSERT_CARDS = """
    INSERT INTO card_version (kind, key, effective_from, version, old, new)
    SELECT change.kind, change.key, change.effective_from, :version, card.document, change.new
    FROM jsonb_to_recordset(CAST(:changes AS jsonb))
         AS change (kind text, key text, effective_from date, new jsonb)
    LEFT JOIN card USING (kind, key, effective_from)
"""
_ADVANCE_BOOK = "UPDATE book SET version = :version"


async def apply_change_set(tx: Tx, changes: ChangeSet, event_key: UUID) -> None:
    """Write one version of the book: who and why, every card old and new, and the version in force."""
    await tx.execute(
        _INSERT_VERSION,
        version=changes.version,
        base_version=changes.base_version,
        who=changes.who,
        why=changes.why,
        at=changes.at,
        event_key=event_key,
    )
    documents = [
        {"kind": c.kind, "key": c.key, "effective_from": c.effective_from, "new": c.document}
        for c in changes.changes
    ]
    await tx.execute(_INSERT_CARDS, version=changes.version, changes=json_parameter(documents))
    await tx.execute(_ADVANCE_BOOK, version=changes.version)


_WHOLE_BOOK = (
    "SELECT kind, key, effective_from, version, document FROM card ORDER BY kind, key, effective_from"
)


async def whole_book(tx: Tx) -> tuple[int, Sequence[Any]]:
    """The book's version and every card in it, for the operator's command line."""
    version = (await tx.one("SELECT version FROM book")).version
    return version, await tx.all(_WHOLE_BOOK)


_HISTORY = """
    SELECT c.version, v.at, v.who, v.why, c.kind, c.key, c.effective_from, c.old, c.new
    FROM card_version c JOIN school_version v USING (version)
    WHERE (CAST(:kind AS text) IS NULL OR c.kind = :kind) AND (CAST(:key AS text) IS NULL OR c.key = :key)
    ORDER BY c.version, c.kind, c.key, c.effective_from
"""


async def history(tx: Tx, kind: str | None, key: str | None) -> Sequence[Any]:
    """Every version of every card (of one kind, of one key): who, when, why, old and new."""
    return await tx.all(_HISTORY, kind=kind, key=key)


_PRICED_BY = """
    SELECT changed.kind, changed.key, changed.effective_from, count(*) AS bills
    FROM jsonb_to_recordset(CAST(:places AS jsonb)) AS changed (kind text, key text, effective_from date)
    JOIN bill ON bill.billed_on >= changed.effective_from
     AND bill.rates @> jsonb_build_array(jsonb_build_object('kind', changed.kind, 'key', changed.key))
    GROUP BY changed.kind, changed.key, changed.effective_from
    ORDER BY changed.kind, changed.key, changed.effective_from
"""


async def bills_priced_by(tx: Tx, places: Sequence[tuple[str, str, date]]) -> Sequence[Any]:
    """How many bills there are from each card's date on that were priced by a card of its kind and key."""
    documents = [{"kind": kind, "key": key, "effective_from": day} for kind, key, day in places]
    return await tx.all(_PRICED_BY, places=json_parameter(documents))


_NAMED_CARDS = """
    SELECT kind, key, effective_from, version, new AS document FROM card_version
    WHERE (kind, key, effective_from, version) IN (
        SELECT kind, key, effective_from, version FROM jsonb_to_recordset(CAST(:named AS jsonb))
            AS named (kind text, key text, effective_from date, version integer))
"""


async def named_cards(tx: Tx, named: Sequence[Mapping[str, Any]], *, version: int) -> Book:
    """The very card versions a bill names, as a book to price it again with."""
    rows = await tx.all(_NAMED_CARDS, named=json_parameter(list(named)))
    return Book((_dated(row) for row in rows), version=version)
