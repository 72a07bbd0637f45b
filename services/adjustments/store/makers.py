"""SQL of what each maker's corrections moved for each payee, by day: a month is read from few rows."""

from collections import Counter
from collections.abc import Sequence
from datetime import date
from typing import Final

from fleet.database import Tx
from services.adjustments.domain.adjustments import Adjustment

PAYEES: Final = ("instructor:", "aircraft_owner:")

_COUNT: Final = """
    INSERT INTO moved_by_maker (made_by, wallet, currency, day, moved, adjustments)
    SELECT made_by, wallet, currency, :day, moved, adjustments
    FROM unnest(CAST(:makers AS text[]), CAST(:wallets AS text[]), CAST(:currencies AS text[]),
                CAST(:moved AS bigint[]), CAST(:adjustments AS integer[]))
        AS day (made_by, wallet, currency, moved, adjustments)
    ORDER BY made_by, wallet, currency
    ON CONFLICT (made_by, wallet, currency, day) DO UPDATE SET
        moved = moved_by_maker.moved + excluded.moved,
        adjustments = moved_by_maker.adjustments + excluded.adjustments
"""


async def count(tx: Tx, posted: Sequence[Adjustment], day: date) -> None:
    """Add adjustments that were just posted to what their makers moved on a day, in absolute amounts."""
    moved: Counter[tuple[str, str, str]] = Counter()
    adjustments: Counter[tuple[str, str, str]] = Counter()
    for one in posted:
        for wallet, amount in one.differences.items():
            if wallet.startswith(PAYEES):
                moved[one.made_by, wallet, one.currency] += abs(amount)
                adjustments[one.made_by, wallet, one.currency] += 1
    if not moved:
        return
    keys = list(moved)
    await tx.execute(
        _COUNT,
        day=day,
        makers=[made_by for made_by, _, _ in keys],
        wallets=[wallet for _, wallet, _ in keys],
        currencies=[currency for _, _, currency in keys],
        moved=[moved[key] for key in keys],
        adjustments=[adjustments[key] for key in keys],
    )
