"""SQL of the rows of the platform's Stripe balance, and of the journals that move its cash in the books."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fleet.database import Tx, json_parameter
from services.payouts.domain.movements import (
    PAYMENTS,
    CashJournal,
    Judged,
    Movement,
    MovementListing,
    OverdueMovement,
    overdue_sentence,
)

_BEGIN = """
    UPDATE movement_listing SET begun_at = coalesce(begun_at, :now) WHERE opened_at IS NOT NULL
    RETURNING opened_after, listed_until, begun_at, page_after
"""


async def begin_listing(tx: Tx, now: datetime) -> MovementListing | None:
    """Begin a listing, or go on with the one that was broken off; None: the opening is not known yet."""
    row = await tx.first(_BEGIN, now=now)
    if row is None:
        return None
    return MovementListing(
        opened_after=row.opened_after,
        listed_until=row.listed_until,
        begun_at=row.begun_at,
        page_after=row.page_after,
    )


_OPEN = """
    UPDATE movement_listing SET opened_at = :now, opened_after = :newest, listed_until = :newest
    WHERE opened_at IS NULL RETURNING only_row
"""
_OPENING = """
    INSERT INTO movement_opening (currency, amount, unlisted, since)
    SELECT key, CAST(value AS bigint), CAST(value AS bigint), :newest
    FROM jsonb_each_text(CAST(:amounts AS jsonb))
"""


async def open_listing(tx: Tx, amounts: Mapping[str, int], newest: datetime, now: datetime) -> bool:
    """Note what Stripe holds and that rows are listed from here on; False: another process did."""
    if await tx.first(_OPEN, now=now, newest=newest) is None:
        return False
    await tx.execute(_OPENING, amounts=json_parameter(dict(amounts)), newest=newest)
    return True


_TURN = """
    UPDATE movement_listing
    SET page_after = :after, newest_at = greatest(newest_at, CAST(:newest AS timestamptz))
    WHERE begun_at = :begun_at AND page_after IS NOT DISTINCT FROM :was RETURNING only_row
"""


async def turn_page(tx: Tx, listing: MovementListing, after: str | None, newest: datetime | None) -> bool:
    """Move the place past a page; False when another process moved it meanwhile: then write nothing."""
    turned = await tx.first(
        _TURN, begun_at=listing.begun_at, was=listing.page_after, after=after, newest=newest
    )
    return turned is not None


_COMPLETE = """
    UPDATE movement_listing SET listed_until = greatest(listed_until, newest_at), begun_at = NULL,
        page_after = NULL, newest_at = NULL, completed_at = :now
"""


async def complete_listing(tx: Tx, now: datetime) -> None:
    """Note that every row made before the newest one was listed."""
    await tx.execute(_COMPLETE, now=now)


_START_OVER = """
    UPDATE movement_listing SET begun_at = NULL, page_after = NULL, newest_at = NULL
    WHERE begun_at = :begun_at
"""


async def start_over(tx: Tx, listing: MovementListing) -> None:
    """Forget the place in the list, because Stripe does not know it any more."""
    await tx.execute(_START_OVER, begun_at=listing.begun_at)


_NOTE = """
    INSERT INTO movement (transaction_id, type, category, balance_type, amount, fee, net, currency, source_id,
                          description, made_at, available_at, content, noted_at, expected, booked, standing,
                          sentence, explained_at)
    SELECT transaction_id, type, category, balance_type, amount, fee, net, currency, source_id, description,
           made_at, available_at, content, :now, ARRAY(SELECT jsonb_array_elements_text(expected)), booked,
           standing, sentence, CASE standing WHEN 'explained' THEN CAST(:now AS timestamptz) END
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS listed (
        transaction_id text, type text, category text, balance_type text, amount bigint, fee bigint,
        net bigint, currency text, source_id text, description text,
        made_at timestamptz, available_at timestamptz, content text, expected jsonb, booked boolean,
        standing text, sentence text)
    ORDER BY transaction_id
    ON CONFLICT (transaction_id) DO NOTHING
    RETURNING transaction_id
"""
# What the books were asked for by the first version stands; `shown` is what Stripe shows now.
_CHANGED = """
    UPDATE movement SET version = movement.version + 1, content = listed.document ->> 'content',
        shown = listed.document || jsonb_build_object('noted_at', CAST(:now AS timestamptz))
    FROM (SELECT value ->> 'transaction_id' AS transaction_id, value AS document
          FROM jsonb_array_elements(CAST(:rows AS jsonb)) ORDER BY 1) AS listed
    WHERE movement.transaction_id = listed.transaction_id
      AND movement.content IS DISTINCT FROM listed.document ->> 'content'
    RETURNING movement.transaction_id, (movement.type, movement.amount, movement.fee, movement.currency)
        <> (shown ->> 'type', CAST(shown ->> 'amount' AS bigint), CAST(shown ->> 'fee' AS bigint),
            shown ->> 'currency') AS is_odd
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Noted:
    """Of a page: rows that are new, rows whose money Stripe shows differently, all that others must hear."""

    new: list[Judged]
    odd: list[Movement]
    told: list[str]


async def note(tx: Tx, judged: Sequence[Judged], now: datetime) -> Noted:
    """Note the rows of a page: those that were not known yet, and those that Stripe shows differently."""
    return await _insert(tx, [_document(one, one.standing, one.sentence) for one in judged], judged, now)


async def note_before(tx: Tx, judged: Sequence[Judged], now: datetime) -> Noted:
    """Note rows that are in the opening already, so that no listing takes them for new ones."""
    before = [_document(one, "before", None) | {"booked": False} for one in judged]
    noted = await _insert(tx, before, judged, now)
    await _take_from_opening(tx, [one.movement for one in noted.new])
    return noted


async def _insert(
    tx: Tx, documents: Sequence[Mapping[str, Any]], judged: Sequence[Judged], now: datetime
) -> Noted:
    if not documents:
        return Noted(new=[], odd=[], told=[])
    rows = json_parameter(list(documents))
    new = {row.transaction_id for row in await tx.all(_NOTE, rows=rows, now=now)}
    changed = {row.transaction_id: row.is_odd for row in await tx.all(_CHANGED, rows=rows, now=now)}
    by_id = {one.movement.transaction_id: one for one in judged}
    return Noted(
        new=[one for key, one in by_id.items() if key in new],
        odd=[one.movement for key, one in by_id.items() if changed.get(key)],
        told=sorted({*new, *changed}),
    )


_LESS_UNLISTED = """
    INSERT INTO movement_opening AS opening (currency, amount, unlisted, since)
    SELECT currency, 0, -sum(net), min(made_at)
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS listed (currency text, net bigint, made_at timestamptz)
    GROUP BY currency ORDER BY currency
    ON CONFLICT (currency) DO UPDATE SET unlisted = opening.unlisted + excluded.unlisted,
        since = least(opening.since, excluded.since)
"""


async def _take_from_opening(tx: Tx, listed: Sequence[Movement]) -> None:
    """Note that rows of before are listed: so much less of the opening is unlisted."""
    rows = [
        {"currency": one.currency, "net": one.net, "made_at": one.made_at}
        for one in listed
        if one.balance_type == PAYMENTS
    ]
    if rows:
        await tx.execute(_LESS_UNLISTED, rows=json_parameter(rows))


def _document(judged: Judged, standing: str, sentence: str | None) -> dict[str, Any]:
    row = {name: getattr(judged.movement, name) for name in Movement.__slots__}
    row |= {"expected": list(judged.expected), "booked": judged.booking is not None}
    return row | {"standing": standing, "sentence": sentence, "content": judged.movement.content}


# Each journal is one row's: the oldest that names it. A journal that a person accepted for a row is named
# after it.
# A row whose journals move another amount stays open.
_EXPLAIN = """
    WITH wanted AS (
        SELECT DISTINCT ON (source, movement.currency) movement.transaction_id, movement.net,
               movement.currency, source
        FROM movement CROSS JOIN LATERAL (
            SELECT unnest(movement.expected) AS source
            UNION
            SELECT 'stripe:' || movement.transaction_id
            UNION ALL
            SELECT 'transfer:' || transfer.id FROM transfer
            WHERE movement.type = 'transfer' AND transfer.stripe_transfer_id = movement.source_id) AS named
        WHERE movement.explained_at IS NULL AND movement.closed_at IS NULL
        ORDER BY source, movement.currency, movement.made_at, movement.transaction_id
    ), told AS (
        SELECT wanted.transaction_id FROM wanted JOIN cash_journal USING (source, currency)
        WHERE cash_journal.transaction_id IS NULL
        GROUP BY wanted.transaction_id, wanted.net HAVING sum(cash_journal.amount) = -wanted.net
    ), taken AS (
        UPDATE cash_journal SET transaction_id = wanted.transaction_id
        FROM wanted JOIN told USING (transaction_id)
        WHERE cash_journal.source = wanted.source AND cash_journal.currency = wanted.currency
          AND cash_journal.transaction_id IS NULL
    )
    UPDATE movement SET explained_at = :now, sentence = NULL,
        standing = CASE standing WHEN 'before' THEN 'before' ELSE 'explained' END
    FROM told WHERE movement.transaction_id = told.transaction_id
"""


async def explain(tx: Tx, now: datetime) -> int:
    """Note the rows whose journals move exactly their net, and the journals as theirs; how many rows."""
    return await tx.execute(_EXPLAIN, now=now)


_OVERDUE = """
    SELECT transaction_id, type, expected, source_id,
           (SELECT sum(cash_journal.amount) FROM cash_journal
            WHERE cash_journal.source = ANY (movement.expected)) AS booked
    FROM movement
    WHERE standing = 'waiting' AND noted_at <= :before
      AND (type <> 'payment' OR available_at <= :before)  -- a bank takes days to say whether it pays a debit
    ORDER BY noted_at, transaction_id LIMIT :most FOR UPDATE
"""
_SHOW = """
    UPDATE movement SET standing = 'unexplained', sentence = told.value
    FROM jsonb_each_text(CAST(:sentences AS jsonb)) AS told WHERE movement.transaction_id = told.key
"""


async def show_overdue(tx: Tx, before: datetime, most: int) -> dict[str, OverdueMovement]:
    """Show rows that wait since before then for their journals as unexplained, by the rows' ids."""
    overdue = {
        row.transaction_id: OverdueMovement(
            type=row.type,
            expected=row.expected,
            source_id=row.source_id,
            booked=None if row.booked is None else int(row.booked),
        )
        for row in await tx.all(_OVERDUE, before=before, most=most)
    }
    if overdue:
        sentences = {name: overdue_sentence(row) for name, row in overdue.items()}
        await tx.execute(_SHOW, sentences=json_parameter(sentences))
    return overdue


_CLOSE = """
    UPDATE movement SET closed_at = :now, closed_by = :actor
    WHERE transaction_id = :id AND standing = 'unexplained' AND closed_at IS NULL
    RETURNING net, currency, sentence
"""
# Journals that moved another amount are the closed row's all the same.
_CLOSE_JOURNALS = """
    UPDATE cash_journal SET transaction_id = movement.transaction_id FROM movement
    WHERE movement.transaction_id = :id AND cash_journal.source = ANY (movement.expected)
      AND cash_journal.currency = movement.currency AND cash_journal.transaction_id IS NULL
"""


async def close(tx: Tx, transaction_id: str, actor: str, now: datetime) -> tuple[int, str, str] | None:
    """Note that a person dealt with an unexplained row: net, currency, sentence; None when none is open."""
    row = await tx.first(_CLOSE, id=transaction_id, actor=actor, now=now)
    if row is None:
        return None
    await tx.execute(_CLOSE_JOURNALS, id=transaction_id)
    return row.net, row.currency, row.sentence


_CASH = """
    INSERT INTO cash_journal (source, currency, event_type, amount, at_stripe, occurred_at, recorded_at)
    SELECT source, currency, event_type, amount, at_stripe, occurred_at, recorded_at
    FROM jsonb_to_recordset(CAST(:journals AS jsonb)) AS posted (
        source text, currency text, event_type text, amount bigint, at_stripe boolean,
        occurred_at timestamptz, recorded_at timestamptz)
    ORDER BY source, currency
    ON CONFLICT (source, currency) DO NOTHING
"""


async def note_cash(tx: Tx, journals: Sequence[CashJournal]) -> None:
    """Note journals that move Stripe's cash in the books, each once."""
    if journals:
        rows = [{name: getattr(one, name) for name in CashJournal.__slots__} for one in journals]
        await tx.execute(_CASH, journals=json_parameter(rows))


_OPEN_ROWS = "SELECT count(*) AS n FROM movement WHERE standing = 'unexplained' AND closed_at IS NULL"


async def count_unexplained(tx: Tx) -> int:
    return int((await tx.one(_OPEN_ROWS)).n)


_LISTING_AGE = "SELECT greatest(now() - completed_at, interval '0') AS age FROM movement_listing"


async def listing_age_s(tx: Tx) -> float:
    """How long ago the rows were last listed to the end."""
    return float((await tx.one(_LISTING_AGE)).age.total_seconds())
