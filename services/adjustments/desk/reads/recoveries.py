"""About when what payees owe will have been taken off what they are paid: estimates, and no promises.

From each payee's mean payouts of 90 days, the share that the school takes of each payment, and what the
payee owes before.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any, Final
from uuid import UUID

from fleet.database import Tx
from services.adjustments.domain.recovery import SEEN_DAYS, recovered_about

Place = tuple[str, str]  # wallet and currency

_WOULD_OWE: Final = """
    SELECT id, party.key AS wallet, currency, -CAST(party.value AS bigint) AS amount
    FROM adjustments_public.adjustments, jsonb_each_text(differences) AS party
    WHERE id = ANY (CAST(:ids AS uuid[])) AND CAST(party.value AS bigint) < 0
      AND split_part(party.key, ':', 1) IN ('instructor', 'aircraft_owner')
"""
_OWED: Final = """
    SELECT id, wallet, currency, CAST(sum(-amount) OVER (PARTITION BY wallet, currency ORDER BY begun_at, id)
                                      AS bigint) AS with_older
    FROM adjustments_public.settlements
    WHERE state IN ('waiting', 'asked') AND amount < 0 AND wallet = ANY (CAST(:wallets AS text[]))
"""
_PAID: Final = """
    SELECT wallet, currency, CAST(sum(amount - amount_reversed) AS bigint) AS paid
    FROM payouts_public.transfers
    WHERE wallet = ANY (CAST(:wallets AS text[]))
      AND sent_at > now() - make_interval(days => CAST(:days AS integer))
    GROUP BY wallet, currency
"""
_PERCENT: Final = """
    SELECT coalesce(CAST(policy ->> 'offset_share_percent' AS integer), 100) AS percent
    FROM adjustments_public.policy_cards
    WHERE effective_from <= current_date AND policy IS NOT NULL ORDER BY effective_from DESC LIMIT 1
"""


async def of_queue(tx: Tx, ids: Sequence[UUID]) -> dict[UUID, date | None]:
    """About when each of these adjustments, if approved, would be recovered of all payees who would owe.

    Adjustments by which no payee would owe are left out; None: not at the pace of their payouts.
    """
    rows = await tx.all(_WOULD_OWE, ids=list(ids)) if ids else []
    wallets = sorted({row.wallet for row in rows})
    owed: dict[Place, int] = {}
    for one in await _owed(tx, wallets):
        place = (one.wallet, one.currency)
        owed[place] = max(owed.get(place, 0), one.with_older)
    pace = await _pace(tx, wallets)
    found: dict[UUID, date | None] = {}
    for row in rows:
        place = (row.wallet, row.currency)
        about = pace.about(place, row.amount + owed.get(place, 0))
        before = found.get(row.id, date.min)
        found[row.id] = None if about is None or before is None else max(about, before)
    return found


async def of_settlements(tx: Tx, rows: Sequence[Mapping[str, Any]]) -> dict[UUID, date | None]:
    """About when each of these open offsets, rows with `id` and `wallet`, is taken off whole."""
    wanted = {row["id"] for row in rows}
    wallets = sorted({row["wallet"] for row in rows})
    pace = await _pace(tx, wallets)
    return {
        one.id: pace.about((one.wallet, one.currency), one.with_older)
        for one in await _owed(tx, wallets)
        if one.id in wanted
    }


class _Pace:
    """What payees were paid lately, and how much of it is taken off."""

    def __init__(self, paid: Mapping[Place, int], percent: int, today: date) -> None:
        self._paid, self._percent, self._today = paid, percent, today

    def about(self, place: Place, debt: int) -> date | None:
        return recovered_about(debt, paid=self._paid.get(place, 0), percent=self._percent, today=self._today)


async def _pace(tx: Tx, wallets: Sequence[str]) -> _Pace:
    rows = await tx.all(_PAID, wallets=list(wallets), days=SEEN_DAYS) if wallets else []
    policy = await tx.first(_PERCENT)
    paid = {(row.wallet, row.currency): row.paid for row in rows}
    return _Pace(paid, 100 if policy is None else policy.percent, datetime.now(UTC).date())


async def _owed(tx: Tx, wallets: Sequence[str]) -> Sequence[Any]:
    return await tx.all(_OWED, wallets=list(wallets)) if wallets else []
