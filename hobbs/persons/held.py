"""Everything that is held about one person, from the published views of every service.

A person is their wallets: what tells of them names one of these, or the id in it. Each query takes `wallets`,
`students`, `instructors` and `owners` (ids), and the rows of its view are shown whole.
"""

from collections.abc import Sequence
from typing import Any, Final

from fleet.database import Tx

# What is read, by what it is called in the export; `kept`: why it stays when the person is erased.
HELD: Final[dict[str, str]] = {
    "contact": "SELECT * FROM payouts_public.contacts WHERE wallet = ANY (CAST(:wallets AS text[]))",
    "erasures": "SELECT * FROM payouts_public.erasures WHERE wallet = ANY (CAST(:wallets AS text[]))",
    "cards": """
        SELECT * FROM billing_public.card_history
        WHERE kind = 'student' AND key = ANY (CAST(:students AS text[]))
           OR kind = 'instructor' AND key = ANY (CAST(:instructors AS text[]))
           OR kind = 'owner' AND key = ANY (CAST(:owners AS text[]))
           OR kind = 'credit_limit' AND key = ANY (CAST(:students AS text[]))
           OR kind = 'student_rate' AND key = ANY (CAST(:wallets AS text[]))
        ORDER BY version, kind, key, effective_from""",
    "flights": """
        SELECT flight_id, revision, kind, student, instructor, aircraft, billed_on, occurred_at,
               billed_tenths, currency, charge, lines, legs, reason, made_by, in_force
        FROM billing_public.bills
        WHERE student = ANY (CAST(:students AS text[])) OR instructor = ANY (CAST(:instructors AS text[]))
           OR bill_id IN (SELECT bill_id FROM billing_public.bill_legs
              WHERE wallet = ANY (CAST(:wallets AS text[])))
        ORDER BY billed_on, flight_id, revision""",
    "balances": "SELECT * FROM ledger_public.wallets WHERE address = ANY (CAST(:wallets AS text[]))",
    "entries": """
        SELECT address, source, event_type, occurred_at, recorded_at, currency, amount, balance_after, memo
        FROM ledger_public.entries WHERE address = ANY (CAST(:wallets AS text[]))
        ORDER BY address, currency, version""",
    "holds": "SELECT * FROM ledger_public.holds WHERE address = ANY (CAST(:wallets AS text[]))",
    "payee": "SELECT * FROM payouts_public.payees WHERE wallet = ANY (CAST(:wallets AS text[]))",
    "stripe_account": """
        SELECT * FROM payouts_public.payee_accounts
        WHERE wallet = ANY (CAST(:wallets AS text[]))""",
    "transfers": """
        SELECT * FROM payouts_public.transfers WHERE wallet = ANY (CAST(:wallets AS text[]))
        ORDER BY created_at""",
    "payouts": "SELECT * FROM payouts_public.payouts WHERE wallet = ANY (CAST(:wallets AS text[]))",
    "payments": "SELECT * FROM receivables_public.payments WHERE student = ANY (CAST(:students AS text[]))",
    "failed_payments": """
        SELECT * FROM receivables_public.payment_failures WHERE student = ANY (CAST(:students AS text[]))""",
    "moved_payments": """
        SELECT * FROM receivables_public.payment_moves
        WHERE from_student = ANY (CAST(:students AS text[]))
           OR to_student = ANY (CAST(:students AS text[]))""",
    "saved_payment_methods": """
        SELECT * FROM receivables_public.saved_methods WHERE student = ANY (CAST(:students AS text[]))""",
    "automatic_charges": """
        SELECT * FROM receivables_public.auto_charges WHERE student = ANY (CAST(:students AS text[]))""",
    "charge_choices": """
        SELECT * FROM receivables_public.charge_choices WHERE student = ANY (CAST(:students AS text[]))""",
    "dunning": """
        SELECT * FROM receivables_public.dunning_history
        WHERE student = ANY (CAST(:students AS text[])) ORDER BY place""",
    "credit_levels": """
        SELECT * FROM receivables_public.credit_level_changes
        WHERE student = ANY (CAST(:students AS text[]))""",
    "account_notes": """
        SELECT * FROM receivables_public.account_notes
        WHERE student = ANY (CAST(:students AS text[])) ORDER BY asked_at""",
    "limit_changes": """
        SELECT * FROM receivables_public.limit_changes
        WHERE student = ANY (CAST(:students AS text[])) ORDER BY student, number""",
    "dispatches": """
        SELECT * FROM receivables_public.dispatches
        WHERE student = ANY (CAST(:students AS text[]))""",
    "corrections": """
        SELECT difference.wallet, adjustment.flight_id, adjustment.revision, adjustment.kind,
               adjustment.state, difference.currency, difference.before, difference.after,
               adjustment.reason, adjustment.made_by, adjustment.proposed_at
        FROM adjustments_public.differences AS difference
        JOIN adjustments_public.adjustments AS adjustment ON adjustment.id = difference.adjustment_id
        WHERE difference.wallet = ANY (CAST(:wallets AS text[])) ORDER BY adjustment.proposed_at""",
    "settlements": """
        SELECT * FROM adjustments_public.settlements WHERE wallet = ANY (CAST(:wallets AS text[]))
        ORDER BY begun_at""",
    "positions": """
        SELECT * FROM reserves_public.wallet_positions
        WHERE wallet = ANY (CAST(:wallets AS text[]))""",
    "mismatches": "SELECT * FROM reserves_public.mismatches WHERE wallet = ANY (CAST(:wallets AS text[]))",
    "questions": "SELECT * FROM console_public.questions WHERE wallet = ANY (CAST(:wallets AS text[]))",
    "decisions": """
        SELECT * FROM console_public.decisions
        WHERE object = ANY (CAST(:wallets AS text[])) ORDER BY at""",
}


async def held_about(tx: Tx, wallets: Sequence[str]) -> dict[str, list[dict[str, Any]]]:
    """Every row that tells of the person, by what it is; `tx` reads as hobbs_operator."""
    ids: dict[str, list[str]] = {"student": [], "instructor": [], "aircraft_owner": []}
    for wallet in wallets:
        kind, _, key = wallet.partition(":")
        ids[kind].append(key)
    found: dict[str, list[dict[str, Any]]] = {}
    for what, query in HELD.items():
        names = {"wallets": list(wallets), "students": ids["student"]}
        names |= {"instructors": ids["instructor"], "owners": ids["aircraft_owner"]}
        asked = {name: value for name, value in names.items() if f":{name} " in query}
        found[what] = [dict(row._mapping) for row in await tx.all(query, **asked)]
    return found


_ASKED: Final = """
    SELECT id FROM console_public.questions WHERE wallet = ANY (CAST(:wallets AS text[])) LIMIT 1
"""


async def asked_something(tx: Tx, wallets: Sequence[str]) -> bool:
    """Whether the person asked finance anything in the console."""
    return await tx.first(_ASKED, wallets=list(wallets)) is not None


_STUDENTS: Final = """
    SELECT key, new AS card FROM billing_public.card_history WHERE kind = 'student' AND new IS NOT NULL
"""


async def students(tx: Tx) -> list[tuple[str, dict[str, Any]]]:
    """Id and card of each student, of every version of the book."""
    return [(row.key, row.card) for row in await tx.all(_STUDENTS)]
