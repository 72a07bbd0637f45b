"""SQL of students' accounts: the ledger's entries as items, and what is open of each."""

from collections.abc import Collection, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row

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
            named = least(item.named, greatest(-(item.amount + excluded.amount), 0)),
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


# Of accounts with such payments: each pays of the bill that it names what it has, never more than the bill.
_NAME = """
    WITH named AS MATERIALIZED (
        SELECT DISTINCT ON (word.student, word.currency, word.payment)
               word.student, word.currency, word.payment, word.bill
        FROM named_bill AS word
        JOIN jsonb_to_recordset(CAST(:accounts AS jsonb)) AS one (student text, currency text)
            USING (student, currency)
        ORDER BY word.student, word.currency, word.payment, word.place DESC
    ), paid AS (
        SELECT named.student, named.currency, named.bill AS document, sum(payment.amount) AS amount
        FROM named
        JOIN item AS payment ON (payment.student, payment.currency, payment.document)
                                = (named.student, named.currency, named.payment)
        WHERE payment.amount > 0 AND named.bill IS NOT NULL
        GROUP BY named.student, named.currency, named.bill
    ), touched AS (
        SELECT student, currency, document FROM paid
        UNION
        SELECT item.student, item.currency, item.document
        FROM item JOIN (SELECT DISTINCT student, currency FROM named) AS those USING (student, currency)
        WHERE item.named <> 0
    )
    UPDATE item SET named = least(coalesce(paid.amount, 0), greatest(-item.amount, 0))
    FROM touched LEFT JOIN paid USING (student, currency, document)
    WHERE (item.student, item.currency, item.document) = (touched.student, touched.currency, touched.document)
"""


async def name(tx: Tx, accounts: Collection[Account]) -> None:
    """Say of locked accounts what payments that name their bills pay of them."""
    await tx.execute(_NAME, accounts=_named(accounts))


# Payments settle the oldest: what is open stands on the items that are due last, on the side of the balance;
# what a payment pays of the bill that it names is settled before.
# Only the `most` newest of an account are looked at; it is returned when the balance is not found among them.
# What stands is added up with the nought of what stood, and not joined with it: Postgres takes it for two
# rows, and compared each with each.
_SETTLE = """
    WITH named AS (
        SELECT account.student, account.currency, account.balance FROM account
        JOIN jsonb_to_recordset(CAST(:accounts AS jsonb)) AS one (student text, currency text)
            USING (student, currency)
    ), newest AS (
        SELECT named.student, named.currency, named.balance, each.document, each.rest,
               sum(each.rest) OVER (PARTITION BY named.student, named.currency
                                    ORDER BY each.due_on DESC, each.document DESC) AS upto
        FROM named CROSS JOIN LATERAL (
            SELECT document, abs(amount) - item.named AS rest, due_on FROM item
            WHERE item.student = named.student AND item.currency = named.currency
              AND sign(item.amount) = sign(named.balance)
            ORDER BY due_on DESC, document DESC LIMIT :most) AS each
    ), stands AS (
        SELECT student, currency, document, upto,
               CAST(sign(balance) * greatest(least(rest, abs(balance) - (upto - rest)), 0) AS bigint) AS open
        FROM newest
    ), changed AS (
        UPDATE item SET open = touched.open
        FROM (SELECT student, currency, document, CAST(sum(open) AS bigint) AS open
              FROM (SELECT student, currency, document, open FROM stands
                    UNION ALL
                    SELECT item.student, item.currency, item.document, 0
                    FROM item JOIN named USING (student, currency) WHERE item.open <> 0) AS either
              GROUP BY student, currency, document) AS touched
        WHERE (item.student, item.currency, item.document)
                  = (touched.student, touched.currency, touched.document)
          AND item.open <> touched.open
    ), reached AS (
        SELECT student, currency, max(upto) AS upto FROM stands GROUP BY student, currency
    )
    SELECT named.student, named.currency FROM named LEFT JOIN reached USING (student, currency)
    WHERE abs(named.balance) > coalesce(reached.upto, 0)
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


_INSERT_NAME = """
    INSERT INTO named_bill (payment, student, currency, bill, who, why, at)
    VALUES (:payment, :student, :currency, :bill, :who, :why, :at)
"""
_BILL = """
    SELECT student, currency, document, amount, open FROM item
    WHERE document IN (:bill, 'flight:' || :bill) AND amount < 0
    ORDER BY student <> :student, document <> :bill LIMIT 1
"""
_PAYMENT = """
    SELECT student, currency, document, amount FROM item
    WHERE document IN (:payment, 'charge:' || :payment, 'recorded:' || :payment) AND amount > 0
    ORDER BY document <> :payment, student LIMIT 1
"""


async def insert_name(
    tx: Tx, payment: str, account: Account, bill: str | None, *, who: str, why: str, at: datetime
) -> None:
    """Keep which bill a payment pays first from now on; both are documents."""
    await tx.execute(
        _INSERT_NAME,
        payment=payment,
        student=account.student,
        currency=account.currency,
        bill=bill,
        who=who,
        why=why,
        at=at,
    )


_INSERT_FIRST_NAME = """
    INSERT INTO named_bill (payment, student, currency, bill, who, why, at)
    SELECT :payment, :student, :currency, :bill, :who, 'its metadata', :at
    WHERE NOT EXISTS (SELECT FROM named_bill
                      WHERE (student, currency, payment) = (:student, :currency, :payment))
"""


async def insert_first_name(
    tx: Tx, payment: str, account: Account, bill: str, *, who: str, at: datetime
) -> None:
    """Keep which bill a payment pays first, unless somebody said it before; its account is locked."""
    await tx.execute(
        _INSERT_FIRST_NAME,
        payment=payment,
        student=account.student,
        currency=account.currency,
        bill=bill,
        who=who,
        at=at,
    )


async def find_bill(tx: Tx, bill: str, student: str) -> Row[Any] | None:
    """A bill by its flight or document: the student's, or else somebody's."""
    return await tx.first(_BILL, bill=bill, student=student)


async def find_payment(tx: Tx, payment: str) -> Row[Any] | None:
    """A payment by its charge, its id where it was recorded by hand, or its document."""
    return await tx.first(_PAYMENT, payment=payment)


_OPEN = """
    SELECT document, open FROM item
    WHERE (student, currency) = (:student, :currency) AND open < 0 ORDER BY due_on, document
"""


async def open_bills(tx: Tx, account: Account) -> dict[str, int]:
    """What is open of an account's bills, what is due first first; below zero."""
    rows = await tx.all(_OPEN, student=account.student, currency=account.currency)
    return {row.document: row.open for row in rows}
