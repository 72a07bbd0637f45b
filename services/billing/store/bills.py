"""The statements about bills, set-based."""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from fleet.database import Tx, json_parameter
from services.billing.domain.bills import Bill, Billed, lines_and_legs
from services.billing.domain.flights import Flight, MeterName

# Cancellations come first: the bill of a flight that was flown after all takes their place.
_BILLED = """
    SELECT flight_id, revision, fingerprint, true AS cancelled FROM cancelled_flight
    WHERE flight_id = ANY (CAST(:flight_ids AS text[]))
    UNION ALL
    SELECT flight_id, revision, fingerprint, false FROM bill
    WHERE corrects IS NULL AND flight_id = ANY (CAST(:flight_ids AS text[]))
    ORDER BY cancelled DESC, revision
"""


async def known(tx: Tx, flights: Iterable[Flight]) -> dict[str, Billed]:
    """By flight id: the first bill of each flight that has one, else its newest cancellation."""
    rows = await tx.all(_BILLED, flight_ids=sorted({flight.flight_id for flight in flights}))
    return {
        row.flight_id: Billed(revision=row.revision, fingerprint=row.fingerprint, cancelled=row.cancelled)
        for row in rows
    }


# jsonb_to_recordset: one parameter however many bills; ON CONFLICT: another member may have billed the flight
# since we looked, then its bill stands and the caller looks again.
_INSERT = """
    INSERT INTO bill (id, flight_id, revision, fingerprint, student, instructor, aircraft, billed_on,
                      occurred_at, currency, charge, legs_total, margin, hours_from, billed_tenths,
                      hobbs_out, hobbs_in, tach_out, tach_in,
                      facts, rates, lines, legs, flags, school_version,
                      corrects, kind, reason, made_by, priced_by)
    SELECT id, flight_id, revision, fingerprint, student, instructor, aircraft, billed_on, occurred_at,
           currency, charge, legs_total, margin, hours_from, billed_tenths,
           hobbs_out, hobbs_in, tach_out, tach_in, facts, rates, lines, legs, flags, school_version,
           corrects, kind, reason, made_by, priced_by
    FROM jsonb_to_recordset(CAST(:bills AS jsonb)) AS bill (
        id uuid, flight_id text, revision integer, fingerprint text, student text, instructor text,
        aircraft text, billed_on date, occurred_at timestamptz, currency text, charge bigint,
        legs_total bigint, margin bigint, hours_from text, billed_tenths integer,
        hobbs_out integer, hobbs_in integer, tach_out integer, tach_in integer,
        facts jsonb, rates jsonb, lines jsonb, legs jsonb, flags jsonb, school_version integer,
        corrects uuid, kind text, reason text, made_by text, priced_by text)
    ORDER BY flight_id
    ON CONFLICT DO NOTHING
    RETURNING id
"""


async def insert(tx: Tx, bills: Mapping[UUID, Bill]) -> set[UUID]:
    """Write bills; the ids that were written. Another process billed the missing ones meanwhile."""
    if not bills:
        return set()
    rows = await tx.all(
        _INSERT, bills=json_parameter([_row(bill_id, bill) for bill_id, bill in bills.items()])
    )
    return {row.id for row in rows}


_COPIED_FACTS = ("flight_id", "revision", "student", "instructor", "aircraft")


def _row(bill_id: UUID, bill: Bill) -> dict[str, Any]:
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
        "rates": [dated.named() for dated in bill.named],
        "lines": lines,
        "legs": legs,
        "flags": [{"kind": flag.kind, "sentence": flag.sentence} for flag in bill.flags],
        "school_version": bill.school_version,
        **_correction(bill),
        **{name: facts[name] for name in _COPIED_FACTS},
        **_readings(bill.flight, "hobbs"),
        **_readings(bill.flight, "tach"),
    }


def _correction(bill: Bill) -> dict[str, Any]:
    said, elsewhere = bill.correction, bill.flight.billed_by
    if elsewhere is not None:
        return {
            "kind": "elsewhere",
            "reason": "billed before the school came here",
            "made_by": elsewhere,
            "priced_by": "book",
        }
    if said is None:
        return {"kind": "completed"}
    return {
        "kind": said.kind,
        "corrects": said.corrects,
        "reason": said.reason,
        "made_by": said.made_by,
        "priced_by": said.priced_by,
    }


def _readings(flight: Flight, name: MeterName) -> dict[str, int | None]:
    """The meter's columns: as it would read had it not rolled over, so that they only grow."""
    read = flight.meter(name).continued()
    return {f"{name}_out": read.out, f"{name}_in": read.in_}
