"""What people ask of corrections, read from billing's published views. Amounts are minor units."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal

from sqlalchemy import Row

from fleet.database import Tx
from services.billing.domain.bills import entries_of
from services.billing.domain.revisions import FiledBill, History


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingRevision:
    """A correction or a cancellation before its turn. `billed_revision`: the one in force; None: no bill."""

    flight_id: str
    revision: int
    kind: Literal["corrected", "cancelled"]
    reason: str
    made_by: str
    kept_at: datetime
    billed_revision: int | None

    def why(self) -> str:
        """What it waits for, as a sentence."""
        if self.billed_revision is None:
            return "waits for its flight, which did not come yet"
        first, last = self.billed_revision + 1, self.revision - 1
        missing = f"revision {first}" if first >= last else f"a revision from {first} to {last}"
        return f"waits for {missing}: revision {self.billed_revision} is in force"


_WAITING = """
    SELECT flight_id, revision, kind, reason, made_by, kept_at, billed_revision
    FROM billing_public.waiting_revisions
    WHERE CAST(:flight_id AS text) IS NULL OR flight_id = :flight_id
    ORDER BY kept_at DESC, flight_id, revision LIMIT :most OFFSET :skip
"""


async def waiting_revisions(
    tx: Tx, *, flight_id: str | None = None, most: int = 1000, skip: int = 0
) -> list[WaitingRevision]:
    """The revisions that came last of those that wait, but for `skip`, the latest last."""
    rows = await tx.all(_WAITING, flight_id=flight_id, most=most, skip=skip)
    return [WaitingRevision(**row._mapping) for row in reversed(rows)]


_BILLS = """
    SELECT bill_id, flight_id, revision, corrects, student, billed_on, occurred_at, currency, charge, margin,
           legs, school_version
    FROM billing_public.bills WHERE flight_id = ANY (CAST(:flight_ids AS text[])) ORDER BY flight_id, revision
"""
_CANCELLED = """
    SELECT flight_id, revision FROM billing_public.cancelled_flights
    WHERE flight_id = ANY (CAST(:flight_ids AS text[]))
"""
_REFUSED = """
    SELECT flight_id, revision, topic FROM billing_public.refused_flights
    WHERE flight_id = ANY (CAST(:flight_ids AS text[]))
      AND reason NOT IN ('billed_with_other_content', 'waits_with_other_content')
"""


async def flight_histories(tx: Tx, flight_ids: Collection[str]) -> dict[str, History]:
    """What is known of each of these flights; fingerprints, which are not published, are empty."""
    wanted = sorted(flight_ids)
    grouped: dict[str, tuple[list[Row[Any]], list[Row[Any]], list[Row[Any]]]] = {
        flight_id: ([], [], []) for flight_id in wanted
    }
    for part, sql in enumerate((_BILLS, _CANCELLED, _REFUSED)):
        for row in await tx.all(sql, flight_ids=wanted):
            grouped[row.flight_id][part].append(row)
    return {flight_id: _history(*parts) for flight_id, parts in grouped.items()}


def _history(bills: list[Row[Any]], cancelled: list[Row[Any]], refused: list[Row[Any]]) -> History:
    return History(
        first=next((_filed(row) for row in bills if row.corrects is None), None),
        in_force=_filed(bills[-1]) if bills else None,
        fingerprints={row.revision: "" for row in (*cancelled, *bills)},
        refused=frozenset(row.revision for row in refused),
        refused_flights=frozenset(row.revision for row in refused if row.topic == "flight.completed"),
    )


def _filed(row: Row[Any]) -> FiledBill:
    legs = [(leg["wallet"], leg["amount"]) for leg in row.legs]
    return FiledBill(
        bill_id=row.bill_id,
        flight_id=row.flight_id,
        revision=row.revision,
        student=row.student,
        billed_on=row.billed_on,
        occurred_at=row.occurred_at,
        currency=row.currency,
        school_version=row.school_version,
        entries=tuple(entries_of(row.student, row.charge, legs, row.margin)),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class StandingFlight:
    """A flight by its bill in force: its facts, and whether a revision of it waits."""

    flight_id: str
    revision: int
    facts: Mapping[str, Any]
    waits: bool


_STANDING = """
    SELECT flight_id, revision, facts,
           EXISTS (SELECT FROM billing_public.waiting_revisions AS waiting
                   WHERE waiting.flight_id = bill.flight_id) AS waits
    FROM billing_public.bills AS bill
    WHERE in_force AND kind NOT IN ('cancelled', 'elsewhere') AND billed_on >= :since
      AND (CAST(:until AS date) IS NULL OR billed_on <= :until)
      AND (CAST(:aircraft AS text) IS NULL OR aircraft = :aircraft)
      AND (CAST(:instructor AS text) IS NULL OR instructor = :instructor)
      AND (CAST(:student AS text) IS NULL OR student = :student)
    ORDER BY billed_on, flight_id
"""


async def standing_flights(
    tx: Tx,
    *,
    since: date,
    until: date | None = None,
    aircraft: str | None = None,
    instructor: str | None = None,
    student: str | None = None,
) -> list[StandingFlight]:
    """The flights billed from `since` to `until`, both included, that are not cancelled, oldest first."""
    wanted = {"aircraft": aircraft, "instructor": instructor, "student": student}
    rows = await tx.all(_STANDING, since=since, until=until, **wanted)
    return [StandingFlight(**row._mapping) for row in rows]
