"""SQL of answers to settlements that are not known here: kept until a settlement with that id begins."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row

from fleet.database import Tx, json_parameter
from services.adjustments.domain.settlements import CameBack
from services.adjustments.domain.settlements_early import Answer, Kept
from services.adjustments.domain.settlements_sent import Posted, Refunded, Reversed

_KEEP: Final = """
    INSERT INTO early_answer (settlement_id, answer, document, sentence, heard_at)
    SELECT settlement_id, answer, document, sentence, :now
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS row (
        settlement_id uuid, answer text, document jsonb, sentence text)
    ORDER BY settlement_id
    ON CONFLICT DO NOTHING
"""


async def keep(tx: Tx, answers: Sequence[Answer], now: datetime) -> None:
    """Keep answers of settlements that are not known here, each once."""
    rows = [
        {
            "settlement_id": one.settlement_id,
            "answer": _name(one),
            "document": _document(one),
            "sentence": _sentence(one),
        }
        for one in answers
    ]
    await tx.execute(_KEEP, rows=json_parameter(rows), now=now)


_OF: Final = """
    SELECT settlement_id, answer, document FROM early_answer
    WHERE settlement_id = ANY (CAST(:ids AS uuid[]))
"""


async def of(tx: Tx, ids: Collection[UUID]) -> dict[UUID, Answer]:
    """What is kept of these settlements; nothing is locked."""
    rows = await tx.all(_OF, ids=sorted(ids)) if ids else []
    return {row.settlement_id: _read(row) for row in rows}


_TAKE: Final = """
    DELETE FROM early_answer WHERE settlement_id = ANY (CAST(:ids AS uuid[]))
    RETURNING settlement_id, answer, document
"""


async def take(tx: Tx, ids: Collection[UUID]) -> list[Answer]:
    """Take out what is kept of these settlements, to hear it now."""
    rows = await tx.all(_TAKE, ids=sorted(ids)) if ids else []
    return sorted((_read(row) for row in rows), key=lambda one: one.settlement_id)


# Method and answer as in domain/settlements_early.py; an offset gives way to what came back (0224).
_MISSED: Final = """
    SELECT settlement_id FROM early_answer JOIN settlement ON settlement.id = settlement_id
    WHERE state = 'asked' AND CASE answer WHEN 'reversal' THEN method = 'stripe_reversal'
                                          WHEN 'refund' THEN method = 'refund'
                                          ELSE method IN ('manual_check', 'forgiven', 'written_off') END
       OR state = 'waiting' AND answer = 'reversal' AND method = 'future_payout_offset'
    ORDER BY settlement_id LIMIT :most
"""


async def missed(tx: Tx, most: int) -> list[UUID]:
    """Settlements that began in one transaction while another one kept their answer."""
    return [row.settlement_id for row in await tx.all(_MISSED, most=most)]


_UNTOLD: Final = """
    UPDATE early_answer SET told_at = :now WHERE told_at IS NULL AND heard_at < :before
    RETURNING settlement_id, sentence
"""


async def untold(tx: Tx, before: datetime, now: datetime) -> list[Kept]:
    """What has been kept since before then and finance did not hear of; it is noted that it does now."""
    rows = await tx.all(_UNTOLD, before=before, now=now)
    return [Kept(settlement_id=row.settlement_id, sentence=row.sentence) for row in rows]


def _name(one: Answer) -> str:
    match one:
        case Posted():
            return "journal"
        case Reversed():
            return "reversal"
        case Refunded():
            return "refund"


def _document(one: Answer) -> dict[str, Any]:
    if isinstance(one, Posted):
        return {"entries": dict(one.entries)}
    back = one.came_back
    document = {"asked": one.asked, "amount": back.amount, "proof": back.proof, "sentence": back.sentence}
    return document | ({"refunds": list(one.refunds)} if isinstance(one, Refunded) else {})


def _sentence(one: Answer) -> str:
    return "the ledger posted its journal" if isinstance(one, Posted) else one.came_back.sentence


def _read(row: Row[Any]) -> Answer:
    told = row.document
    if row.answer == "journal":
        return Posted(settlement_id=row.settlement_id, entries=told["entries"])
    back = CameBack(amount=told["amount"], proof=told["proof"], sentence=told["sentence"])
    if row.answer == "reversal":
        return Reversed(settlement_id=row.settlement_id, asked=told["asked"], came_back=back)
    return Refunded(
        settlement_id=row.settlement_id,
        asked=told["asked"],
        came_back=back,
        refunds=tuple(told["refunds"]),
    )
