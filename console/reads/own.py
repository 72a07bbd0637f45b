"""What a holder sees: rows of functions that show one wallet only (console/functions/own.sql)."""

from dataclasses import replace
from typing import Any, Final

from console.reads.accounts import DUE, OF_ITEM
from console.reads.tables import Column, Listing
from console.statement_parts import flight_of
from console.wording import is_uuid
from fleet.database import Tx

FLIGHTS: Final = Listing(
    name="my-flights",
    title="My flights",
    sql="SELECT * FROM console_public.own_flights()",
    columns=(
        Column(name="billed_on", title="Day", kind="date", filtered="between"),
        Column(name="flight_id", title="Flight", filtered="has", link="/own/flights/{flight_id}"),
        Column(
            name="kind",
            title="Bill",
            kind="state",
            choices=("completed", "corrected", "cancelled", "elsewhere"),
        ),
        Column(name="aircraft", title="Aircraft", filtered="has", empty=True),
        Column(name="instructor", title="Instructor", empty=True),
        Column(name="tenths", title="Hours", kind="hours", empty=True),
        Column(name="amount", title="For me", kind="money", link="/own/flights/{flight_id}"),
        Column(name="currency", title="Currency", export_only=True),
        Column(name="bill_id", title="Bill", kind="id", export_only=True),
    ),
    key="bill_id",
    key_kind="uuid",
    order="-billed_on",
    empty="No flight of yours is billed yet.",
)
STATEMENT: Final = Listing(
    name="my-statement",
    title="My account",
    sql="SELECT * FROM console_public.own_entries()",
    columns=(
        Column(name="occurred_at", title="Occurred", kind="instant", filtered="between"),
        Column(name="event_type", title="Kind", kind="state", filtered="is"),
        Column(name="source", title="For", kind="source", filtered="has", link="/own/lines/{source}"),
        Column(name="memo", title="Memo", kind="long", unsorted=True),
        Column(name="amount", title="Amount", kind="money"),
        Column(name="balance_after", title="Balance", kind="money", unsorted=True),
        Column(name="currency", title="Currency", export_only=True),
        Column(name="place", title="Entry", export_only=True),
    ),
    key="place",
    order="-place",  # as the balance ran: a flight that was billed late stands where it was billed
    empty="Nothing is on your account yet.",
)
TRANSFERS: Final = Listing(
    name="my-transfers",
    title="My transfers",
    sql="""
        SELECT id, created_at, amount, currency, state, sources, sent_at, in_bank_at,
               coalesce(sentence, CASE state WHEN 'pending' THEN 'waits for its turn' END) AS sentence
        FROM console_public.own_transfers()
    """,
    columns=(
        Column(name="created_at", title="Made", kind="instant", filtered="between"),
        Column(name="amount", title="Amount", kind="money", link="/own/lines/transfer:{id}"),
        Column(name="state", title="State", kind="state", filtered="is"),
        Column(name="sentence", title="Why it waits", kind="long", unsorted=True),
        Column(name="sources", title="For", kind="list", unsorted=True),
        Column(name="sent_at", title="Sent", kind="instant", empty=True),
        Column(name="in_bank_at", title="In my bank", kind="instant", empty=True),
        Column(name="currency", title="Currency", export_only=True),
        Column(name="id", title="Transfer", kind="id", export_only=True),
    ),
    key="id",
    key_kind="uuid",
    order="-created_at",
    empty="Nothing was transferred to you yet.",
)
PAYMENTS: Final = Listing(
    name="my-payments",
    title="My payments",
    sql="SELECT * FROM console_public.own_payments()",
    columns=(
        Column(name="received_at", title="Received", kind="instant", filtered="between"),
        Column(name="charge_id", title="Payment", filtered="has", link="/own/lines/charge%3A{charge_id}"),
        Column(name="amount", title="Amount", kind="money"),
        Column(name="refunded", title="Refunded", kind="money"),
        Column(name="currency", title="Currency", export_only=True),
    ),
    key="charge_id",
    order="-received_at",
    empty="No payment of yours came yet.",
)
ITEMS: Final = Listing(
    name="my-items",
    title="My open items",
    sql="SELECT * FROM console_public.own_items()",
    columns=(DUE, replace(OF_ITEM[0], link="/own/documents/{document}"), *OF_ITEM[1:]),
    key="place",
    order="due_on",
    empty="Nothing is open: every bill of yours is paid.",
)
CORRECTIONS: Final = Listing(
    name="my-corrections",
    title="My corrections",
    sql="SELECT * FROM console_public.own_corrections()",
    columns=(
        Column(name="proposed_at", title="Proposed", kind="instant"),
        Column(name="flight_id", title="Flight", filtered="has", link="/own/flights/{flight_id}"),
        Column(name="state", title="State", kind="state", filtered="is"),
        Column(name="before", title="Before", kind="money"),
        Column(name="after", title="After", kind="money"),
        Column(name="difference", title="Difference", kind="money"),
        Column(name="reason", title="Reason", kind="long", unsorted=True),
        Column(name="currency", title="Currency", export_only=True),
        Column(name="place", title="Correction", export_only=True),
    ),
    key="place",
    order="-proposed_at",
    empty="No flight of yours was corrected.",
)
QUESTIONS: Final = Listing(
    name="my-questions",
    title="My questions",
    sql="SELECT * FROM console_public.own_questions()",
    columns=(
        Column(name="asked_at", title="Asked", kind="instant"),
        Column(name="about", title="About", kind="source", link="/own/lines/{about}"),
        Column(name="words", title="Question", kind="long", unsorted=True),
        Column(name="answer", title="Answer", kind="long", unsorted=True),
        Column(name="answered_at", title="Answered", kind="instant", empty=True),
        Column(name="id", title="Id", kind="id", export_only=True),
    ),
    key="id",
    key_kind="uuid",
    order="-asked_at",
    empty="You have asked nothing yet.",
)

_BALANCES: Final = "SELECT * FROM console_public.own_balances()"
_HOLDS: Final = "SELECT * FROM console_public.own_holds()"
_PAYEE: Final = "SELECT * FROM console_public.own_payee()"
_WAITING: Final = """
    SELECT id, created_at, amount, currency, state, reason,
           coalesce(sentence, CASE state WHEN 'pending' THEN 'waits for its turn' END) AS sentence
    FROM console_public.own_transfers()
    WHERE state IN ('pending', 'held', 'sending', 'refused', 'parked') ORDER BY created_at DESC LIMIT 20
"""
_ENTRIES: Final = """
    SELECT occurred_at, event_type, amount, currency, balance_after, memo
    FROM console_public.own_entries() WHERE source = :source ORDER BY occurred_at, version
"""
_TRANSFER: Final = """
    SELECT created_at, amount, currency, state, sentence, sent_at, in_bank_at, sources
    FROM console_public.own_transfers() WHERE id = CAST(:id AS uuid)
"""
_PAYMENT: Final = """
    SELECT charge_id, received_at, amount, currency, refunded
    FROM console_public.own_payments() WHERE charge_id = :charge_id
"""
_ASKED: Final = """
    SELECT count(*) FILTER (WHERE answered_at IS NULL) AS open,
           count(*) FILTER (WHERE answered_at IS NOT NULL) AS answered
    FROM console_public.own_questions()
"""
_FLIGHT: Final = "SELECT * FROM console_public.own_flights() WHERE flight_id = :flight_id"


async def summary(tx: Tx) -> dict[str, Any]:
    """Balances, open holds, how the holder is paid, transfers that wait, each with why; questions asked."""
    parts = {
        "balances": _BALANCES, "holds": _HOLDS, "payee": _PAYEE, "waiting": _WAITING, "asked": _ASKED,
    }  # fmt: skip
    return {name: [dict(row._mapping) for row in await tx.all(sql)] for name, sql in parts.items()}


async def flight(tx: Tx, flight_id: str) -> dict[str, Any] | None:
    """A flight that means something to the wallet; None: there is none of theirs."""
    row = await tx.first(_FLIGHT, flight_id=flight_id)
    return dict(row._mapping) if row else None


async def line(tx: Tx, source: str) -> dict[str, Any] | None:
    """What stands behind a line of the holder's account, by its source; None: there is none of theirs.

    A transfer has no entry before it is sent, a flight's correction and a payment none before it is posted.
    """
    kind, _, name = source.partition(":")
    named = flight_of(source)
    entries = [dict(row._mapping) for row in await tx.all(_ENTRIES, source=source)]
    billed = await flight(tx, named[0]) if named else None
    sent = await tx.first(_TRANSFER, id=name) if kind == "transfer" and is_uuid(name) else None
    paid = await tx.first(_PAYMENT, charge_id=name) if kind == "charge" else None
    if not entries and billed is None and sent is None and paid is None:
        return None
    return {
        "source": source,
        "entries": entries,
        "flight": billed,
        "transfer": dict(sent._mapping) if sent else None,
        "payment": dict(paid._mapping) if paid else None,
    }
