"""The statements about what was decided of a flight: bills, refusals, a cancellation without a bill."""

from collections.abc import Collection, Iterable
from typing import Any

from sqlalchemy import Row

from fleet.database import Tx
from services.billing.domain.bills import entries_of
from services.billing.domain.revisions import CancelledUnbilled, FiledBill, History

_BILLS = """
    SELECT id, flight_id, revision, corrects, fingerprint, student, billed_on, occurred_at, currency, charge,
           margin, legs, school_version, kind
    FROM bill WHERE flight_id = ANY (CAST(:flight_ids AS text[]))
    ORDER BY flight_id, revision
"""
_CANCELLED = """
    SELECT flight_id, revision, fingerprint FROM cancelled_flight
    WHERE flight_id = ANY (CAST(:flight_ids AS text[]))
"""
# A letter about another content of a revision says nothing of the revision itself.
_REFUSED = """
    SELECT substring(subject FROM '^flight:(.*):[0-9]+$') AS flight_id, topic,
           substring(subject FROM ':([0-9]{1,9})$')::integer AS revision
    FROM dead_letter
    WHERE substring(subject FROM '^flight:(.*):[0-9]+$') = ANY (CAST(:flight_ids AS text[]))
      AND state IN ('open', 'discarded')
      AND topic IN ('flight.completed', 'flight.corrected', 'flight.cancelled')
      AND reason NOT IN ('billed_with_other_content', 'waits_with_other_content')
"""


async def histories(tx: Tx, flight_ids: Collection[str]) -> dict[str, History]:
    """What is known of each of these flights."""
    wanted = sorted(flight_ids)
    bills = await tx.all(_BILLS, flight_ids=wanted)
    cancelled = await tx.all(_CANCELLED, flight_ids=wanted)
    refused = await tx.all(_REFUSED, flight_ids=wanted)
    parts = [_by_flight(rows) for rows in (bills, cancelled, refused)]
    return {flight_id: _history(*(part.get(flight_id, []) for part in parts)) for flight_id in wanted}


def _by_flight(rows: Iterable[Row[Any]]) -> dict[str, list[Row[Any]]]:
    grouped: dict[str, list[Row[Any]]] = {}
    for row in rows:
        grouped.setdefault(row.flight_id, []).append(row)
    return grouped


def _history(bills: list[Row[Any]], cancelled: list[Row[Any]], refused: list[Row[Any]]) -> History:
    return History(
        first=next((_filed(row) for row in bills if row.corrects is None), None),
        in_force=_filed(bills[-1]) if bills else None,
        fingerprints={row.revision: row.fingerprint for row in (*cancelled, *bills)},
        refused=frozenset(row.revision for row in refused),
        refused_flights=frozenset(row.revision for row in refused if row.topic == "flight.completed"),
    )


def _filed(row: Row[Any]) -> FiledBill:
    legs = [(leg["wallet"], leg["amount"]) for leg in row.legs]
    return FiledBill(
        bill_id=row.id,
        flight_id=row.flight_id,
        revision=row.revision,
        student=row.student,
        billed_on=row.billed_on,
        occurred_at=row.occurred_at,
        currency=row.currency,
        school_version=row.school_version,
        entries=tuple(entries_of(row.student, row.charge, legs, row.margin)),
        elsewhere=row.kind == "elsewhere",
    )


_CANCEL = """
    INSERT INTO cancelled_flight (flight_id, revision, fingerprint, reason, made_by)
    SELECT * FROM unnest(CAST(:flight_ids AS text[]), CAST(:revisions AS integer[]),
                         CAST(:fingerprints AS text[]), CAST(:reasons AS text[]), CAST(:makers AS text[]))
    ON CONFLICT DO NOTHING
    RETURNING flight_id
"""


async def cancel(tx: Tx, cancelled: Collection[CancelledUnbilled]) -> set[str]:
    """Note flights that were cancelled and have no bill; the ids that were noted."""
    if not cancelled:
        return set()
    said = sorted((one.revision for one in cancelled), key=lambda revision: revision.flight_id)
    rows = await tx.all(
        _CANCEL,
        flight_ids=[revision.flight_id for revision in said],
        revisions=[revision.revision for revision in said],
        fingerprints=[revision.fingerprint() for revision in said],
        reasons=[revision.reason for revision in said],
        makers=[revision.made_by for revision in said],
    )
    return {row.flight_id for row in rows}
