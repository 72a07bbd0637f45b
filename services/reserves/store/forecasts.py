"""SQL of what was forecast of each day as it began, and of what came."""

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Final

from fleet.database import Tx
from services.reserves.domain.forecast import Foreseen

FREE_UNTIL: Final = timedelta(hours=1)  # what is free later says nothing of the end of the day

_KEEP = """
    INSERT INTO forecast (currency, day, made_at, ends_at, free, sent, payments, short)
    VALUES (:currency, :day, :made_at, :ends_at, :free, :sent, :payments, :short)
    ON CONFLICT (currency, day) DO NOTHING
"""


async def keep(tx: Tx, foreseen: Foreseen) -> None:
    """Keep the first forecast of a day; a later one of the same day is not kept."""
    await tx.execute(_KEEP, **asdict(foreseen))


_COMPARE = """
    UPDATE forecast SET
        compared_at = :now,
        free_came = (SELECT judgement.free FROM judgement
                     WHERE judgement.currency = forecast.currency AND gate <> 'off'
                       AND CAST(:now AS timestamptz) < ends_at + CAST(:until AS interval)),
        sent_came = (SELECT coalesce(sum(amount), 0) FROM payouts_public.transfers AS transfer
                     WHERE transfer.currency = forecast.currency
                       AND transfer.sent_at >= forecast.made_at AND transfer.sent_at < ends_at),
        payments_came = (SELECT coalesce(sum(net), 0) FROM stripe_line AS line
                         WHERE line.currency = forecast.currency AND line.day = forecast.day
                           AND balance_type = 'payments' AND type IN ('charge', 'payment'))
    WHERE compared_at IS NULL AND ends_at <= :now
"""


async def compare(tx: Tx, now: datetime) -> None:
    """Write what came of the days that are over; of what was free then, only if that is not long ago."""
    await tx.execute(_COMPARE, now=now, until=FREE_UNTIL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Missed:
    """By how much the last day that was compared came out above its forecast. free None: not known."""

    free: int | None
    sent: int
    payments: int


_LAST = """
    SELECT free_came - free AS free, sent_came - sent AS sent, payments_came - payments AS payments
    FROM forecast WHERE currency = :currency AND compared_at IS NOT NULL ORDER BY day DESC LIMIT 1
"""


async def last_missed(tx: Tx, currency: str) -> Missed | None:
    """The error of the last forecast that is over; None while there is none."""
    row = await tx.first(_LAST, currency=currency)
    return None if row is None else Missed(**row._mapping)
