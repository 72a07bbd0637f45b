"""SQL of what belongs together: lines at Stripe and journals of the books. Set-based, of what is open.

What is open is few among many, and the planner, whose statistics are of another hour, may begin with all that
there ever was. So lines are fetched for what is open, one by one (`OFFSET 0` keeps the planner to that).
"""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Final

from fleet.database import Tx

# A journal is one line's: of the oldest that names it. `stripe:<line>` names every line, and is looked for if
# there is any such journal. Whatever the planner believes, this looks up what it needs row by row and joins
# nothing else: statistics say neither how few of all lines are open nor how many will match. What is taken is
# deleted by its place (ctid), which holds within a statement for rows that are never updated. A journal that
# another worker takes meanwhile is refused by book_match.
_BY_IDS: Final = """
    WITH any_by_line AS MATERIALIZED (
        SELECT EXISTS (SELECT FROM open_journal WHERE source LIKE 'stripe:%') AS there
    ), batch AS MATERIALIZED (
        SELECT open.place, line.transaction_id, line.type, line.net, line.currency, line.source_id,
               line.made_at, line.expected, line.day, line.version = 1 AS is_first,
               line.amount = 0 AND line.fee = 0 AS is_empty
        FROM (SELECT transaction_id, ctid AS place FROM open_line WHERE transaction_id > :after
              ORDER BY transaction_id LIMIT :most FOR UPDATE) AS open
        CROSS JOIN LATERAL (
            SELECT * FROM stripe_line WHERE stripe_line.transaction_id = open.transaction_id OFFSET 0
        ) AS line
    ), named AS (
        SELECT batch.transaction_id, batch.place, batch.net, batch.is_first, batch.is_empty, journal_id,
               journal.place AS journal_place, journal.amount, journal.day = batch.day AS same_day,
               journal_id IS NOT NULL AND row_number() OVER (
                   PARTITION BY journal_id ORDER BY batch.made_at, batch.transaction_id) = 1 AS is_its
        FROM batch LEFT JOIN LATERAL (
            SELECT unnest(batch.expected) AS source
            UNION ALL SELECT 'stripe:' || batch.transaction_id WHERE (SELECT there FROM any_by_line)
            UNION ALL
            SELECT 'transfer:' || transfer_id FROM sent_transfer
            WHERE batch.type = 'transfer' AND stripe_transfer_id = batch.source_id
        ) AS wanted ON true LEFT JOIN LATERAL (
            SELECT journal_id, ctid AS place, amount, day FROM open_journal
            WHERE source = wanted.source AND currency = batch.currency OFFSET 0
        ) AS journal ON true
    ), told AS MATERIALIZED (
        SELECT transaction_id, place, count(*) FILTER (WHERE is_its) = 0 AS alone,
               array_agg(journal_id) FILTER (WHERE is_its) AS journals,
               array_agg(journal_place) FILTER (WHERE is_its) AS journal_places,
               is_first AND coalesce(bool_and(same_day) FILTER (WHERE is_its), true) AS one_day
        FROM named GROUP BY transaction_id, place, net, is_first, is_empty
        HAVING sum(amount) FILTER (WHERE is_its) = -net OR count(*) FILTER (WHERE is_its) = 0 AND is_empty
    ), lines AS (
        DELETE FROM open_line WHERE ctid = ANY (ARRAY(SELECT place FROM told))
    ), journals AS (
        DELETE FROM open_journal WHERE ctid = ANY (ARRAY(SELECT unnest(journal_places) FROM told))
    ), line_matches AS (
        INSERT INTO line_match (transaction_id, match_id, how, matched_at)
        SELECT transaction_id, transaction_id, CASE WHEN alone THEN 'nothing' ELSE 'ids' END, :now FROM told
    ), book_matches AS (
        INSERT INTO book_match (journal_id, match_id, how, matched_at)
        SELECT unnest(journals), transaction_id, 'ids', :now FROM told
    )
    SELECT (SELECT count(*) FROM batch) AS looked_at, (SELECT max(transaction_id) FROM batch) AS last,
           (SELECT count(*) FROM told) AS matched,
           ARRAY(SELECT transaction_id FROM told WHERE NOT one_day) AS of_days
"""


async def by_ids(tx: Tx, after: str, most: int, now: datetime) -> tuple[int, int, str | None]:
    """Match a batch of open lines with journals by ids: lines looked at, matched, and the last one's id."""
    row = await tx.one(_BY_IDS, after=after, most=most, now=now)
    await respread(tx, row.of_days)
    return row.looked_at, row.matched, row.last


_FORGET: Final = "DELETE FROM spread WHERE match_id = ANY (CAST(:ids AS text[]))"
_RESPREAD: Final = """
    INSERT INTO spread (match_id, currency, from_day, until_day, amount)
    SELECT match_id, currency, day, until_day, amount FROM (
        SELECT match_id, currency, day, lead(day) OVER by_day AS until_day, sum(amount) OVER by_day AS amount
        FROM (
            SELECT match_id, currency, day, sum(amount) AS amount FROM (
                SELECT match.match_id, line.currency, line.day, line.counted AS amount
                FROM line_match AS match JOIN stripe_line AS line USING (transaction_id)
                WHERE match.match_id = ANY (CAST(:ids AS text[]))
                UNION ALL
                SELECT match.match_id, change.currency, change.day, change.amount
                FROM line_match AS match JOIN line_change AS change USING (transaction_id)
                WHERE match.match_id = ANY (CAST(:ids AS text[]))
                UNION ALL
                SELECT match.match_id, journal.currency, journal.day, journal.amount
                FROM book_match AS match JOIN book_line AS journal USING (journal_id)
                WHERE match.match_id = ANY (CAST(:ids AS text[]))
            ) AS part GROUP BY match_id, currency, day
        ) AS daily WINDOW by_day AS (PARTITION BY match_id, currency ORDER BY day)
    ) AS running WHERE amount <> 0
"""


async def respread(tx: Tx, match_ids: Sequence[str]) -> None:
    """Note again on which days these matches leave a difference between the two sides."""
    if match_ids:
        await tx.execute(_FORGET, ids=list(match_ids))
        await tx.execute(_RESPREAD, ids=list(match_ids))


_MATCH_OF: Final = "SELECT match_id FROM line_match WHERE transaction_id = :id"
_LINES_BACK: Final = """
    WITH back AS (DELETE FROM line_match WHERE transaction_id = :id OR match_id = :id RETURNING
        transaction_id)
    INSERT INTO open_line (transaction_id) SELECT transaction_id FROM back
"""
_JOURNALS_BACK: Final = """
    WITH back AS (DELETE FROM book_match WHERE match_id = :id RETURNING journal_id)
    INSERT INTO open_journal (journal_id, source, currency, amount, day)
    SELECT journal_id, source, currency, amount, day FROM back JOIN book_line USING (journal_id)
"""


async def reopen(tx: Tx, transaction_id: str) -> None:
    """Take a line's match apart, because the line is another now."""
    matched = await tx.first(_MATCH_OF, id=transaction_id)
    if matched is not None:
        await tx.execute(_FORGET, ids=[matched.match_id])
        await tx.execute(_LINES_BACK, id=matched.match_id)
        await tx.execute(_JOURNALS_BACK, id=matched.match_id)


# Lines that name one journal together, such as a capture in two rows: the whole group, or nothing of it.
_TOGETHER: Final = """
    WITH wanted AS (
        SELECT line.transaction_id, line.net, line.currency, unnest(line.expected) AS source
        FROM open_line CROSS JOIN LATERAL (
            SELECT * FROM stripe_line WHERE stripe_line.transaction_id = open_line.transaction_id OFFSET 0
        ) AS line
    ), named AS (
        SELECT transaction_id, net, wanted.currency, journal.journal_id, journal.amount,
               min(transaction_id) OVER (PARTITION BY journal.journal_id) AS first
        FROM wanted JOIN open_journal AS journal
            ON journal.source = wanted.source AND journal.currency = wanted.currency
    ), grouped AS (
        SELECT transaction_id, journal_id, net, amount, min(first) OVER (PARTITION BY transaction_id) AS
               match_id
        FROM named
    ), sums AS (
        SELECT match_id FROM (
            SELECT match_id, sum(net) AS amount, count(*) AS lines
            FROM (SELECT DISTINCT match_id, transaction_id, net FROM grouped) AS lines GROUP BY match_id
            UNION ALL
            SELECT match_id, sum(amount), 0
            FROM (SELECT DISTINCT match_id, journal_id, amount FROM grouped) AS journals GROUP BY match_id
        ) AS both_sides GROUP BY match_id HAVING sum(amount) = 0 AND sum(lines) > 1
    ), lines AS (
        DELETE FROM open_line USING (SELECT DISTINCT transaction_id, match_id FROM grouped) AS of
        JOIN sums USING (match_id) WHERE open_line.transaction_id = of.transaction_id
        RETURNING open_line.transaction_id, of.match_id
    ), journals AS (
        DELETE FROM open_journal USING (SELECT DISTINCT journal_id, match_id FROM grouped) AS of
        JOIN sums USING (match_id) WHERE open_journal.journal_id = of.journal_id
        RETURNING open_journal.journal_id, of.match_id
    ), line_matches AS (
        INSERT INTO line_match (transaction_id, match_id, how, matched_at)
        SELECT transaction_id, match_id, 'ids', :now FROM lines
    ), book_matches AS (
        INSERT INTO book_match (journal_id, match_id, how, matched_at)
        SELECT journal_id, match_id, 'ids', :now FROM journals
    )
    SELECT match_id FROM sums
"""


async def together(tx: Tx, now: datetime) -> int:
    """Match open lines that only together are what their journals move; how many groups."""
    found = [row.match_id for row in await tx.all(_TOGETHER, now=now)]
    await respread(tx, found)
    return len(found)


# What comes after its match was made belongs to it all the same: a fee that was posted later,
# a revert of a journal.
# A revert of a journal that is open itself makes a match of the two.
_LATE: Final = """
    WITH late AS (
        SELECT DISTINCT ON (journal.journal_id) journal.journal_id, match.match_id
        FROM (SELECT journal_id, source, currency, split_part(source, ':', 2) AS name
              FROM open_journal) AS journal
        JOIN stripe_line AS line ON line.currency = journal.currency
            AND (line.transaction_id = journal.name OR line.source_id = journal.name)
        JOIN line_match AS match USING (transaction_id)
        WHERE journal.source = ANY (line.expected)
            OR journal.source LIKE 'stripe:%' AND journal.name = line.transaction_id
        ORDER BY journal.journal_id, line.made_at, line.transaction_id
    ), reverts AS (
        SELECT journal.journal_id, coalesce(match.match_id, reverted.journal_id::text) AS match_id,
               CASE WHEN match.match_id IS NULL THEN reverted.journal_id END AS with_it
        FROM open_journal AS journal
        JOIN book_line AS reverted ON reverted.journal_id =
            CASE WHEN journal.source ~ '^revert:[0-9a-f-]{36}$' THEN CAST(substr(journal.source,
                8) AS uuid) END
        LEFT JOIN book_match AS match ON match.journal_id = reverted.journal_id
    ), joined AS (
        SELECT journal_id, match_id FROM late
        UNION SELECT journal_id, match_id FROM reverts
        UNION SELECT with_it, match_id FROM reverts WHERE with_it IS NOT NULL
    ), taken AS (
        DELETE FROM open_journal USING joined WHERE open_journal.journal_id = joined.journal_id
        RETURNING open_journal.journal_id, joined.match_id
    )
    INSERT INTO book_match (journal_id, match_id, how, matched_at)
    SELECT journal_id, match_id, 'ids', :now FROM taken RETURNING match_id
"""


async def late(tx: Tx, now: datetime) -> int:
    """Add open journals to the matches that they belong to; how many journals."""
    joined = [row.match_id for row in await tx.all(_LATE, now=now)]
    await respread(tx, sorted(set(joined)))
    return len(joined)


# What was accepted for a row stood in for its own journals. They are all there when the match is too much by
# exactly what stood in for them. Each is asked for once: the revert may be on its way, or be refused.
_TAKE_BACK: Final = """
    WITH stood_in AS (
        SELECT book.journal_id, book.source FROM spread
        JOIN book_match AS match USING (match_id)
        JOIN book_line AS book ON book.journal_id = match.journal_id AND book.currency = spread.currency
        WHERE spread.until_day IS NULL AND book.event_type = 'stripe_reconciliation'
          AND book.amount = spread.amount
          AND EXISTS (SELECT FROM book_match AS other JOIN book_line AS own USING (journal_id)
                      WHERE other.match_id = spread.match_id AND own.at_stripe
                        AND own.event_type <> 'stripe_reconciliation')
    ), asked AS (
        INSERT INTO taken_back (journal_id, asked_at) SELECT journal_id, :now FROM stood_in
        ON CONFLICT (journal_id) DO NOTHING RETURNING journal_id
    )
    SELECT source FROM stood_in JOIN asked USING (journal_id) ORDER BY source
"""


async def take_back(tx: Tx, now: datetime) -> list[str]:
    """Note accepted journals whose own counterparts came after all; the sources of those that are new."""
    return [row.source for row in await tx.all(_TAKE_BACK, now=now)]


# Only journals that no service asked for: the others name what happened at Stripe,
# and that is no other thing of the
# same amount. Only pairs of which neither half has a second choice.
_BY_AMOUNT: Final = """
    WITH pair AS (
        SELECT line.transaction_id, journal.journal_id,
               count(*) OVER (PARTITION BY line.transaction_id) AS journals,
               count(*) OVER (PARTITION BY journal.journal_id) AS lines
        FROM open_line CROSS JOIN LATERAL (
            SELECT * FROM stripe_line WHERE stripe_line.transaction_id = open_line.transaction_id OFFSET 0
        ) AS line
        JOIN open_journal AS journal ON journal.currency = line.currency AND journal.amount = -line.net
            AND journal.day BETWEEN line.day - CAST(:days AS integer) AND line.day + CAST(:days AS integer)
        JOIN book_line AS book ON book.journal_id = journal.journal_id AND NOT book.at_stripe
        WHERE line.balance_type = 'payments' AND line.net <> 0 AND line.type <> 'opening'
    ), told AS (SELECT transaction_id, journal_id FROM pair WHERE journals = 1 AND lines = 1
    ), lines AS (
        DELETE FROM open_line USING told WHERE open_line.transaction_id = told.transaction_id
    ), journals AS (
        DELETE FROM open_journal USING told WHERE open_journal.journal_id = told.journal_id
    ), line_matches AS (
        INSERT INTO line_match (transaction_id, match_id, how, matched_at)
        SELECT transaction_id, transaction_id, 'amount', :now FROM told
    ), book_matches AS (
        INSERT INTO book_match (journal_id, match_id, how, matched_at)
        SELECT journal_id, transaction_id, 'amount', :now FROM told
    )
    SELECT transaction_id FROM told
"""


async def by_amount(tx: Tx, days: int, now: datetime) -> int:
    """Match what people posted with open lines of that amount, `days` apart at most; how many pairs."""
    found = [row.transaction_id for row in await tx.all(_BY_AMOUNT, days=days, now=now)]
    await respread(tx, found)
    return len(found)


# What names each other and is not the same amount: it is one difference,
# not two halves without the other. Before all
# expected journals are there, or the line is old, the rest may be on its way.
_DIFFERING: Final = """
    WITH wanted AS (
        SELECT line.transaction_id, line.day, line.made_at, cardinality(line.expected) AS expected,
               named.source
        FROM open_line CROSS JOIN LATERAL (
            SELECT * FROM stripe_line WHERE stripe_line.transaction_id = open_line.transaction_id OFFSET 0
        ) AS line
        CROSS JOIN LATERAL (
            SELECT unnest(line.expected) AS source
            UNION SELECT 'stripe:' || line.transaction_id
            UNION SELECT 'transfer:' || sent.transfer_id FROM sent_transfer AS sent
                  WHERE line.type = 'transfer' AND sent.stripe_transfer_id = line.source_id) AS named
        WHERE line.type <> 'opening'
    ), found AS (
        SELECT DISTINCT ON (journal.journal_id) journal.journal_id, wanted.transaction_id, wanted.day,
               wanted.expected
        FROM wanted JOIN open_journal AS journal USING (source)
        ORDER BY journal.journal_id, wanted.made_at, wanted.transaction_id
    ), told AS (
        SELECT transaction_id FROM found GROUP BY transaction_id, day, expected
        HAVING day < :settled_before OR count(*) >= greatest(expected, 1)
    ), lines AS (
        DELETE FROM open_line USING told WHERE open_line.transaction_id = told.transaction_id
    ), journals AS (
        DELETE FROM open_journal USING found JOIN told USING (transaction_id)
        WHERE open_journal.journal_id = found.journal_id
    ), line_matches AS (
        INSERT INTO line_match (transaction_id, match_id, how, matched_at)
        SELECT transaction_id, transaction_id, 'ids', :now FROM told
    ), book_matches AS (
        INSERT INTO book_match (journal_id, match_id, how, matched_at)
        SELECT journal_id, transaction_id, 'ids', :now FROM found JOIN told USING (transaction_id)
    )
    SELECT transaction_id FROM told
"""


async def differing(tx: Tx, settled_before: date, now: datetime) -> int:
    """Match lines with the journals that they name although the amounts are not the same; how many lines."""
    found = [row.transaction_id for row in await tx.all(_DIFFERING, settled_before=settled_before, now=now)]
    await respread(tx, found)
    return len(found)


_LEAVE: Final = """
    WITH left_alone AS (DELETE FROM open_line WHERE transaction_id = :id RETURNING transaction_id)
    INSERT INTO line_match (transaction_id, match_id, how, matched_at)
    SELECT transaction_id, transaction_id, 'nothing', :now FROM left_alone
"""


async def leave(tx: Tx, transaction_id: str, now: datetime) -> None:
    """Match a line that moves nothing of the books' with nothing."""
    await tx.execute(_LEAVE, id=transaction_id, now=now)
