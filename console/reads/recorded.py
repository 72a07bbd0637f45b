"""Payments by hand and deposits as lists."""

from typing import Final, get_args

from console.reads.accounts import OF_STUDENT
from console.reads.tables import Column, Listing
from services.receivables.domain.recorded_payments import METHODS, State

RECORDED: Final = Listing(
    name="payments-by-hand",
    title="Payments by hand",
    sql="""
        SELECT one.id, recorded_at, student, method, one.number, paid_on, one.currency, amount, state,
               deposit.number AS deposit, one.deposit_id, recorded_by, approved_by
        FROM receivables_public.recorded_payments AS one
        LEFT JOIN receivables_public.deposits AS deposit ON deposit.id = one.deposit_id
    """,
    columns=(
        Column(name="recorded_at", title="Recorded", kind="instant", filtered="between"),
        OF_STUDENT,
        Column(name="amount", title="Amount", kind="money", link="/payments/by-hand/{id}"),
        Column(name="method", title="How", kind="state", choices=tuple(METHODS)),
        Column(name="number", title="Number", filtered="has"),
        Column(name="paid_on", title="Dated", kind="date"),
        Column(name="state", title="State", kind="state", choices=get_args(State)),
        Column(
            name="deposit",
            title="Deposit",
            filtered="has",
            empty=True,
            link="/payments/deposits/{deposit_id}",
        ),
        Column(name="recorded_by", title="By", export_only=True),
        Column(name="approved_by", title="Agreed", export_only=True, empty=True),
        Column(name="currency", title="Currency", export_only=True),
        Column(name="id", title="Id", kind="id", export_only=True),
    ),
    key="id",
    key_kind="uuid",
    order="-recorded_at",
    empty="Nobody recorded cash, a cheque or a bank transfer yet. A student's page has the form.",
)

DEPOSITS: Final = Listing(
    name="deposits",
    title="Deposits",
    sql="""
        SELECT id, number, deposited_on, currency, total, payments, made_by, made_at,
               CASE WHEN reverted_at IS NULL THEN 'made' ELSE 'reverted' END AS state
        FROM receivables_public.deposits
    """,
    columns=(
        Column(name="made_at", title="Recorded", kind="instant", filtered="between"),
        Column(name="number", title="Number", filtered="has", link="/payments/deposits/{id}"),
        Column(name="deposited_on", title="Day", kind="date"),
        Column(name="total", title="Total", kind="money"),
        Column(name="payments", title="Payments", kind="number"),
        Column(name="state", title="State", kind="state", choices=("made", "reverted")),
        Column(name="made_by", title="By", export_only=True),
        Column(name="currency", title="Currency", export_only=True),
        Column(name="id", title="Id", kind="id", export_only=True),
    ),
    key="id",
    key_kind="uuid",
    order="-made_at",
    empty="Nothing was brought to the bank yet. The list of payments by hand has the form.",
)
