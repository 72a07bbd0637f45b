"""The demo's report: students' balances, payees' transfers, the margin, refused flights, flags."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hobbs.demo.figures import Figures, Row
from hobbs.shell.money_columns import with_money
from hobbs.shell.output import Output, show_rows

CURRENCY = "USD"
MONEY = (
    "charged",
    "paid",
    "balance",
    "earned",
    "transferred",
    "in_bank",
    "waiting",
    "amount",
    "before",
    "after",
    "opening",
    "moved",
    "closing",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    title: str
    rows: Sequence[Row]


async def read_tables(figures: Figures, wanted: Mapping[str, str] | None = None) -> list[Table]:
    """Read tables of the report, by title and SQL; those of flights and people unless told."""
    wanted = _TABLES if wanted is None else wanted
    return [Table(title=title, rows=await figures.rows(sql)) for title, sql in wanted.items()]


def show_tables(tables: Sequence[Table]) -> None:
    for table in tables:
        if table.rows:
            rows = with_money(table.rows, Output.table, MONEY, currency=CURRENCY)
            show_rows(rows, title=f"\n{table.title}", right=[*MONEY, "flights"])


_STUDENTS = """
    SELECT bill.student, count(DISTINCT bill.flight_id) AS flights,
           (SELECT -sum(amount)::bigint FROM ledger_public.entries
            WHERE address = 'student:' || bill.student AND event_type IN ('flight', 'adjustment')) AS charged,
           coalesce((SELECT sum(amount)::bigint FROM ledger_public.entries
                     WHERE address = 'student:' || bill.student
                       AND event_type NOT IN ('flight', 'adjustment')), 0) AS paid,
           (SELECT balance FROM ledger_public.wallets WHERE address = 'student:' || bill.student) AS balance
    FROM billing_public.bills AS bill
    GROUP BY bill.student
    ORDER BY bill.student
"""

_PAYEES = """
    SELECT payee.wallet AS payee,
           coalesce(earned.amount, 0) AS earned,
           coalesce(paid.sent, 0) AS transferred,
           coalesce(paid.in_bank, 0) AS in_bank,
           coalesce(paid.waiting, 0) AS waiting,
           paid.why
    FROM payouts.payee
    LEFT JOIN (SELECT address, sum(amount)::bigint AS amount
               FROM ledger_public.entries WHERE event_type IN ('flight', 'adjustment')
               GROUP BY address) AS earned
        ON earned.address = payee.wallet
    LEFT JOIN (SELECT wallet,
                      sum(amount - amount_reversed)
                          FILTER (WHERE stripe_transfer_id IS NOT NULL)::bigint AS sent,
                      sum(amount) FILTER (WHERE state = 'in_bank')::bigint AS in_bank,
                      sum(amount) FILTER (WHERE stripe_transfer_id IS NULL)::bigint AS waiting,
                      max(sentence) FILTER (WHERE stripe_transfer_id IS NULL) AS why
               FROM payouts.transfer WHERE state <> 'cancelled' GROUP BY wallet) AS paid
        ON paid.wallet = payee.wallet
    ORDER BY payee.wallet
"""

_SCHOOL = """
    SELECT 'margin of the flights' AS what, coalesce(sum(amount), 0)::bigint AS amount
    FROM ledger_public.entries
    WHERE address = 'platform:school' AND event_type IN ('flight', 'adjustment')
    UNION ALL
    SELECT CASE event_type WHEN 'stripe_fee' THEN 'Stripe''s card fees' ELSE event_type END,
           sum(amount)::bigint
    FROM ledger_public.entries
    WHERE address = 'platform:school' AND event_type NOT IN ('flight', 'adjustment') GROUP BY event_type
    UNION ALL
    SELECT CASE WHEN address = 'platform:school' THEN 'school''s margin after fees'
                WHEN address = 'external:stripe' THEN 'held at Stripe'
                WHEN address = 'liability:tax' THEN 'tax to hand over'
                WHEN address LIKE 'liability:reserve-%' THEN 'set aside for engines: ' || substr(address, 19)
                ELSE address END,
           CASE kind WHEN 'external' THEN -balance ELSE balance END
    FROM ledger_public.wallets
    WHERE kind IN ('platform', 'liability', 'external') AND balance <> 0
"""

_CORRECTED = """
    SELECT party.wallet AS party, party.before, party.after, settlement.method AS settled_by,
           settlement.amount, settlement.state, approved.by AS approved_by, settlement.proof
    FROM adjustments_public.differences AS party
    JOIN adjustments_public.settlements AS settlement USING (adjustment_id, wallet)
    LEFT JOIN (SELECT adjustment_id, string_agg(approver, ', ' ORDER BY approved_at) AS by
               FROM adjustments_public.approvals WHERE counts GROUP BY adjustment_id) AS approved
        USING (adjustment_id)
    WHERE settlement.state NOT IN ('replaced', 'failed')
    ORDER BY party.flight_id, party.revision, party.wallet, settlement.number
"""

_REFUSED = """
    SELECT coalesce(subject, topic || ' ' || partition || ':' || "offset") AS flight, reason, sentence
    FROM billing.dead_letter WHERE state = 'open' ORDER BY first_seen_at, subject
"""

_FLAGS = """
    SELECT kind, count(*) AS flights, min(sentence) AS for_example
    FROM billing_public.flags GROUP BY kind ORDER BY kind
"""

_TABLES = {
    "Students": _STUDENTS,
    "Instructors and owners": _PAYEES,
    "School": _SCHOOL,
    "A flight corrected from 2.3 h to 1.3 h": _CORRECTED,
    "Flights refused": _REFUSED,
    "Bills that a person should check": _FLAGS,
}
