"""SQL of dispatched flights."""

from collections.abc import Collection, Sequence
from datetime import date, datetime
from typing import Any

from fleet.database import Tx, json_parameter
from services.receivables.domain.credit import Credit
from services.receivables.domain.dispatches import Dispatch, Ended, State, Terms

_OPEN_FLIGHTS = """
    INSERT INTO dispatched_flight (flight_id)
    SELECT flight_id FROM unnest(CAST(:flight_ids AS text[])) AS named (flight_id) ORDER BY flight_id
    ON CONFLICT DO NOTHING
"""
_LOCK = """
    SELECT flight_id, ended FROM dispatched_flight
    WHERE flight_id = ANY (CAST(:flight_ids AS text[])) ORDER BY flight_id FOR UPDATE
"""


async def open_flights(tx: Tx, flight_ids: Collection[str]) -> None:
    """Make the rows of flights that are dispatched for the first time."""
    await tx.execute(_OPEN_FLIGHTS, flight_ids=sorted(flight_ids))


async def lock(tx: Tx, flight_ids: Collection[str]) -> dict[str, Ended | None]:
    """Lock flights, in their order; how each ended. Flights that were never dispatched are left out."""
    rows = await tx.all(_LOCK, flight_ids=sorted(flight_ids))
    return {row.flight_id: row.ended for row in rows}


_ADD = """
    INSERT INTO dispatch (flight_id, revision, student, currency, estimate, ends_at, activity, state, reason,
                          sentence, answered_at)
    SELECT said.flight_id, said.revision, said.student, said.currency, said.estimate, said.ends_at,
           said.activity,
           CASE WHEN later.revision IS NULL THEN 'waits' ELSE 'refused' END,
           CASE WHEN later.revision IS NOT NULL THEN 'dispatched_again' END,
           CASE WHEN later.revision IS NULL THEN '' ELSE 'read after revision ' || later.revision END,
           CASE WHEN later.revision IS NOT NULL THEN CAST(:at AS timestamptz) END
    FROM jsonb_to_recordset(CAST(:dispatches AS jsonb)) AS said (
        flight_id text, revision integer, student text, currency text, estimate bigint, ends_at timestamptz,
        activity text)
    LEFT JOIN LATERAL (SELECT max(known.revision) AS revision FROM dispatch AS known
                       WHERE known.flight_id = said.flight_id AND known.revision > said.revision) AS later
        ON true
    ON CONFLICT DO NOTHING
    RETURNING flight_id, revision, state
"""


async def add(tx: Tx, dispatches: Sequence[Dispatch], at: datetime) -> dict[tuple[str, int], State]:
    """Keep dispatches that are not known, with the state of each: what a later one overtook is refused."""
    said = [
        {
            "flight_id": one.flight_id,
            "revision": one.revision,
            "student": one.student,
            "currency": one.currency,
            "estimate": one.estimate,
            "ends_at": one.ends_at.isoformat(),
            "activity": one.activity,
        }
        for one in dispatches
    ]
    rows = await tx.all(_ADD, dispatches=json_parameter(said), at=at)
    return {(row.flight_id, row.revision): row.state for row in rows}


_OF_FLIGHTS = """
    SELECT flight_id, revision, student, currency, estimate, ends_at, state, held, expires_at, activity
    FROM dispatch
    WHERE flight_id = ANY (CAST(:flight_ids AS text[]))
      AND state IN ('waits', 'asked', 'cleared', 'voiding')
    ORDER BY flight_id, revision
"""


async def open_of(tx: Tx, flight_ids: Collection[str]) -> dict[str, list[Dispatch]]:
    """The dispatches of locked flights that are not over, in the order of their revisions."""
    found: dict[str, list[Dispatch]] = {}
    for row in await tx.all(_OF_FLIGHTS, flight_ids=sorted(flight_ids)):
        found.setdefault(row.flight_id, []).append(Dispatch(**row._mapping))
    return found


# One statement for all that is judged together, as somebody waits for each; each function has its own plan.
_TERMS = """
    SELECT asked.flight_id, stands.student, stands.currency, stands.posted, stands.pending, stands.available,
           stands.disputed, stands.credit_limit, stands.room, stands.used_percent, stands.level,
           stands.frozen, stands.own_limit, stands.until,
           receivables_public.activity_limit_on(:day, asked.activity) AS of_kind,
           (SELECT coalesce(sum(amount), 0)::bigint FROM credit_allowance AS given
            WHERE given.flight_id = asked.flight_id AND given.student = asked.student
              AND given.closed_at IS NULL AND given.until > :now
              AND (NOT given.needs_second OR given.approved_at IS NOT NULL)) AS allowed,
           blocked.currency AS overdue_in, blocked.total AS overdue
    FROM unnest(CAST(:flights AS text[]), CAST(:students AS text[]), CAST(:activities AS text[]))
        AS asked (flight_id, student, activity)
    LEFT JOIN receivables_public.credits_of(:day, CAST(:students AS text[])) AS stands
        ON stands.student = asked.student
    LEFT JOIN LATERAL receivables_public.overdue_that_blocks(:day, asked.student) AS blocked ON true
"""
_ASK = """
    UPDATE dispatch SET state = 'asked', held = asked.held, expires_at = asked.expires_at,
                        allowed = asked.allowed
    FROM jsonb_to_recordset(CAST(:asked AS jsonb)) AS asked (
        flight_id text, revision integer, held bigint, expires_at timestamptz, allowed bigint)
    WHERE dispatch.flight_id = asked.flight_id AND dispatch.revision = asked.revision
"""
_SET = """
    UPDATE dispatch SET state = moved.state,
        answered_at = coalesce(answered_at, CAST(:at AS timestamptz)),
        closed_at = CASE WHEN moved.state = 'closed' THEN CAST(:at AS timestamptz) END
    FROM unnest(CAST(:flight_ids AS text[]), CAST(:revisions AS integer[]), CAST(:states AS text[]))
        AS moved (flight_id, revision, state)
    WHERE dispatch.flight_id = moved.flight_id AND dispatch.revision = moved.revision
"""
_REFUSE = """
    UPDATE dispatch SET state = 'refused', reason = :reason, sentence = :sentence, shortfall = :shortfall,
                        answered_at = :at
    WHERE flight_id = :flight_id AND revision = :revision
"""


async def terms(tx: Tx, dispatches: Sequence[Dispatch], day: date, now: datetime) -> dict[str, Terms]:
    """What dispatches of different flights are judged by on a day, by flight."""
    rows = await tx.all(
        _TERMS,
        day=day,
        now=now,
        flights=[one.flight_id for one in dispatches],
        students=[one.student for one in dispatches],
        activities=[one.activity for one in dispatches],
    )
    return {row.flight_id: _terms_of(**row._mapping) for row in rows}


def _terms_of(
    *, flight_id: str, of_kind: int | None, allowed: int, overdue_in: str | None, overdue: int, **stands: Any
) -> Terms:
    return Terms(
        credit=None if stands["student"] is None else Credit(**stands),
        of_kind=of_kind,
        allowed=allowed,
        blocked=None if overdue_in is None else (overdue_in, overdue),
    )


async def ask(tx: Tx, dispatches: Sequence[Dispatch]) -> None:
    """Note that the dispatches' holds are asked for."""
    said = [
        {
            "flight_id": one.flight_id,
            "revision": one.revision,
            "held": one.held,
            "expires_at": one.expires_at and one.expires_at.isoformat(),
            "allowed": one.allowed,
        }
        for one in dispatches
    ]
    await tx.execute(_ASK, asked=json_parameter(said))


async def set_states(tx: Tx, moved: Sequence[tuple[Dispatch, State]], at: datetime) -> None:
    """Note that dispatches are cleared, voiding or closed; of one that is named twice, the last."""
    last = {(one.flight_id, one.revision): state for one, state in moved}
    if not last:
        return
    await tx.execute(
        _SET,
        flight_ids=[flight_id for flight_id, _ in last],
        revisions=[revision for _, revision in last],
        states=list(last.values()),
        at=at,
    )


async def refuse(
    tx: Tx, dispatch: Dispatch, *, reason: str, sentence: str, shortfall: int | None, at: datetime
) -> None:
    """Note that a dispatch is refused, and why."""
    await tx.execute(
        _REFUSE,
        flight_id=dispatch.flight_id,
        revision=dispatch.revision,
        reason=reason,
        sentence=sentence,
        shortfall=shortfall,
        at=at,
    )


# A bill on which nobody owes anything has no journal. Only flights with something open are looked at.
_ENDED = """
    SELECT flight.flight_id, CASE WHEN bill.flight_id IS NULL THEN 'cancelled' ELSE 'billed' END AS how
    FROM dispatched_flight AS flight
    LEFT JOIN billing_public.bills AS bill ON bill.flight_id = flight.flight_id AND bill.corrects IS NULL
    WHERE ended IS NULL
      AND flight.flight_id IN (SELECT open.flight_id FROM dispatch AS open
                               WHERE open.state IN ('waits', 'asked', 'cleared', 'voiding'))
      AND (EXISTS (SELECT FROM billing_public.cancelled_flights AS gone
                   WHERE gone.flight_id = flight.flight_id)
           OR bill.charge = 0
           OR EXISTS (SELECT FROM ledger_public.journals AS posted
                      WHERE posted.source = 'flight:' || bill.flight_id || ':' || bill.revision))
    ORDER BY flight_id LIMIT :most
"""
_END = """
    UPDATE dispatched_flight SET ended = ends.how, ended_at = :at
    FROM jsonb_to_recordset(CAST(:ends AS jsonb)) AS ends (flight_id text, how text)
    WHERE dispatched_flight.flight_id = ends.flight_id AND ended IS NULL
"""


async def over(tx: Tx, *, most: int) -> dict[str, Ended]:
    """Flights whose dispatch is open and that were billed in the ledger, or cancelled."""
    rows = await tx.all(_ENDED, most=most)
    return {row.flight_id: row.how for row in rows}


async def end(tx: Tx, ends: dict[str, Ended], at: datetime) -> None:
    """Note how locked flights ended."""
    told = [{"flight_id": flight_id, "how": how} for flight_id, how in ends.items()]
    await tx.execute(_END, ends=json_parameter(told), at=at)
