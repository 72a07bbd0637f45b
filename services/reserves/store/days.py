"""SQL of business dates: what moved on each, both sides' closing, and what of their difference has a name."""

from datetime import date, datetime
from typing import Any, Final

from fleet.database import Tx, json_parameter
from services.reserves.domain.days import ComparedDay

_TIME_ZONE: Final = "SELECT time_zone FROM school"


async def time_zone(tx: Tx) -> str:
    zone: str = (await tx.one(_TIME_ZONE)).time_zone
    return zone


_LOCK: Final = "SELECT pg_advisory_xact_lock(1919252083, CAST(:day AS date) - date '2000-01-01')"


async def lock_day(tx: Tx, day: date) -> None:
    """Let nobody else complete the comparison of this date before this transaction ends."""
    await tx.execute(_LOCK, day=day)


# explained: what is open on either side, and what matches leave on the day because their parts are of
# several.
_CLOSINGS: Final = """
    WITH sums AS (
        SELECT currency, coalesce(sum(stripe) FILTER (WHERE day < :day), 0) AS stripe_opening,
               coalesce(sum(stripe) FILTER (WHERE day = :day), 0) AS stripe_moved,
               coalesce(sum(books) FILTER (WHERE day < :day), 0) AS books_opening,
               coalesce(sum(books) FILTER (WHERE day = :day), 0) AS books_moved
        FROM day_total WHERE day <= :day GROUP BY currency
    ), named AS (
        SELECT currency, sum(amount) AS explained FROM (
            SELECT line.currency, line.counted AS amount
            FROM open_line JOIN stripe_line AS line USING (transaction_id) WHERE line.day <= :day
            UNION ALL
            SELECT change.currency, change.amount
            FROM open_line JOIN line_change AS change USING (transaction_id) WHERE change.day <= :day
            UNION ALL
            SELECT currency, amount FROM open_journal WHERE day <= :day
            UNION ALL
            SELECT currency, amount FROM spread WHERE from_day <= :day AND (until_day > :day OR until_day
                   IS NULL)
        ) AS part GROUP BY currency
    )
    SELECT sums.*, coalesce(explained, 0) AS explained,
           (SELECT max(noted_at) FROM stripe_line AS line WHERE line.day = :day AND line.currency =
               sums.currency)
               AS stripe_as_of,
           (SELECT max(recorded_at) FROM book_line AS book WHERE book.day = :day AND book.currency =
               sums.currency)
               AS books_as_of
    FROM sums LEFT JOIN named USING (currency) ORDER BY currency
"""
_MOVEMENTS: Final = """
    SELECT currency, 'stripe' AS side, category AS name, count(*) AS number, sum(amount) AS amount,
           sum(fee) AS fee,
           sum(net) AS net
    FROM stripe_line WHERE day = :day AND balance_type = 'payments' GROUP BY currency, category
    UNION ALL
    SELECT currency, 'stripe', 'changed', count(*), sum(amount), 0, sum(amount)
    FROM line_change WHERE day = :day GROUP BY currency
    UNION ALL
    SELECT currency, 'books', event_type, count(*), -sum(amount), 0, -sum(amount)
    FROM book_line WHERE day = :day GROUP BY currency, event_type
    ORDER BY 1, 2 DESC, 3
"""


async def compare(tx: Tx, day: date) -> list[ComparedDay]:
    """Both sides of a business date as they are known now, for each currency."""
    movements: dict[str, list[dict[str, Any]]] = {}
    for row in await tx.all(_MOVEMENTS, day=day):
        moved = {name: int(getattr(row, name)) for name in ("number", "amount", "fee", "net")}
        movements.setdefault(row.currency, []).append({"side": row.side, "name": row.name, **moved})
    return [
        ComparedDay(
            business_date=day,
            currency=row.currency,
            stripe_opening=int(row.stripe_opening),
            stripe_moved=int(row.stripe_moved),
            books_opening=int(row.books_opening),
            books_moved=int(row.books_moved),
            explained=int(row.explained),
            breaks_open=0,
            stripe_as_of=row.stripe_as_of,
            books_as_of=row.books_as_of,
            movements=tuple(movements.get(row.currency, ())),
        )
        for row in await tx.all(_CLOSINGS, day=day)
    ]


_KEEP: Final = """
    INSERT INTO day AS kept (business_date, currency, run, stripe_opening, stripe_moved, stripe_closing,
        books_opening,
                             books_moved, books_closing, explained, breaks_open, stripe_as_of, books_as_of,
                                 movements,
                             completed_at)
    VALUES (:business_date, :currency, 1, :stripe_opening, :stripe_moved, :stripe_closing, :books_opening,
            :books_moved, :books_closing, :explained, :breaks_open, :stripe_as_of, :books_as_of,
            CAST(:movements AS jsonb), :now)
    ON CONFLICT (business_date, currency) DO UPDATE SET run = kept.run + 1,
        stripe_opening = excluded.stripe_opening, stripe_moved = excluded.stripe_moved,
        stripe_closing = excluded.stripe_closing, books_opening = excluded.books_opening,
        books_moved = excluded.books_moved, books_closing = excluded.books_closing,
            explained = excluded.explained,
        breaks_open = excluded.breaks_open, stripe_as_of = excluded.stripe_as_of,
            books_as_of = excluded.books_as_of,
        movements = excluded.movements, completed_at = excluded.completed_at
    WHERE (kept.stripe_opening, kept.stripe_moved, kept.books_opening, kept.books_moved, kept.explained,
           kept.breaks_open, kept.movements)
        IS DISTINCT FROM (excluded.stripe_opening, excluded.stripe_moved, excluded.books_opening,
                          excluded.books_moved, excluded.explained, excluded.breaks_open, excluded.movements)
    RETURNING run
"""


async def keep(tx: Tx, compared: ComparedDay, now: datetime) -> int | None:
    """Keep the comparison of a date; which run of it this is, None when it is as it was."""
    row = await tx.first(
        _KEEP,
        business_date=compared.business_date,
        currency=compared.currency,
        stripe_opening=compared.stripe_opening,
        stripe_moved=compared.stripe_moved,
        stripe_closing=compared.stripe_closing,
        books_opening=compared.books_opening,
        books_moved=compared.books_moved,
        books_closing=compared.books_closing,
        explained=compared.explained,
        breaks_open=compared.breaks_open,
        stripe_as_of=compared.stripe_as_of,
        books_as_of=compared.books_as_of,
        movements=json_parameter(list(compared.movements)),
        now=now,
    )
    return None if row is None else row.run


_COMPARED: Final = "UPDATE comparison SET completed_at = greatest(completed_at, :now)"


async def note_comparison(tx: Tx, now: datetime) -> None:
    """Note that a date was compared, also when nothing moved on it."""
    await tx.execute(_COMPARED, now=now)


_KEPT: Final = """
    SELECT business_date, currency, stripe_opening, stripe_moved, books_opening, books_moved, explained,
           breaks_open,
           stripe_as_of, books_as_of, movements
    FROM day WHERE business_date = :day ORDER BY currency
"""


async def kept(tx: Tx, day: date) -> list[ComparedDay]:
    """A date as it was last compared."""
    return [
        ComparedDay(**{**row._mapping, "movements": tuple(row.movements)})
        for row in await tx.all(_KEPT, day=day)
    ]
