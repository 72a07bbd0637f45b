"""SQL of students' accounts: the ledger's entries as items, and what is open of each."""

from collections.abc import Collection, Sequence
from datetime import date
from uuid import UUID

from fleet.database import Tx, json_parameter
from services.receivables.domain.open_items import AGES, Account, Line

# Journal by journal, each by its index: joined as a set, the planner may read the whole table of entries. A
# revert belongs to the item of what it takes back, however often that was taken back before.
_READ = """
    SELECT entry.journal_id, substr(entry.address, 9) AS student, entry.currency, entry.source, entry.amount,
           document_of(coalesce(taken_back.source, entry.source)) AS document,
           (CASE WHEN entry.event_type = 'opening' THEN entry.occurred_at ELSE entry.recorded_at END
               AT TIME ZONE school.time_zone)::date AS booked_on
    FROM unnest(CAST(:ids AS uuid[])) AS asked (id) CROSS JOIN school
    CROSS JOIN LATERAL (
        SELECT journal_id, address, currency, source, event_type, occurred_at, recorded_at,
               CAST(sum(amount) AS bigint) AS amount
        FROM ledger_public.entries WHERE journal_id = asked.id AND kind = 'student'
        GROUP BY journal_id, address, currency, source, event_type, occurred_at, recorded_at
    ) AS entry
    LEFT JOIN LATERAL (
        WITH RECURSIVE undone (source, reverted_id, depth) AS (
            SELECT reverted_source, reverted_id, 1 FROM ledger_public.reverts WHERE journal_id = asked.id
            UNION ALL
            SELECT before.reverted_source, before.reverted_id, depth + 1
            FROM undone JOIN ledger_public.reverts AS before ON before.journal_id = undone.reverted_id
        )
        SELECT source FROM undone ORDER BY depth DESC LIMIT 1
    ) AS taken_back ON entry.event_type = 'revert'
"""


async def read(tx: Tx, journal_ids: Collection[UUID]) -> list[Line]:
    """What journals put on students' wallets, as the ledger has it; what it does not have is left out."""
    rows = await tx.all(_READ, ids=list(journal_ids)) if journal_ids else []
    return [Line(**row._mapping) for row in rows]


_OPEN_ACCOUNTS = """
    INSERT INTO account (student, currency)
    SELECT student, currency
    FROM jsonb_to_recordset(CAST(:accounts AS jsonb)) AS named (student text, currency text)
    ORDER BY student, currency ON CONFLICT DO NOTHING
"""
_LOCK = """
    SELECT account.student, account.currency FROM account
    JOIN jsonb_to_recordset(CAST(:accounts AS jsonb)) AS named (student text, currency text)
        USING (student, currency)
    ORDER BY account.student, account.currency FOR UPDATE OF account
"""


async def lock(tx: Tx, accounts: Collection[Account]) -> None:
    """Open the accounts that are new, and lock all of them in their order."""
    named = _named(accounts)
    await tx.execute(_OPEN_ACCOUNTS, accounts=named)
    await tx.all(_LOCK, accounts=named)


# An item's date is that of its first line, in whatever order lines are read.
_ADD = """
    WITH fresh AS (
        INSERT INTO item_line (journal_id, student, currency, document, source, amount, booked_on)
        SELECT journal_id, student, currency, document, source, amount, booked_on
        FROM jsonb_to_recordset(CAST(:lines AS jsonb)) AS line (
            journal_id uuid, student text, currency text, document text, source text, amount bigint,
            booked_on date)
        ON CONFLICT ON CONSTRAINT journal_is_itemised_once DO NOTHING
        RETURNING student, currency, document, amount, booked_on
    ), changed AS (
        INSERT INTO item (student, currency, document, amount, booked_on, due_on)
        SELECT student, currency, document, sum(amount), min(booked_on), due_on(min(booked_on))
        FROM fresh GROUP BY student, currency, document
        ON CONFLICT ON CONSTRAINT one_item_of_a_document DO UPDATE
        SET amount = item.amount + excluded.amount,
            open = greatest(least(item.amount + excluded.amount, 0),
                            least(item.open, greatest(item.amount + excluded.amount, 0))),
            booked_on = least(item.booked_on, excluded.booked_on),
            due_on = CASE WHEN excluded.booked_on < item.booked_on THEN excluded.due_on ELSE item.due_on END
    )
    UPDATE account SET balance = account.balance + moved.amount
    FROM (SELECT student, currency, sum(amount) AS amount FROM fresh GROUP BY student, currency) AS moved
    WHERE (account.student, account.currency) = (moved.student, moved.currency)
"""


async def add(tx: Tx, lines: Sequence[Line]) -> None:
    """Add lines to the items of locked accounts; a line that is there already changes nothing."""
    said = [
        {
            "journal_id": str(line.journal_id),
            "student": line.student,
            "currency": line.currency,
            "document": line.document,
            "source": line.source,
            "amount": line.amount,
            "booked_on": line.booked_on.isoformat(),
        }
        for line in lines
    ]
    await tx.execute(_ADD, lines=json_parameter(said))


# Payments settle the oldest: what is open stands on the items that are due last, on the side of the balance.
# Only the `most` newest of an account are looked at; it is returned when the balance is not found among them.
_SETTLE = """
    WITH named AS (
        SELECT account.student, account.currency, account.balance FROM account
        JOIN jsonb_to_recordset(CAST(:accounts AS jsonb)) AS one (student text, currency text)
            USING (student, currency)
    ), newest AS (
        SELECT named.student, named.currency, named.balance, each.document, each.amount,
               sum(abs(each.amount)) OVER (PARTITION BY named.student, named.currency
                                           ORDER BY each.due_on DESC, each.document DESC) AS upto
        FROM named CROSS JOIN LATERAL (
            SELECT document, amount, due_on FROM item
            WHERE item.student = named.student AND item.currency = named.currency
              AND sign(item.amount) = sign(named.balance)
            ORDER BY due_on DESC, document DESC LIMIT :most) AS each
    ), stands AS (
        SELECT student, currency, document, upto,
               CAST(sign(balance) * greatest(least(abs(amount), abs(balance) - (upto - abs(amount))), 0)
                    AS bigint) AS open
        FROM newest
    ), changed AS (
        UPDATE item SET open = coalesce(stands.open, 0)
        FROM (SELECT student, currency, document FROM stands
              UNION
              SELECT item.student, item.currency, item.document FROM item JOIN named USING (student, currency)
              WHERE item.open <> 0) AS touched
        LEFT JOIN stands USING (student, currency, document)
        WHERE (item.student, item.currency, item.document)
                  = (touched.student, touched.currency, touched.document)
          AND item.open <> coalesce(stands.open, 0)
    )
    SELECT named.student, named.currency FROM named
    WHERE abs(named.balance) > (SELECT coalesce(max(upto), 0) FROM stands
                                WHERE (stands.student, stands.currency) = (named.student, named.currency))
"""


async def settle(tx: Tx, accounts: Collection[Account], *, most: int) -> list[Account]:
    """Say what is open of the items of locked accounts; returns those with more open items than `most`."""
    rows = await tx.all(_SETTLE, accounts=_named(accounts), most=most)
    return [Account(row.student, row.currency) for row in rows]


_AGES = """
    SELECT not_due, days_1_30, days_31_60, days_61_90, over_90
    FROM receivables_public.ageing_in_total(:day) JOIN school USING (currency)
"""


async def ages(tx: Tx, day: date) -> dict[str, int]:
    """What students owe together in the school's currency, by how long it is overdue; minor units."""
    row = await tx.first(_AGES, day=day)
    return {name: int(amount) for name, amount in row._mapping.items()} if row else dict.fromkeys(AGES, 0)


def _named(accounts: Collection[Account]) -> str:
    return json_parameter([{"student": a.student, "currency": a.currency} for a in sorted(accounts)])
