"""SQL of refunds at Stripe that settle something, and of those that banks sent back."""

from collections.abc import Collection, Mapping
from uuid import UUID

from fleet.database import Tx

_NOTE = """
    INSERT INTO refund_heard (refund) SELECT refund FROM unnest(CAST(:refunds AS text[])) AS heard (refund)
    ORDER BY refund ON CONFLICT DO NOTHING
"""
_RETURNED = """
    SELECT refund, returned FROM refund_heard
    WHERE refund = ANY (CAST(:refunds AS text[])) AND returned > 0
"""


async def note(tx: Tx, refunds: Collection[str]) -> dict[str, int]:
    """Note that refunds settle something; of those that a bank sent back before, how much: minor units."""
    if not refunds:
        return {}
    named = sorted(set(refunds))
    await tx.execute(_NOTE, refunds=named)
    return {row.refund: row.returned for row in await tx.all(_RETURNED, refunds=named)}


_NOTE_RETURNED = """
    INSERT INTO refund_heard (refund, returned)
    SELECT refund, returned FROM unnest(CAST(:refunds AS text[]), CAST(:amounts AS bigint[]))
        AS heard (refund, returned)
    ORDER BY refund ON CONFLICT (refund) DO UPDATE SET returned = excluded.returned
"""


async def note_returned(tx: Tx, returned: Mapping[str, int]) -> None:
    """Note refunds that banks sent back, and how much; waits for whoever notes one of them."""
    named = sorted(returned)
    await tx.execute(_NOTE_RETURNED, refunds=named, amounts=[returned[refund] for refund in named])


_SETTLED_BY = """
    SELECT id FROM settlement
    WHERE method = 'refund' AND state = 'settled'
      AND string_to_array(proof, ', ') && CAST(:refunds AS text[])
"""


async def settled_by(tx: Tx, refunds: Collection[str]) -> list[UUID]:
    """The settlements that one of these refunds settled; nothing is locked."""
    return [row.id for row in await tx.all(_SETTLED_BY, refunds=sorted(refunds))]
