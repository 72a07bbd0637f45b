"""SQL that keeps back what would be sent without another decision, because its payee owes something now."""

from collections.abc import Collection, Mapping
from uuid import UUID

from fleet.database import Tx
from services.payouts.domain.transfers import SENTENCES, HoldReason

_LOCK_UNSENT = """
    SELECT transfer_id FROM operation
    WHERE wallet = ANY (CAST(:wallets AS text[])) AND kind = 'transfer'
      AND (state = 'due' AND first_sent_at IS NULL
           OR state = 'held' AND reason IN ('balance_insufficient', 'reserve'))
    ORDER BY sequence FOR UPDATE
"""


async def lock_unsent(tx: Tx, wallets: Collection[str]) -> list[UUID]:
    """Lock operations that were not sent, or proven to have had no effect; the transfers they belong to."""
    return [row.transfer_id for row in await tx.all(_LOCK_UNSENT, wallets=sorted(wallets))]


# One that was sent has its answer, that the balance was short: it gets a new key, or Stripe would repeat it.
_WITHHOLD = """
    UPDATE operation SET state = 'held', phase = 'send', reason = hold.reason, sentence = hold.sentence,
        generation = generation + CASE WHEN first_sent_at IS NULL THEN 0 ELSE 1 END, first_sent_at = NULL,
        attempts = 0, server_errors = 0, lookups = 0, clean_lookups = 0
    FROM unnest(CAST(:transfers AS uuid[]), CAST(:reasons AS text[]), CAST(:sentences AS text[]))
        AS hold (transfer_id, reason, sentence)
    WHERE operation.transfer_id = hold.transfer_id AND kind = 'transfer'
"""


async def withhold(tx: Tx, holds: Mapping[UUID, HoldReason]) -> None:
    """Hold operations that `lock_unsent` locked, by transfer, until another decision sends them."""
    if holds:
        await tx.execute(
            _WITHHOLD,
            transfers=list(holds),
            reasons=[str(reason) for reason in holds.values()],
            sentences=[SENTENCES[reason] for reason in holds.values()],
        )


_OWING = """
    SELECT DISTINCT wallet FROM payable
    WHERE transfer_id IS NULL AND clawback_id IS NULL AND amount < 0
      AND wallet = ANY (CAST(:wallets AS text[]))
"""


async def owing(tx: Tx, wallets: Collection[str]) -> set[str]:
    """Those of the payees who owe something that was not set off yet."""
    return {row.wallet for row in await tx.all(_OWING, wallets=sorted(wallets))} if wallets else set()
