"""SQL of both sides of the comparison: Stripe's lines, the books' journals, what moved on each day."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from fleet.database import Tx, json_parameter
from services.reserves.domain.lines import BookLine, Calendar, Moved, StripeLine

_CALENDAR: Final = "SELECT time_zone, frozen_until FROM school FOR SHARE"


async def lock_calendar(tx: Tx) -> Calendar:
    """The school's calendar; nobody signs a day off before this transaction ends."""
    row = await tx.one(_CALENDAR)
    return Calendar(time_zone=row.time_zone, frozen_until=row.frozen_until)


_INSERT_LINES: Final = """
    WITH inserted AS (
        INSERT INTO stripe_line (transaction_id, version, type, category, balance_type, amount, fee, net,
            currency,
                                 source_id, made_at, available_at, expected, is_before, noted_at, day,
                                     counted)
        SELECT transaction_id, version, type, category, balance_type, amount, fee, net, currency, source_id,
               made_at, available_at, ARRAY(SELECT jsonb_array_elements_text(expected)), is_before,
                   noted_at, day,
               counted
        FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS line (
            transaction_id text, version integer, type text, category text, balance_type text, amount bigint,
            fee bigint, net bigint, currency text, source_id text, made_at timestamptz,
                available_at timestamptz,
            expected jsonb, is_before boolean, noted_at timestamptz, day date, counted bigint)
        ORDER BY transaction_id
        ON CONFLICT (transaction_id) DO NOTHING
        RETURNING transaction_id
    ), opened AS (
        INSERT INTO open_line (transaction_id) SELECT transaction_id FROM inserted
    )
    SELECT transaction_id FROM inserted
"""


async def insert_lines(tx: Tx, lines: Sequence[tuple[StripeLine, date]]) -> set[str]:
    """Keep lines with their days, each once, as open; the ids of those that are new."""
    if not lines:
        return set()
    rows = [_document(line) | {"day": day, "counted": line.counts} for line, day in lines]
    return {row.transaction_id for row in await tx.all(_INSERT_LINES, rows=json_parameter(rows))}


def _document(line: StripeLine) -> dict[str, Any]:
    return {name: getattr(line, name) for name in StripeLine.__slots__} | {"expected": list(line.expected)}


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownLine:
    """A line as it is kept: which showing, its content, and what of it counts where."""

    version: int
    noted_at: datetime
    content: Mapping[str, Any]
    day: date
    counted: int
    changed_by: int


_KNOWN: Final = """
    SELECT transaction_id, version, noted_at, day, counted,
           jsonb_build_object('type', type, 'category', category, 'balance_type', balance_type, 'amount',
               amount,
               'fee', fee, 'net', net, 'currency', currency, 'source_id', source_id, 'made_at', made_at,
               'available_at', available_at, 'expected', expected) AS content,
           (SELECT coalesce(sum(line_change.amount), 0) FROM line_change
            WHERE line_change.transaction_id = stripe_line.transaction_id) AS changed_by
    FROM stripe_line WHERE transaction_id = ANY (CAST(:ids AS text[])) ORDER BY transaction_id FOR UPDATE
"""


async def lock_known(tx: Tx, ids: Sequence[str]) -> dict[str, KnownLine]:
    """Lock lines that are here already."""
    if not ids:
        return {}
    return {
        row.transaction_id: KnownLine(
            version=row.version,
            noted_at=row.noted_at,
            content=row.content,
            day=row.day,
            counted=row.counted,
            changed_by=int(row.changed_by),
        )
        for row in await tx.all(_KNOWN, ids=list(ids))
    }


_KEEP_VERSION: Final = """
    INSERT INTO stripe_line_version (transaction_id, version, noted_at, content)
    VALUES (:id, :version, :noted_at, CAST(:content AS jsonb)) ON CONFLICT DO NOTHING
"""
_REPLACE: Final = """
    UPDATE stripe_line SET version = :version, type = :type, category = :category,
        balance_type = :balance_type,
        amount = :amount, fee = :fee, net = :net, currency = :currency, source_id = :source_id,
            made_at = :made_at,
        available_at = :available_at, expected = CAST(:expected AS text[]), noted_at = :noted_at, day = :day,
        counted = :counted
    WHERE transaction_id = :transaction_id
"""
_CHANGE: Final = """
    INSERT INTO line_change (transaction_id, version, currency, day, amount)
    VALUES (:id, :version, :currency, :day, :amount)
"""


async def replace(tx: Tx, line: StripeLine, was: KnownLine, day: date, counted: int) -> None:
    """Keep a line as it is shown now, and what it was."""
    await tx.execute(
        _KEEP_VERSION,
        id=line.transaction_id,
        version=was.version,
        noted_at=was.noted_at,
        content=json_parameter(dict(was.content)),
    )
    shown = _document(line)
    del shown["is_before"]
    await tx.execute(_REPLACE, **shown, day=day, counted=counted)


async def add_change(tx: Tx, line: StripeLine, currency: str, day: date, amount: int) -> None:
    """Note that a line of a signed day is another by this amount, on a later day."""
    await tx.execute(
        _CHANGE,
        id=line.transaction_id,
        version=line.version,
        currency=currency,
        day=day,
        amount=amount,
    )


_INSERT_JOURNALS: Final = """
    WITH inserted AS (
        INSERT INTO book_line (journal_id, source, event_type, currency, amount, at_stripe, parties,
            occurred_at,
                               recorded_at, version, day)
        SELECT journal_id, source, event_type, currency, amount, at_stripe,
               ARRAY(SELECT jsonb_array_elements_text(parties)), occurred_at, recorded_at, version, day
        FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS journal (
            journal_id uuid, source text, event_type text, currency text, amount bigint, at_stripe boolean,
            parties jsonb, occurred_at timestamptz, recorded_at timestamptz, version bigint, day date)
        ORDER BY journal_id
        ON CONFLICT DO NOTHING
        RETURNING journal_id, source, currency, amount, day
    ), opened AS (
        INSERT INTO open_journal (journal_id, source, currency, amount, day)
        SELECT journal_id, source, currency, amount, day FROM inserted
    )
    SELECT journal_id FROM inserted
"""


async def insert_journals(tx: Tx, journals: Sequence[tuple[BookLine, date]]) -> set[UUID]:
    """Keep journals with their days, each once however often it is published; the ids of the new ones."""
    if not journals:
        return set()
    rows = [
        {name: getattr(one, name) for name in BookLine.__slots__} | {"parties": list(one.parties), "day": day}
        for one, day in journals
    ]
    return {row.journal_id for row in await tx.all(_INSERT_JOURNALS, rows=json_parameter(rows))}


_OWN_REFUNDS: Final = """
    INSERT INTO own_refund (refund_id)
    SELECT DISTINCT id FROM unnest(CAST(:ids AS text[])) AS refund (id) ORDER BY id ON CONFLICT DO NOTHING
"""


async def keep_own_refunds(tx: Tx, refunds: Sequence[str]) -> None:
    """Keep which refunds Hobbs ordered."""
    if refunds:
        await tx.execute(_OWN_REFUNDS, ids=list(refunds))


_SENT: Final = """
    INSERT INTO sent_transfer (stripe_transfer_id, transfer_id)
    SELECT * FROM unnest(CAST(:ids AS text[]), CAST(:transfers AS uuid[])) ORDER BY 1 ON CONFLICT DO NOTHING
"""


async def keep_sent(tx: Tx, sent: Mapping[str, UUID]) -> None:
    """Keep which of our transfers each of Stripe's is."""
    if sent:
        await tx.execute(_SENT, ids=list(sent), transfers=list(sent.values()))


_ADD: Final = """
    INSERT INTO day_total AS total (currency, day, stripe, books)
    SELECT currency, day, stripe, books
    FROM jsonb_to_recordset(CAST(:moves AS jsonb)) AS moved (currency text, day date, stripe bigint,
        books bigint)
    ORDER BY currency, day
    ON CONFLICT (currency, day) DO UPDATE
    SET stripe = total.stripe + excluded.stripe, books = total.books + excluded.books
"""


async def add_totals(tx: Tx, moves: Sequence[Moved]) -> None:
    """Add what moved to the days' totals."""
    if moves:
        rows = [{name: getattr(move, name) for name in Moved.__slots__} for move in moves]
        await tx.execute(_ADD, moves=json_parameter(rows))
