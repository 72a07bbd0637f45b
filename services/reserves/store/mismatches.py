"""SQL of flights compared three ways: from what billing, the ledger and payouts publish to our queue."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final
from uuid import UUID

from fleet.database import Tx, json_parameter
from services.reserves.domain.mismatches import Found, Owed, Reading, Unmatched

# Only the meter that a flight is billed by; what an hour costs is on the bill, whatever its lines are called.
_READINGS: Final = """
    SELECT chain.aircraft, chain.meter, chain.flight_id, chain.previous_flight_id, chain.billed_on AS day,
           chain.out_tenths, chain.in_tenths, chain.reached_tenths, bill.currency,
           coalesce((SELECT max(rate) FROM billing_public.bill_lines AS line
                     WHERE line.bill_id = chain.bill_id AND line.kind IN ('rental', 'bundle')), 0) AS per_hour
    FROM billing_public.meter_chain AS chain JOIN billing_public.bills AS bill USING (bill_id)
    WHERE chain.billed_on >= :since AND bill.hours_from = chain.meter AND chain.reached_tenths IS NOT NULL
      AND (chain.out_tenths > chain.reached_tenths
           OR least(chain.reached_tenths, chain.in_tenths) > chain.out_tenths)
    ORDER BY chain.aircraft, chain.meter, chain.out_tenths, chain.flight_id
"""


async def readings(tx: Tx, since: date) -> list[Reading]:
    """Flights from a day on that do not begin where their aircraft's meter was."""
    return [Reading(**row._mapping) for row in await tx.all(_READINGS, since=since)]


# A correction is the adjustments' matter; a bill of nothing needs no journal.
_BILLS: Final = """
    SELECT bill.flight_id, 'flight:' || bill.flight_id || ':' || bill.revision AS source, bill.aircraft,
           bill.billed_on AS day, bill.charge AS amount, bill.currency
    FROM billing_public.bills AS bill
    WHERE bill.billed_on >= :since AND bill.billed_at < :before AND bill.corrects IS NULL
      AND (bill.charge > 0 OR bill.legs_total > 0)
      AND NOT EXISTS (SELECT FROM ledger_public.entries AS entry
                      WHERE entry.source = 'flight:' || bill.flight_id || ':' || bill.revision)
    ORDER BY source
"""


async def bills_without_a_journal(tx: Tx, since: date, before: datetime) -> list[Unmatched]:
    """Bills of flights from a day on, made before an instant, of which the ledger knows nothing."""
    return [Unmatched(**row._mapping) for row in await tx.all(_BILLS, since=since, before=before)]


_JOURNALS: Final = """
    SELECT substr(regexp_replace(source, ':[0-9]+$', ''), length('flight:') + 1) AS flight_id, source,
           CAST(NULL AS text) AS aircraft, CAST(min(occurred_at) AT TIME ZONE :zone AS date) AS day,
           sum(amount) FILTER (WHERE amount > 0)::bigint AS amount, currency
    FROM ledger_public.entries AS entry
    WHERE event_type = 'flight' AND occurred_at >= :since AND recorded_at < :before
      AND NOT EXISTS (
          SELECT FROM billing_public.bills AS bill
          WHERE bill.flight_id = substr(regexp_replace(source, ':[0-9]+$', ''), length('flight:') + 1)
            AND bill.revision = CAST(substring(source FROM ':([0-9]{1,9})$') AS integer))
    GROUP BY source, currency ORDER BY source
"""


async def journals_without_a_bill(tx: Tx, since: datetime, before: datetime, zone: str) -> list[Unmatched]:
    """Journals of flights since an instant that billing knows nothing of."""
    rows = await tx.all(_JOURNALS, since=since, before=before, zone=zone)
    return [Unmatched(**row._mapping) for row in rows]


_OWED: Final = """
    WITH leg AS (
        SELECT bill.flight_id, 'flight:' || bill.flight_id || ':' || bill.revision AS source, leg.wallet,
               bill.aircraft, bill.billed_on AS day, bill.currency, bill.in_force,
               sum(leg.amount)::bigint AS billed
        FROM billing_public.bills AS bill JOIN billing_public.bill_legs AS leg USING (bill_id)
        WHERE bill.billed_on >= :since AND bill.billed_at < :before AND bill.corrects IS NULL
          AND split_part(leg.wallet, ':', 1) IN ('instructor', 'aircraft_owner')
        GROUP BY 1, 2, 3, 4, 5, 6, 7 HAVING sum(leg.amount) > 0
    ), entry AS (
        SELECT source, address, sum(amount)::bigint AS amount FROM ledger_public.entries
        WHERE event_type = 'flight' AND occurred_at >= :since_instant
        GROUP BY source, address
    ), payable AS (
        SELECT payable.source, payable.wallet, sum(payable.amount)::bigint AS amount,
               sum(payable.amount) FILTER (WHERE payable.clawback_id IS NULL
                   AND (transfer.state IS NULL
                        OR transfer.state NOT IN ('sent', 'in_bank', 'partly_reversed', 'reversed')))::bigint
                   AS unsent,
               min(coalesce(transfer.sentence, transfer.reason, transfer.state, 'no transfer is made'))
                   AS waits,
               min(payable.accrued_at) < :overdue AS overdue
        FROM payouts_public.payables AS payable
        LEFT JOIN payouts_public.transfers AS transfer ON transfer.id = payable.transfer_id
        WHERE payable.event_type = 'flight' AND payable.occurred_at >= :since_instant
          AND payable.stands_for IS NULL
        GROUP BY payable.source, payable.wallet
    )
    SELECT leg.flight_id, leg.source, leg.wallet, leg.aircraft, leg.day, leg.currency, leg.billed,
           CASE WHEN posted.source IS NULL THEN NULL ELSE coalesce(entry.amount, 0) END AS booked,
           payable.amount AS owed, coalesce(payable.unsent, 0) AS unsent,
           coalesce(payable.waits, '') AS waits,
           coalesce(payable.overdue AND leg.in_force, false) AS overdue
    FROM leg
    LEFT JOIN (SELECT DISTINCT source FROM entry) AS posted USING (source)
    LEFT JOIN entry ON entry.source = leg.source AND entry.address = leg.wallet
    LEFT JOIN payable ON payable.source = leg.source AND payable.wallet = leg.wallet
    WHERE posted.source IS NULL OR coalesce(entry.amount, 0) <> leg.billed
       OR coalesce(payable.amount, 0) <> leg.billed OR payable.unsent > 0 AND payable.overdue AND leg.in_force
    ORDER BY leg.source, leg.wallet
"""


async def owed(
    tx: Tx, since: date, since_instant: datetime, *, before: datetime, overdue: datetime
) -> list[Owed]:
    """What bills, books and payouts say differently of a payee's money; overdue: owed before this instant."""
    rows = await tx.all(_OWED, since=since, since_instant=since_instant, before=before, overdue=overdue)
    return [Owed(**row._mapping) for row in rows]


# Runs that meet: one after the other.
_LOCK: Final = "SELECT pg_advisory_xact_lock(hashtextextended('hobbs:reserves:mismatches', 0))"
_KEEP: Final = """
    INSERT INTO mismatch AS kept (subject, kind, flight_id, aircraft, wallet, day, tenths, amount, currency,
                                  sentence, found_at)
    SELECT subject, kind, flight_id, aircraft, wallet, day, tenths, amount, currency, sentence, :now
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS found (
        subject text, kind text, flight_id text, aircraft text, wallet text, day date, tenths integer,
        amount bigint, currency text, sentence text)
    ORDER BY subject
    ON CONFLICT (subject) WHERE closed_at IS NULL DO UPDATE SET
        day = excluded.day, tenths = excluded.tenths, amount = excluded.amount, sentence = excluded.sentence
    WHERE (kept.day, kept.tenths, kept.amount, kept.sentence)
        IS DISTINCT FROM (excluded.day, excluded.tenths, excluded.amount, excluded.sentence)
"""
_CLOSE: Final = """
    UPDATE mismatch SET closed_at = :now
    WHERE closed_at IS NULL AND day >= :since
      AND NOT EXISTS (SELECT FROM unnest(CAST(:subjects AS text[]), CAST(:kinds AS text[]))
                          AS found (subject, kind)
                      WHERE found.subject = mismatch.subject AND found.kind = mismatch.kind)
"""


async def keep(tx: Tx, found: Sequence[Found], since: date, now: datetime) -> None:
    """Keep what does not agree; close what agrees by now, and what does not agree in another way."""
    await tx.execute(_LOCK)
    subjects, kinds = [one.subject for one in found], [str(one.kind) for one in found]
    await tx.execute(_CLOSE, now=now, since=since, subjects=subjects, kinds=kinds)
    rows = [{name: getattr(one, name) for name in Found.__slots__} for one in found]
    if rows:
        await tx.execute(_KEEP, rows=json_parameter(rows), now=now)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptMismatch:
    """A mismatch in the queue."""

    id: int
    sentence: str
    content_hash: str
    is_closed: bool


_ONE: Final = """
    SELECT id, sentence, content_hash, closed_at IS NOT NULL AS is_closed
    FROM mismatch WHERE id = :id FOR UPDATE
"""


async def lock(tx: Tx, mismatch_id: int) -> KeptMismatch | None:
    """One mismatch, locked; None: there is none of this number."""
    row = await tx.first(_ONE, id=mismatch_id)
    return None if row is None else KeptMismatch(**row._mapping)


_EXPLAIN: Final = """
    INSERT INTO mismatch_reason (decision_id, mismatch_id, content_hash, who, why, given_at)
    VALUES (:decision_id, :id, :hash, :who, :why, :now)
"""


async def explain(
    tx: Tx, found: KeptMismatch, *, decision_id: UUID, who: str, why: str, now: datetime
) -> None:
    """Keep why a mismatch is as it should be."""
    await tx.execute(
        _EXPLAIN, decision_id=decision_id, id=found.id, hash=found.content_hash, who=who, why=why, now=now
    )


_OPEN: Final = """
    SELECT kind, count(*) AS number FROM reserves_public.mismatches
    WHERE closed_at IS NULL AND state = 'open' GROUP BY kind  -- the first condition has an index
"""


async def open_by_kind(tx: Tx) -> dict[str, int]:
    """How many wait for a reason, by kind."""
    return {row.kind: row.number for row in await tx.all(_OPEN)}
