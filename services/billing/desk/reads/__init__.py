"""What people ask of billing, read from its published views. Amounts are minor units, hours tenths."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from fleet.database import Tx, json_parameter
from services.billing.domain.card_documents import read_card
from services.billing.domain.rates import Book, DatedCard

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class StandingCard:
    """A dated card that stands in the book; `document` is the card as it was published."""

    kind: str
    key: str
    effective_from: date
    version: int
    document: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class WholeBook:
    """The book as billing has it."""

    version: int
    cards: Sequence[StandingCard]

    def currency(self) -> str:
        """The school's currency; USD before there is a school."""
        return next((str(c.document["currency"]) for c in self.cards if c.kind == "school"), "USD")

    def time_zone(self) -> str:
        """The school's IANA time zone; UTC before there is a school."""
        return next((str(c.document["time_zone"]) for c in self.cards if c.kind == "school"), "UTC")

    def in_force(self, on: date) -> list[StandingCard]:
        """The cards in force on a day: of each kind and key the latest whose date is not after it."""
        newest = {
            (card.kind, card.key): card
            for card in sorted(self.cards, key=lambda card: card.effective_from)
            if card.effective_from <= on
        }
        return [card for card in self.cards if newest.get((card.kind, card.key)) is card]


_VERSION = "SELECT version FROM billing_public.book"
_WHOLE_BOOK = """
    SELECT kind, key, effective_from, version, document FROM billing_public.cards
    ORDER BY kind, key, effective_from
"""


async def whole_book(tx: Tx) -> WholeBook:
    """The book's version and every card in it."""
    version = (await tx.one(_VERSION)).version
    cards = [StandingCard(**row._mapping) for row in await tx.all(_WHOLE_BOOK)]
    return WholeBook(version=version, cards=cards)


_SOME = """
    SELECT kind, key, effective_from, version, document FROM billing_public.cards
    WHERE kind = ANY (CAST(:kinds AS text[])) AND (CAST(:key AS text) IS NULL OR key = :key)
    ORDER BY kind, key, effective_from
"""


async def some_of_the_book(tx: Tx, kinds: Sequence[str], *, key: str | None = None) -> WholeBook:
    """The book with the cards of some kinds alone, of one key when it is named: a school has thousands."""
    version = (await tx.one(_VERSION)).version
    rows = await tx.all(_SOME, kinds=list(kinds), key=key)
    return WholeBook(version=version, cards=[StandingCard(**row._mapping) for row in rows])


@dataclass(frozen=True, slots=True, kw_only=True)
class CardHistory:
    """What a version of the book made of a card: `old` is None when it is added, `new` when withdrawn."""

    version: int
    at: datetime
    who: str
    why: str
    kind: str
    key: str
    effective_from: date
    old: Json | None
    new: Json | None


_HISTORY = """
    SELECT version, at, who, why, kind, key, effective_from, old, new FROM billing_public.card_history
    WHERE (CAST(:kind AS text) IS NULL OR kind = :kind) AND (CAST(:key AS text) IS NULL OR key = :key)
    ORDER BY version, kind, key, effective_from
"""


async def card_history(tx: Tx, *, kind: str | None = None, key: str | None = None) -> list[CardHistory]:
    """Every version of every card (of one kind, of one key), oldest first."""
    return [CardHistory(**row._mapping) for row in await tx.all(_HISTORY, kind=kind, key=key)]


_PRICED_BY = """
    SELECT changed.kind, changed.key, changed.effective_from, count(*) AS bills
    FROM jsonb_to_recordset(CAST(:places AS jsonb)) AS changed (kind text, key text, effective_from date)
    JOIN billing_public.bills AS bill ON bill.in_force AND bill.billed_on >= changed.effective_from
     AND bill.rates @> jsonb_build_array(jsonb_build_object('kind', changed.kind, 'key', changed.key))
    GROUP BY changed.kind, changed.key, changed.effective_from
    ORDER BY changed.kind, changed.key, changed.effective_from
"""


async def bills_priced_by(
    tx: Tx, places: Sequence[tuple[str, str, date]]
) -> dict[tuple[str, str, date], int]:
    """How many bills in force there are from each card's date on that a card of its kind and key priced.

    places: kind, key and effective date. A place without bills is left out.
    """
    rows = [{"kind": kind, "key": key, "effective_from": day} for kind, key, day in places]
    found = await tx.all(_PRICED_BY, places=json_parameter(rows))
    return {(row.kind, row.key, row.effective_from): row.bills for row in found}


@dataclass(frozen=True, slots=True, kw_only=True)
class BilledFlight:
    """A flight with its bill in force, and in one text each: what its flags are called and what they say.

    kind: `completed` and never corrected, `corrected` or `cancelled`.
    """

    flight_id: str
    revision: int
    kind: str
    billed_on: date
    student: str
    instructor: str | None
    aircraft: str | None
    hours_from: str
    currency: str
    charge: int
    margin: int
    flags: str | None
    why: str | None


# Flags are gathered once: the meter chain behind them is one walk over all readings, not one for each bill.
_BILLED = """
    WITH flagged AS MATERIALIZED (
        SELECT bill_id, string_agg(kind, ' ' ORDER BY kind) AS flags,
               string_agg(sentence, '; ' ORDER BY kind) AS why
        FROM billing_public.flags GROUP BY bill_id)
    SELECT bill.flight_id, bill.revision, bill.kind, bill.billed_on, bill.student, bill.instructor,
           bill.aircraft, bill.hours_from, bill.currency, bill.charge, bill.margin, flagged.flags,
           flagged.why
    FROM billing_public.bills AS bill
    LEFT JOIN flagged USING (bill_id)
    WHERE bill.in_force
      AND (CAST(:student AS text) IS NULL OR bill.student = :student)
      AND (CAST(:instructor AS text) IS NULL OR bill.instructor = :instructor)
      AND (CAST(:aircraft AS text) IS NULL OR bill.aircraft = :aircraft)
      AND (CAST(:since AS date) IS NULL OR bill.billed_on >= :since)
      AND (CAST(:until AS date) IS NULL OR bill.billed_on <= :until)
      AND (NOT CAST(:flagged AS boolean) OR flagged.flags IS NOT NULL)
    ORDER BY bill.billed_on DESC, bill.occurred_at DESC, bill.flight_id, bill.revision
    LIMIT :most OFFSET :skip
"""


async def billed_flights(
    tx: Tx,
    *,
    student: str | None = None,
    instructor: str | None = None,
    aircraft: str | None = None,
    since: date | None = None,
    until: date | None = None,
    flagged: bool = False,
    most: int = 1000,
    skip: int = 0,
) -> list[BilledFlight]:
    """The flights billed on the latest days but for `skip`, the latest last. since, until: days included."""
    wanted = {"student": student, "instructor": instructor, "aircraft": aircraft}
    rows = await tx.all(_BILLED, since=since, until=until, flagged=flagged, most=most, skip=skip, **wanted)
    return [BilledFlight(**row._mapping) for row in reversed(rows)]


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedFlight:
    """A refused flight; a record that could not be read at all names no flight and no revision."""

    flight_id: str | None
    revision: int | None
    reason: str
    sentence: str


_REFUSED = """
    SELECT flight_id, revision, reason, sentence FROM billing_public.refused_flights
    WHERE CAST(:flight_id AS text) IS NULL OR flight_id = :flight_id
    ORDER BY dead_letter_id DESC LIMIT :most OFFSET :skip
"""


async def refused_flights(
    tx: Tx, *, flight_id: str | None = None, most: int = 1000, skip: int = 0
) -> list[RefusedFlight]:
    """The newest flights whose dead letter is open, but for `skip`, in the order they were refused in."""
    rows = await tx.all(_REFUSED, flight_id=flight_id, most=most, skip=skip)
    return [RefusedFlight(**row._mapping) for row in reversed(rows)]


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredBill:
    """A bill as it is stored, with its lines, legs and flags as rows for people."""

    bill: Json
    lines: Sequence[Json]
    legs: Sequence[Json]
    flags: Sequence[Json]


_BILLS_OF_FLIGHT = """
    SELECT bill_id, flight_id, revision, billed_on, occurred_at, student, instructor, aircraft, hours_from,
           billed_tenths, currency, charge, legs_total, margin, school_version, billed_at,
           kind, in_force, priced_by, reason, made_by
    FROM billing_public.bills WHERE flight_id = :flight_id ORDER BY revision
"""


async def bills_of_flight(tx: Tx, flight_id: str) -> list[StoredBill]:
    """Each revision's bill of a flight."""
    return [
        await _stored_bill(tx, dict(row._mapping))
        for row in await tx.all(_BILLS_OF_FLIGHT, flight_id=flight_id)
    ]


_LINES = """
    SELECT kind, description, tenths, rate, amount
    FROM billing_public.bill_lines WHERE bill_id = :bill_id ORDER BY position
"""
_LEGS = "SELECT wallet, kind, amount FROM billing_public.bill_legs WHERE bill_id = :bill_id"
_FLAGS = "SELECT kind, sentence FROM billing_public.flags WHERE bill_id = :bill_id ORDER BY kind"


async def _stored_bill(tx: Tx, bill: dict[str, Any]) -> StoredBill:
    lines, legs, flags = [
        [dict(row._mapping) for row in await tx.all(sql, bill_id=bill["bill_id"])]
        for sql in (_LINES, _LEGS, _FLAGS)
    ]
    return StoredBill(bill=bill, lines=lines, legs=legs, flags=flags)


@dataclass(frozen=True, slots=True, kw_only=True)
class BillToExplain:
    """A bill as it is stored: what it was made from (`facts`, `rates`) and what was made of it.

    corrects: the flight's first bill; None: it is that. reason, made_by, priced_by: of a correction.
    """

    bill_id: UUID
    flight_id: str
    revision: int
    billed_on: date
    currency: str
    charge: int
    legs_total: int
    margin: int
    hours_from: str
    billed_tenths: int
    facts: Json
    rates: Sequence[Json]
    lines: Sequence[Json]
    legs: Sequence[Json]
    school_version: int
    student: str
    instructor: str | None
    aircraft: str | None
    corrects: UUID | None = None
    kind: str = "completed"
    reason: str | None = None
    made_by: str | None = None
    priced_by: str | None = None


_BILLS_TO_EXPLAIN = """
    SELECT bill_id, flight_id, revision, billed_on, currency, charge, legs_total, margin, hours_from,
           billed_tenths, facts, rates, lines, legs, school_version, student, instructor, aircraft, corrects,
           kind, reason, made_by, priced_by
    FROM billing_public.bills WHERE flight_id = :flight_id ORDER BY revision
"""


async def bills_to_explain(tx: Tx, flight_id: str) -> list[BillToExplain]:
    """Every bill of a flight, by revision: the first one, then its corrections; empty: it has none."""
    return [BillToExplain(**row._mapping) for row in await tx.all(_BILLS_TO_EXPLAIN, flight_id=flight_id)]


_CARDS_NAMED = """
    SELECT card.kind, card.key, card.effective_from, card.version, card.new AS card
    FROM jsonb_to_recordset(CAST(:named AS jsonb))
         AS named (kind text, key text, effective_from date, version integer)
    JOIN billing_public.card_history AS card USING (kind, key, effective_from, version)
    ORDER BY card.kind, card.key
"""


async def cards_named(tx: Tx, named: Sequence[Json]) -> list[dict[str, Any]]:
    """The card versions a bill names (its `rates`), each with `card`, the document as it was published."""
    return [dict(row._mapping) for row in await tx.all(_CARDS_NAMED, named=json_parameter(named))]


def book_of_cards(cards: Sequence[Json], *, version: int) -> Book:
    """What `cards_named` gave, as a book to price the bill again with.

    Raises TypeError, KeyError or AttributeError when somebody changed a card's document by hand.
    """
    return Book(map(dated_card, cards), version=version)


def dated_card(card: Json) -> DatedCard:
    """One card of them. Raises as `book_of_cards`."""
    return DatedCard(
        kind=card["kind"],
        key=card["key"],
        effective_from=card["effective_from"],
        version=card["version"],
        card=read_card(card["kind"], card["card"]),
    )
