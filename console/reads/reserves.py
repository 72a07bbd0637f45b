"""Business dates that were compared with Stripe, and the breaks between the two sides, as lists."""

from typing import Final

from console.reads.tables import Column, Listing
from services.reserves.domain.breaks import Class

DAYS: Final = Listing(
    name="days",
    title="Days compared with Stripe",
    sql="""
        SELECT business_date || ' ' || currency AS place, business_date, currency, stripe_closing,
               books_closing, drift, explained, unexplained, breaks_open, run, completed_at, signed_by,
               signed_at
        FROM reserves_public.days LEFT JOIN reserves_public.signatures USING (business_date)
    """,
    columns=(
        Column(
            name="business_date",
            title="Day",
            kind="date",
            filtered="between",
            link="/reconciliation/{business_date}",
        ),
        Column(name="stripe_closing", title="Stripe holds", kind="money"),
        Column(name="books_closing", title="The books say", kind="money"),
        Column(name="drift", title="Difference", kind="money"),
        Column(name="explained", title="Has a name", kind="money"),
        Column(name="unexplained", title="Has none", kind="money"),
        Column(name="breaks_open", title="Breaks", kind="number"),
        Column(name="signed_by", title="Signed by", empty=True),
        Column(name="completed_at", title="Compared", kind="instant"),
        Column(name="signed_at", title="Signed", kind="instant", empty=True, export_only=True),
        Column(name="run", title="Run", kind="number", export_only=True),
        Column(name="currency", title="Currency", filtered="is", export_only=True),
        Column(name="place", title="Place", export_only=True, unsorted=True),
    ),
    key="place",
    order="-business_date",
    empty="No day was compared with Stripe yet. Each is, the night after it ends.",
)

BREAKS: Final = Listing(
    name="breaks",
    title="Breaks",
    sql="""
        SELECT CAST(id AS text) AS number, class AS named, amount, currency, day, state, sentence, opened_at,
               array_to_string(accepted_by, ', ') AS accepted_by, proposal ->> 'kind' AS proposal, closed_at
        FROM reserves_public.breaks
    """,
    columns=(
        Column(name="opened_at", title="Open since", kind="instant", link="/reconciliation/breaks/{number}"),
        Column(name="named", title="Class", kind="state", choices=tuple(map(str, Class))),
        Column(name="amount", title="Amount", kind="money"),
        Column(name="day", title="Of", kind="date", filtered="between"),
        Column(name="state", title="State", kind="state", choices=("open", "accepted", "closed")),
        Column(name="sentence", title="Why", kind="long", unsorted=True),
        Column(name="proposal", title="Proposed", kind="state"),
        Column(name="accepted_by", title="Accepted by"),
        Column(name="closed_at", title="Closed", kind="instant", empty=True, export_only=True),
        Column(name="currency", title="Currency", filtered="is", export_only=True),
        Column(name="number", title="Break", export_only=True, unsorted=True),
    ),
    key="number",
    order="opened_at",
    empty="Stripe and the books agree, row by row.",
)
