"""Corrections and their settlements as lists."""

from typing import Final, get_args

from console.reads.tables import Column, Listing
from services.adjustments.domain.adjustments import Kind, State
from services.adjustments.domain.settlements import Method, SettlementState

CORRECTIONS: Final = Listing(
    name="corrections",
    title="All corrections",
    sql="""
        SELECT id, flight_id || ':' || revision AS correction, flight_id, kind, state, currency, largest,
               made_by, reason, approvals_needed, proposed_at, changed_at, sentence
        FROM adjustments_public.adjustments
    """,
    columns=(
        Column(name="proposed_at", title="Proposed", kind="instant", filtered="between"),
        Column(name="correction", title="Correction", filtered="has", link="/corrections/{correction}"),
        Column(name="kind", title="Kind", kind="state", choices=get_args(Kind)),
        Column(name="state", title="State", kind="state", choices=tuple(map(str, State))),
        Column(name="largest", title="Largest difference", kind="money"),
        Column(name="currency", title="Currency", export_only=True),
        Column(name="made_by", title="Made by", filtered="has"),
        Column(name="reason", title="Reason", kind="long", unsorted=True),
        Column(name="sentence", title="Why it is so", kind="long", unsorted=True),
        Column(name="changed_at", title="Changed", kind="instant", export_only=True),
        Column(name="id", title="Id", kind="id", export_only=True),
    ),
    key="id",
    key_kind="uuid",
    order="-proposed_at",
    empty="No flight was corrected or cancelled yet.",
)

SETTLEMENTS: Final = Listing(
    name="settlements",
    title="Settlements",
    sql="""
        SELECT id, flight_id || ':' || revision AS correction, wallet, amount, currency, method, state,
               sentence, decided_by, begun_at, changed_at
        FROM adjustments_public.settlements
    """,
    columns=(
        Column(name="begun_at", title="Since", kind="instant", filtered="between"),
        Column(name="correction", title="Correction", filtered="has", link="/corrections/{correction}"),
        Column(name="wallet", title="Whose", kind="wallet", filtered="has"),
        Column(name="amount", title="Amount", kind="money"),
        Column(name="currency", title="Currency", export_only=True),
        Column(name="method", title="How", kind="state", choices=tuple(map(str, Method))),
        Column(name="state", title="State", kind="state", choices=tuple(map(str, SettlementState))),
        Column(name="sentence", title="Why it is so", kind="long", unsorted=True),
        Column(name="decided_by", title="By", empty=True),
        Column(name="id", title="Id", kind="id", export_only=True),
    ),
    key="id",
    key_kind="uuid",
    order="-begun_at",
    empty="No correction had to be settled yet.",
)
