"""What became of a flight's corrections, for who explains it: read from the published views. Minor units."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from fleet.database import Tx

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplainedAdjustment:
    """One revision's adjustment: what it changes, how it was decided, and how the money follows.

    differences, steps, approvals, settlements: rows for people; amounts are minor units, credit positive.
    """

    revision: int
    kind: str
    state: str
    sentence: str
    currency: str
    reason: str
    made_by: str
    priced_by: str
    proposed_at: datetime
    differences: Sequence[Json]
    approvals: Sequence[Json]
    steps: Sequence[Json]
    settlements: Sequence[Json]

    @property
    def stands(self) -> bool:
        """Whether the ledger has it."""
        return self.state in ("posted", "settling", "settled")


_ADJUSTMENTS: Final = """
    SELECT id, revision, kind, state, sentence, currency, reason, made_by, priced_by, proposed_at
    FROM adjustments_public.adjustments WHERE flight_id = :flight_id ORDER BY revision
"""
_DIFFERENCES: Final = """
    SELECT revision, wallet, before, after, difference
    FROM adjustments_public.differences WHERE adjustment_id = ANY (CAST(:ids AS uuid[]))
    ORDER BY revision, wallet
"""
_APPROVALS: Final = """
    SELECT revision, approver, approved_at, approvals.why, counts
    FROM adjustments_public.approvals AS approvals
    JOIN adjustments_public.adjustments AS adjustment ON adjustment.id = approvals.adjustment_id
    WHERE adjustment_id = ANY (CAST(:ids AS uuid[])) ORDER BY revision, approved_at
"""
_STEPS: Final = """
    SELECT revision, history.at, from_state, to_state, who, why
    FROM adjustments_public.history AS history
    JOIN adjustments_public.adjustments AS adjustment ON adjustment.id = history.adjustment_id
    WHERE adjustment_id = ANY (CAST(:ids AS uuid[])) ORDER BY revision, history.id
"""
_SETTLEMENTS: Final = """
    SELECT revision, wallet, amount, method, state, sentence, proof, decided_by, begun_at, changed_at
    FROM adjustments_public.settlements
    WHERE adjustment_id = ANY (CAST(:ids AS uuid[])) ORDER BY revision, wallet, number
"""


async def of_flight(tx: Tx, flight_id: str) -> list[ExplainedAdjustment]:
    """Every adjustment of a flight, by revision; empty: it was never corrected."""
    found = [dict(row._mapping) for row in await tx.all(_ADJUSTMENTS, flight_id=flight_id)]
    ids: list[UUID] = [one.pop("id") for one in found]
    differences, approvals, steps, settlements = [
        await _by_revision(tx, sql, ids) for sql in (_DIFFERENCES, _APPROVALS, _STEPS, _SETTLEMENTS)
    ]
    return [
        ExplainedAdjustment(
            **one,
            differences=differences.get(one["revision"], []),
            approvals=approvals.get(one["revision"], []),
            steps=steps.get(one["revision"], []),
            settlements=settlements.get(one["revision"], []),
        )
        for one in found
    ]


_RECOVERIES: Final = """
    SELECT adjustment.flight_id || ':' || adjustment.revision AS adjustment, adjustment.state, party.wallet,
        party.before, party.after, party.difference, adjustment.reason, adjustment.sentence
    FROM adjustments_public.adjustments AS adjustment
    JOIN adjustments_public.differences AS party ON party.adjustment_id = adjustment.id
    WHERE kind = 'recovered'
      AND substr(adjustment.flight_id, strpos(adjustment.flight_id, '/') + 1) = :flight_id
    ORDER BY adjustment.flight_id, adjustment.revision, party.wallet
"""


async def recoveries_of(tx: Tx, flight_id: str) -> list[Json]:
    """What payees of a flight bear of lost disputes, or got back: a row for each party, minor units."""
    return [dict(row._mapping) for row in await tx.all(_RECOVERIES, flight_id=flight_id)]


async def _by_revision(tx: Tx, sql: str, ids: Sequence[UUID]) -> dict[int, list[Json]]:
    rows: dict[int, list[Json]] = {}
    for row in await tx.all(sql, ids=ids):
        values = dict(row._mapping)
        rows.setdefault(values.pop("revision"), []).append(values)
    return rows


_POSTED: Final = """
    SELECT flight_id, max(revision) AS revision FROM adjustments_public.adjustments
    WHERE flight_id = ANY (CAST(:flights AS text[])) AND journal_id IS NOT NULL GROUP BY flight_id
"""


async def corrected_by(tx: Tx, sources: Collection[str]) -> dict[str, str]:
    """By the source of a journal of a flight or an adjustment: the newest adjustment that corrects it."""
    flights = {
        source: source.partition(":")[2].rpartition(":")[0] for source in sources if _of_a_flight(source)
    }
    if not flights:
        return {}
    rows = await tx.all(_POSTED, flights=sorted(set(flights.values())))
    newest = {row.flight_id: f"adjustment:{row.flight_id}:{row.revision}" for row in rows}
    return {
        source: newest[flight]
        for source, flight in flights.items()
        if flight in newest and newest[flight] != source
    }


def _of_a_flight(source: str) -> bool:
    return source.startswith(("flight:", "adjustment:"))
