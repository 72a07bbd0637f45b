"""SQL of settlements and their history: a state changes only together with a history row.

Written under the lock of the flight. What moves on and what begins in its place is one statement: after each
statement the database compares the sums (functions/settlement_guards.sql).
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row

from fleet.database import Tx, json_parameter
from services.adjustments.domain.settlements import (
    OPEN,
    Changes,
    Cheque,
    Method,
    Settlement,
    SettlementState,
)

_CHANGE: Final = """
    WITH step AS MATERIALIZED (
        SELECT * FROM jsonb_to_recordset(CAST(:steps AS jsonb)) AS step (
            id uuid, state text, amount bigint, sentence text, proof text)),
    begun AS MATERIALIZED (
        SELECT * FROM jsonb_to_recordset(CAST(:begun AS jsonb)) AS begun (
            id uuid, adjustment_id uuid, number integer, wallet text, currency text, amount bigint,
            method text, state text, sentence text, proof text, instead_of text, decided_by text,
            cheque_number text, paid_on date, place bigint)),
    moved AS (
        UPDATE settlement SET state = step.state, amount = step.amount, sentence = step.sentence,
            proof = coalesce(step.proof, settlement.proof), changed_at = :now
        FROM step WHERE settlement.id = step.id
        RETURNING settlement.id, old.state AS from_state),
    written AS (
        INSERT INTO settlement (id, adjustment_id, number, wallet, currency, amount, method, state, sentence,
            proof, instead_of, decided_by, cheque_number, paid_on, begun_at, changed_at)
        SELECT id, adjustment_id, number, wallet, currency, amount, method, state, sentence, proof,
            instead_of, decided_by, cheque_number, paid_on,
            coalesce((SELECT min(begun_at) FROM settlement AS before  -- the rest of a debt is as old as it
                      WHERE begun.instead_of = begun.method AND before.method = begun.method
                        AND (before.adjustment_id, before.wallet) = (begun.adjustment_id, begun.wallet)),
                     :now), :now
        FROM begun ORDER BY place)
    INSERT INTO settlement_history (settlement_id, at, from_state, to_state, who, why)
    SELECT id, :now, from_state, to_state, :who, why FROM (
        SELECT id, from_state, step.state AS to_state, step.sentence AS why, -1 AS place
        FROM moved JOIN step USING (id)
        UNION ALL SELECT id, NULL, state, sentence, place FROM begun) AS history
    ORDER BY place, id
"""


async def change(tx: Tx, changes: Changes, sentences: Sequence[str], who: str, now: datetime) -> None:
    """Write what moves on and what begins. sentences: of those that begin, in their order."""
    steps = [
        {
            "id": step.settlement.id,
            "state": step.to,
            "amount": step.amount,
            "sentence": step.sentence,
            "proof": step.proof,
        }
        for step in changes.steps
    ]
    begun = [
        _document(one) | {"sentence": sentence, "place": place}
        for place, (one, sentence) in enumerate(zip(changes.begun, sentences, strict=True))
    ]
    await tx.execute(_CHANGE, steps=json_parameter(steps), begun=json_parameter(begun), who=who, now=now)


_COLUMNS_OF: Final = """
    SELECT id, adjustment_id, number, wallet, currency, amount, method, state, instead_of, decided_by,
        cheque_number, paid_on, proof
    FROM settlement WHERE adjustment_id = ANY (CAST(:adjustments AS uuid[]))
    ORDER BY adjustment_id, wallet, number
"""


async def of_adjustments(tx: Tx, adjustments: Collection[UUID]) -> list[Settlement]:
    """Every settlement of these adjustments, by adjustment, wallet and number; their flights are locked."""
    rows = await tx.all(_COLUMNS_OF, adjustments=sorted(adjustments))
    return [settlement_of(row) for row in rows]


_PLACES_OF: Final = """
    SELECT DISTINCT adjustment.id, adjustment.flight_id FROM settlement
    JOIN adjustment ON adjustment.id = settlement.adjustment_id
    WHERE settlement.id = ANY (CAST(:ids AS uuid[]))
"""


async def places_of(tx: Tx, ids: Collection[UUID]) -> dict[UUID, str]:
    """The adjustments of these settlements, with their flights; nothing is locked."""
    return {row.id: row.flight_id for row in await tx.all(_PLACES_OF, ids=sorted(ids))}


_STILL_OPEN: Final = """
    SELECT DISTINCT adjustment_id FROM settlement
    WHERE adjustment_id = ANY (CAST(:adjustments AS uuid[])) AND state = ANY (CAST(:open AS text[]))
"""


async def with_open(tx: Tx, adjustments: Collection[UUID]) -> set[UUID]:
    """Which of these adjustments have a settlement that waits for something."""
    rows = await tx.all(_STILL_OPEN, adjustments=sorted(adjustments), open=sorted(OPEN))
    return {row.adjustment_id for row in rows}


_LEFT: Final = """
    SELECT wallet, currency, CAST(-sum(amount) AS bigint) AS amount FROM settlement
    WHERE wallet = ANY (CAST(:wallets AS text[])) AND state IN ('waiting', 'asked') AND amount < 0
    GROUP BY wallet, currency
"""


async def left(tx: Tx, wallets: Collection[str]) -> dict[tuple[str, str], int]:
    """What these wallets still owe in all because of corrections, by wallet and currency; minor units."""
    rows = await tx.all(_LEFT, wallets=sorted(wallets))
    return {(row.wallet, row.currency): row.amount for row in rows}


_APPROVED_BY: Final = """
    SELECT DISTINCT ON (adjustment_id) adjustment_id, approver FROM approval
    JOIN adjustment ON adjustment.id = adjustment_id AND adjustment.content_hash = approval.content_hash
    WHERE adjustment_id = ANY (CAST(:adjustments AS uuid[]))
    ORDER BY adjustment_id, approved_at DESC, decision_id DESC
"""


async def approved_by(tx: Tx, adjustments: Collection[UUID]) -> dict[UUID, str]:
    """Who was the last to approve the content of each of these adjustments; without those nobody approved."""
    rows = await tx.all(_APPROVED_BY, adjustments=sorted(adjustments))
    return {row.adjustment_id: row.approver for row in rows}


def _document(one: Settlement) -> dict[str, Any]:
    return {
        "id": one.id,
        "adjustment_id": one.adjustment_id,
        "number": one.number,
        "wallet": one.wallet,
        "currency": one.currency,
        "amount": one.amount,
        "method": one.method,
        "state": one.state,
        "proof": one.proof,
        "instead_of": one.instead_of,
        "decided_by": one.decided_by,
        "cheque_number": None if one.cheque is None else one.cheque.number,
        "paid_on": None if one.cheque is None else one.cheque.paid_on,
    }


def settlement_of(row: Row[Any]) -> Settlement:
    """A settlement from a row that has all of its columns."""
    return Settlement(
        id=row.id,
        adjustment_id=row.adjustment_id,
        number=row.number,
        wallet=row.wallet,
        currency=row.currency,
        amount=row.amount,
        method=Method(row.method),
        state=SettlementState(row.state),
        instead_of=None if row.instead_of is None else Method(row.instead_of),
        decided_by=row.decided_by,
        cheque=None if row.paid_on is None else Cheque(number=row.cheque_number, paid_on=row.paid_on),
        proof=row.proof,
    )
