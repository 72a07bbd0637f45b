"""SQL of what was at Stripe before its rows were listed: lines of before, and journals of that time."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from fleet.database import Tx

# since: of the line that stands for all that is not listed; what the books have of then is in it.
_MEMBERS: Final = """
    SELECT line.currency, line.transaction_id, NULL::uuid AS journal_id, line.counted + coalesce((
               SELECT sum(amount) FROM line_change WHERE line_change.transaction_id = line.transaction_id),
                      0) AS amount,
           line.day, line.made_at AS at
    FROM open_line JOIN stripe_line AS line USING (transaction_id) WHERE line.is_before
    UNION ALL
    SELECT journal.currency, NULL, journal.journal_id, journal.amount, journal.day, book.occurred_at
    FROM (SELECT DISTINCT currency FROM day_total) AS used
    JOIN stripe_line AS opening ON opening.transaction_id = 'opening:' || used.currency
    JOIN open_journal AS journal ON journal.currency = opening.currency
    JOIN book_line AS book ON book.journal_id = journal.journal_id AND book.occurred_at <= opening.made_at
"""
_SUMS: Final = f"""
    SELECT currency, sum(amount) AS amount, min(day) AS day, min(at) AS at
    FROM ({_MEMBERS}) AS member GROUP BY currency ORDER BY currency
"""  # noqa: S608 - constant text


@dataclass(frozen=True, slots=True, kw_only=True)
class OpeningDifference:
    """What Stripe held more than the books, of all that was before its rows were listed."""

    currency: str
    amount: int
    day: date
    at: datetime


async def differences(tx: Tx) -> list[OpeningDifference]:
    """The difference of what was before, for each currency that has anything of it open."""
    return [
        OpeningDifference(currency=row.currency, amount=int(row.amount), day=row.day, at=row.at)
        for row in await tx.all(_SUMS)
    ]


_MATCH: Final = f"""
    WITH member AS MATERIALIZED (SELECT * FROM ({_MEMBERS}) AS member WHERE currency = :currency
    ), lines AS (
        DELETE FROM open_line USING member WHERE open_line.transaction_id = member.transaction_id
        RETURNING open_line.transaction_id
    ), journals AS (
        DELETE FROM open_journal USING member WHERE open_journal.journal_id = member.journal_id
        RETURNING open_journal.journal_id
    ), line_matches AS (
        INSERT INTO line_match (transaction_id, match_id, how, matched_at)
        SELECT transaction_id, 'opening:' || :currency, 'ids', :now FROM lines
    )
    INSERT INTO book_match (journal_id, match_id, how, matched_at)
    SELECT journal_id, 'opening:' || :currency, 'ids', :now FROM journals
"""  # noqa: S608 - constant text


async def match(tx: Tx, currency: str, now: datetime) -> None:
    """Match all that was before in a currency: it adds up to nothing."""
    await tx.execute(_MATCH, currency=currency, now=now)
