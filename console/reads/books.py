"""Wallets, entries and payments as lists."""

from typing import Final

from console.reads.tables import Column, Listing

WALLETS: Final = Listing(
    name="wallets",
    title="Wallets",
    sql="""
        SELECT address || ' ' || currency AS place, address, kind, currency, balance, pending, available,
               "limit" AS floor, entries
        FROM ledger_public.wallets
    """,
    columns=(
        Column(name="address", title="Wallet", kind="wallet", filtered="has"),
        Column(name="kind", title="Kind", kind="state", filtered="is"),
        Column(name="balance", title="Balance", kind="money", link="/wallets/{address}?currency={currency}"),
        Column(name="pending", title="On hold", kind="money"),
        Column(name="available", title="Available", kind="money"),
        Column(name="floor", title="Limit", kind="money", empty=True),
        Column(name="entries", title="Entries", kind="number"),
        Column(name="currency", title="Currency"),
        Column(name="place", title="Place", export_only=True, unsorted=True),
    ),
    key="place",
    order="address",
    empty="No wallet is open yet. The first flight opens those of its student, instructor and owner.",
)

# Of one wallet; read by the ledger's desk, so it has no query here.
STATEMENT: Final = Listing(
    name="statement",
    title="Statement",
    sql="",
    columns=(
        Column(name="occurred_at", title="Occurred", kind="instant"),
        Column(name="event_type", title="Kind", kind="state"),
        Column(name="source", title="Source"),
        Column(name="memo", title="Memo", kind="long"),
        Column(name="amount", title="Amount", kind="money"),
        Column(name="balance_after", title="Balance", kind="money"),
        Column(name="currency", title="Currency"),
        Column(name="version", title="Entry", kind="number"),
        Column(name="recorded_at", title="Recorded", kind="instant"),
    ),
    key="version",
    order="-version",
)

PAYMENTS: Final = Listing(
    name="payments",
    title="Payments",
    sql="""
        SELECT charge_id, received_at, student, currency, amount, fee, refunded, disputed, lost
        FROM receivables_public.payments
    """,
    columns=(
        Column(name="received_at", title="Received", kind="instant", filtered="between"),
        Column(name="student", title="Student", kind="wallet", of="student:", filtered="has", empty=True),
        Column(name="amount", title="Amount", kind="money", link="/payments/{charge_id}"),
        Column(name="fee", title="Stripe's fee", kind="money", empty=True),
        Column(name="refunded", title="Refunded", kind="money"),
        Column(name="disputed", title="Disputed", kind="money"),
        Column(name="lost", title="Lost", kind="money"),
        Column(name="charge_id", title="Charge", filtered="has", link="/payments/{charge_id}"),
        Column(name="currency", title="Currency", filtered="is", export_only=True),
    ),
    key="charge_id",
    order="-received_at",
    empty="No card payment came yet. Stripe tells of each by a webhook; it shows here within seconds.",
)

UNALLOCATED: Final = Listing(
    name="unallocated",
    title="Payments that name no student",
    sql="""
        SELECT charge_id, received_at, queued_at, coalesce(named, '') AS named, closest, currency, amount,
               balance
        FROM receivables_public.unallocated_payments WHERE allocated_at IS NULL
    """,
    columns=(
        Column(name="queued_at", title="Since", kind="instant"),
        Column(name="amount", title="Amount", kind="money", link="/payments/{charge_id}"),
        Column(name="balance", title="Waits in the books", kind="money"),
        Column(name="named", title="Names", filtered="has"),
        Column(name="closest", title="Closest name", empty=True),
        Column(name="charge_id", title="Charge", filtered="has", link="/payments/{charge_id}"),
        Column(name="currency", title="Currency", export_only=True),
    ),
    key="charge_id",
    order="queued_at",
    empty="Every payment names a student whom the school knows.",
)

DISPUTES: Final = Listing(
    name="disputes",
    title="Disputes",
    sql="""
        SELECT dispute_id, charge_id, amount, currency, opened_at, outcome, closed_at, withdrawn
        FROM receivables_public.disputes
    """,
    columns=(
        Column(name="opened_at", title="Opened", kind="instant", empty=True),
        Column(name="dispute_id", title="Dispute", filtered="has"),
        Column(name="charge_id", title="Charge", link="/payments/{charge_id}"),
        Column(name="amount", title="Amount", kind="money"),
        Column(name="outcome", title="Outcome", kind="state", choices=("won", "lost"), empty=True),
        Column(name="closed_at", title="Closed", kind="instant", empty=True),
        Column(name="currency", title="Currency", export_only=True),
    ),
    key="dispute_id",
    order="-opened_at",
    empty="No student disputed a payment.",
)

MOVEMENTS: Final = Listing(
    name="movements",
    title="Unexplained rows of the Stripe balance",
    sql="""
        SELECT transaction_id, made_at, type, amount, fee, net, currency, source_id, sentence
        FROM payouts_public.movements WHERE standing = 'unexplained' AND closed_at IS NULL
    """,
    columns=(
        Column(name="made_at", title="Made", kind="instant"),
        Column(name="transaction_id", title="Row", link="/movements/{transaction_id}"),
        Column(name="type", title="Type", filtered="is"),
        Column(name="net", title="Net", kind="money"),
        Column(name="source_id", title="Of", empty=True),
        Column(name="sentence", title="Why", kind="long", unsorted=True),
        Column(name="currency", title="Currency", export_only=True),
    ),
    key="transaction_id",
    order="-made_at",
    empty="Every row of the school's Stripe balance is explained by a journal.",
)
