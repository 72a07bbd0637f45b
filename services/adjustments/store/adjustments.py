"""SQL of adjustments and their history: a state changes only together with a history row.

Written under the lock of the flight. A trigger computes content_hash and largest (functions/guards.sql).
"""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row

from fleet.cause import Cause
from fleet.database import Tx, json_parameter
from services.adjustments.domain.adjustments import Adjustment, Move, State

_READ: Final = """
    SELECT id, flight_id, revision, kind, bill_id, currency, entries, differences, paid_by, student_before,
        student, flown_on, occurred_at, priced_by, reason, made_by, makers, state, sentence, needs,
        approvals_needed, approve_above, second_approver_above, proposed_at,
        encode(content_hash, 'hex') AS content_hash,
        expires_at, journal_id, CAST(trace AS text) AS trace
    FROM adjustment
"""
_OF_FLIGHTS: Final = _READ + " WHERE flight_id = ANY (CAST(:flights AS text[])) ORDER BY flight_id, revision"


async def of_flights(tx: Tx, flights: Collection[str]) -> list[Adjustment]:
    """Every adjustment of these flights, by flight and revision; the flights are locked."""
    return [_adjustment(row) for row in await tx.all(_OF_FLIGHTS, flights=sorted(flights))]


_BY_ID: Final = _READ + " WHERE id = ANY (CAST(:ids AS uuid[])) ORDER BY flight_id, revision"


async def load(tx: Tx, ids: Collection[UUID]) -> dict[UUID, Adjustment]:
    """Adjustments by id; the caller has locked their flights when it goes on to change them."""
    return {row.id: _adjustment(row) for row in await tx.all(_BY_ID, ids=sorted(ids))}


_INSERT: Final = """
    WITH row AS MATERIALIZED (
        SELECT * FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS row (
            id uuid, flight_id text, revision integer, kind text, bill_id uuid, currency text, entries jsonb,
            differences jsonb, paid_by text[], student_before text, student text, flown_on date,
            occurred_at timestamptz, priced_by text, reason text, made_by text, makers text[], state text,
            sentence text, needs text[], approvals_needed smallint, approve_above bigint,
            second_approver_above bigint, proposed_at timestamptz, expires_at timestamptz, trace jsonb,
            who text, place bigint)),
    written AS (
        INSERT INTO adjustment (id, flight_id, revision, kind, bill_id, currency, entries, differences,
            paid_by, student_before, student, flown_on, occurred_at, priced_by, reason, made_by, makers,
            state, sentence, needs, approvals_needed, approve_above, second_approver_above, proposed_at,
            expires_at,
            changed_at, journal_id, trace)
        SELECT row.id, flight_id, revision, kind, bill_id, row.currency, row.entries, differences,
            paid_by, student_before, student, flown_on, occurred_at, priced_by, reason, made_by, makers,
            state, sentence, needs, approvals_needed, approve_above, second_approver_above, proposed_at,
            expires_at,
            proposed_at, journal.journal_id, trace
        FROM row LEFT JOIN posted_journal AS journal
            ON state = 'posted' AND journal.source = 'adjustment:' || flight_id || ':' || revision
        ORDER BY place
        RETURNING id, content_hash, journal_id),
    step AS (
        INSERT INTO adjustment_history (adjustment_id, at, to_state, who, why, content_hash)
        SELECT row.id, proposed_at, state, who, sentence, written.content_hash
        FROM written JOIN row USING (id) ORDER BY place)
    SELECT id, encode(content_hash, 'hex') AS content_hash, journal_id FROM written
"""


async def insert(tx: Tx, new: Sequence[tuple[Adjustment, str]]) -> list[Adjustment]:
    """Insert adjustments, each with who brought it to its state; as they are written, with their hashes."""
    rows = [_document(one) | {"who": who, "place": place} for place, (one, who) in enumerate(new)]
    written = {row.id: row for row in await tx.all(_INSERT, rows=json_parameter(rows))}
    return [
        replace(one, content_hash=written[one.id].content_hash, journal_id=written[one.id].journal_id)
        for one, _ in new
    ]


# What is posted is what the ledger posted. Of two steps at once both are in the history, and the row is
# written once: it is in six indexes.
_MOVE: Final = """
    WITH step AS MATERIALIZED (
        SELECT * FROM unnest(CAST(:ids AS uuid[]), CAST(:sources AS text[]), CAST(:states AS text[]),
            CAST(:whos AS text[]), CAST(:whys AS text[]), CAST(:through AS text[]),
            CAST(:through_whos AS text[]), CAST(:through_whys AS text[])) WITH ORDINALITY
            AS step (id, source, state, who, why, through, through_who, through_why, place)),
    moved AS (
        UPDATE adjustment SET state = step.state, sentence = step.why, changed_at = :now,
            journal_id = coalesce(journal.journal_id, adjustment.journal_id),
            differences = coalesce(journal.entries, adjustment.differences)
        FROM step LEFT JOIN posted_journal AS journal
            ON 'posted' IN (step.state, step.through) AND journal.source = step.source
        WHERE adjustment.id = step.id
        RETURNING adjustment.id, old.state AS from_state, new.content_hash AS content_hash,
            new.journal_id AS journal_id, new.differences AS differences),
    written AS (
        INSERT INTO adjustment_history (adjustment_id, at, from_state, to_state, who, why, content_hash)
        SELECT id, :now, part.from_state, part.to_state, part.who, part.why, content_hash
        FROM moved JOIN step USING (id) CROSS JOIN LATERAL (VALUES
            (1, moved.from_state, step.through, step.through_who, step.through_why),
            (2, coalesce(step.through, moved.from_state), step.state, step.who, step.why)
        ) AS part (number, from_state, to_state, who, why)
        WHERE part.to_state IS NOT NULL ORDER BY place, part.number)
    SELECT id, encode(content_hash, 'hex') AS content_hash, journal_id, differences FROM moved
"""


async def move(tx: Tx, moves: Sequence[Move], now: datetime) -> list[Adjustment]:
    """Bring adjustments to their next states, one move each; as they are now, in the same order."""
    through = [move.through for move in moves]
    rows = await tx.all(
        _MOVE,
        ids=[move.adjustment.id for move in moves],
        sources=[move.adjustment.source for move in moves],
        states=[str(move.to) for move in moves],
        whos=[move.who for move in moves],
        whys=[move.why for move in moves],
        through=[one and one.state for one in through],
        through_whos=[one and one.who for one in through],
        through_whys=[one and one.why for one in through],
        now=now,
    )
    written = {row.id: row for row in rows}
    return [
        replace(
            move.adjustment,
            state=move.to,
            sentence=move.why,
            content_hash=written[move.adjustment.id].content_hash,
            journal_id=written[move.adjustment.id].journal_id,
            differences=_amounts(written[move.adjustment.id].differences),
        )
        for move in moves
    ]


_REWRITE: Final = """
    UPDATE adjustment SET differences = row.differences, paid_by = row.paid_by, makers = row.makers,
        needs = row.needs, approvals_needed = row.approvals_needed, approve_above = row.approve_above,
        second_approver_above = row.second_approver_above, expires_at = row.expires_at
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS row (
        id uuid, differences jsonb, paid_by text[], makers text[], needs text[], approvals_needed smallint,
        approve_above bigint, second_approver_above bigint, expires_at timestamptz)
    WHERE adjustment.id = row.id
    RETURNING adjustment.id, encode(adjustment.content_hash, 'hex') AS content_hash
"""


async def rewrite(tx: Tx, changed: Sequence[Adjustment]) -> list[Adjustment]:
    """Write the differences and needs of proposed adjustments anew; with their new hashes."""
    rows = await tx.all(_REWRITE, rows=json_parameter([_document(one) for one in changed]))
    hashes = {row.id: row.content_hash for row in rows}
    return [replace(one, content_hash=hashes[one.id]) for one in changed]


_DUE_TO_EXPIRE: Final = """
    SELECT flight_id FROM adjustment WHERE state = 'waiting' AND expires_at <= :now
    ORDER BY expires_at LIMIT :most
"""


async def flights_with_expired(tx: Tx, now: datetime, most: int) -> list[str]:
    """Flights of adjustments that waited too long; nothing is locked."""
    return [row.flight_id for row in await tx.all(_DUE_TO_EXPIRE, now=now, most=most)]


def _document(one: Adjustment) -> dict[str, Any]:
    return {
        "id": one.id,
        "flight_id": one.flight_id,
        "revision": one.revision,
        "kind": one.kind,
        "bill_id": one.bill_id,
        "currency": one.currency,
        "entries": dict(one.entries),
        "differences": dict(one.differences),
        "paid_by": one.paid_by,
        "student_before": one.student_before,
        "student": one.student,
        "flown_on": one.flown_on,
        "occurred_at": one.occurred_at,
        "priced_by": one.priced_by,
        "reason": one.reason,
        "made_by": one.made_by,
        "makers": one.makers,
        "state": one.state,
        "sentence": one.sentence,
        "needs": one.needs,
        "approvals_needed": one.approvals_needed,
        "approve_above": one.approve_above,
        "second_approver_above": one.second_approver_above,
        "proposed_at": one.proposed_at,
        "expires_at": one.expires_at,
        "trace": one.trace.document(),
    }


def _adjustment(row: Row[Any]) -> Adjustment:
    fields = dict(row._mapping)
    for name in ("paid_by", "makers", "needs"):
        fields[name] = tuple(fields[name])
    for name in ("entries", "differences"):
        fields[name] = _amounts(fields[name])
    return Adjustment(**fields | {"state": State(row.state), "trace": Cause.kept(row.trace)})


def _amounts(document: dict[str, int]) -> dict[str, int]:
    """One order for everybody: by wallet."""
    return dict(sorted(document.items()))
