"""Transfers and payees as lists."""

from typing import Final

from console.reads.tables import Column, Listing
from services.payouts.domain.transfers import TransferState

TRANSFERS: Final = Listing(
    name="transfers",
    title="Transfers",
    sql="""
        SELECT id, created_at, wallet, amount, currency, state, reason,
               coalesce(sentence, CASE state WHEN 'pending' THEN 'waits for its turn' END) AS sentence,
               stripe_transfer_id, sent_at, in_bank_at, amount_reversed, cause
        FROM payouts_public.transfers
    """,
    columns=(
        Column(name="created_at", title="Made", kind="instant", filtered="between", link="/transfers/{id}"),
        Column(name="wallet", title="Payee", kind="wallet", filtered="has"),
        Column(name="amount", title="Amount", kind="money", link="/transfers/{id}"),
        Column(name="currency", title="Currency", filtered="is", export_only=True),
        Column(name="state", title="State", kind="state", choices=tuple(map(str, TransferState))),
        Column(name="reason", title="Reason", kind="state", filtered="is", empty=True, export_only=True),
        Column(name="sentence", title="Why", kind="long", unsorted=True),
        Column(name="sent_at", title="Sent", kind="instant", empty=True),
        Column(name="in_bank_at", title="In bank", kind="instant", empty=True),
        Column(name="stripe_transfer_id", title="Stripe's id", empty=True, export_only=True),
        Column(name="amount_reversed", title="Taken back", kind="money", export_only=True),
        Column(name="id", title="Transfer", kind="id", export_only=True),
    ),
    key="id",
    key_kind="uuid",
    order="-created_at",
    empty="No transfer yet. A posted flight makes one for each payee who is ready; it shows here at once.",
)

PAYEES: Final = Listing(
    name="payees",
    title="Payees",
    sql="""
        SELECT payee.wallet || ' ' || coalesce(total.currency, '') AS place, payee.wallet, payee.kind,
               payee.status, payee.ready, payee.schedule, payee.minimum_amount,
               payee.hold_hours, payee.instant, payee.stripe_account, payee.parked, payee.removed_at,
               total.currency, coalesce(total.earned, 0) AS earned, coalesce(total.waiting, 0) AS waiting,
               coalesce(total.transferred, 0) AS transferred, coalesce(total.in_bank, 0) AS in_bank
        FROM payouts_public.payees AS payee
        LEFT JOIN LATERAL (SELECT currency, earned, waiting, transferred, in_bank
                           FROM payouts_public.payee_totals AS one WHERE one.wallet = payee.wallet
                           OFFSET 0) AS total ON true -- for the payees of a page only
    """,
    columns=(
        Column(name="wallet", title="Payee", kind="wallet", filtered="has", link="/payees/{wallet}"),
        Column(
            name="kind",
            title="Kind",
            kind="state",
            choices=("instructor", "aircraft_owner"),
            export_only=True,
        ),
        Column(name="status", title="Status", kind="state", filtered="has"),
        Column(name="ready", title="Can be paid", kind="flag", choices=("yes", "no")),
        Column(name="schedule", title="Paid", kind="state"),
        Column(name="earned", title="Earned", kind="money", link="/wallets/{wallet}"),
        Column(name="waiting", title="On its way", kind="money", link="/transfers?f.wallet={wallet}"),
        Column(
            name="transferred",
            title="Transferred",
            kind="money",
            link="/transfers?f.wallet={wallet}&sort=-sent_at",
        ),
        Column(
            name="in_bank", title="In bank", kind="money", link="/transfers?f.wallet={wallet}&f.state=in_bank"
        ),
        Column(name="parked", title="Parked", kind="flag", choices=("yes", "no")),
        Column(name="currency", title="Currency", empty=True, export_only=True),
        Column(name="stripe_account", title="Stripe account", empty=True, export_only=True),
    ),
    key="place",
    order="wallet",
    empty="No payee yet. Instructors and owners with a card in the school's book are payees.",
)
