"""Business dates that were compared with Stripe, breaks between the sides, and flights that do not agree."""

from typing import Final

from console.reads.tables import PAGE, Column, Listing
from services.reserves.domain.breaks import Class
from services.reserves.domain.mismatches import Mismatch

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
        Column(name="explained", title="Explained", kind="money"),
        Column(name="unexplained", title="Unexplained", kind="money"),
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

_MISMATCHES: Final = """
    SELECT CAST(id AS text) AS number, kind AS named, aircraft, flight_id, wallet, day, tenths, amount,
           currency, state, sentence, reason, reason_by, found_at, closed_at
    FROM reserves_public.mismatches
"""
MISMATCHES: Final = Listing(
    name="mismatches",
    title="Flights that do not agree",
    sql=_MISMATCHES,
    first=f"{_MISMATCHES} WHERE id IN (SELECT reserves_public.newest_mismatches({PAGE + 1}))",
    columns=(
        Column(
            name="day",
            title="Flown",
            kind="date",
            filtered="between",
            link="/reconciliation/flights/{number}",
        ),
        Column(name="named", title="What", kind="state", choices=tuple(map(str, Mismatch))),
        Column(name="aircraft", title="Aircraft", filtered="has", empty=True),
        Column(name="flight_id", title="Flight", filtered="has", link="/flights/{flight_id}"),
        Column(name="amount", title="Money", kind="money"),
        Column(name="state", title="State", kind="state", choices=("open", "explained", "closed")),
        Column(name="sentence", title="Why", kind="long", unsorted=True),
        Column(name="reason_by", title="Explained by", empty=True),
        Column(name="reason", title="Reason", kind="long", empty=True, unsorted=True, export_only=True),
        Column(name="wallet", title="Payee", kind="wallet", filtered="has", empty=True, export_only=True),
        Column(name="tenths", title="Tenths", kind="number", empty=True, export_only=True),
        Column(name="found_at", title="Found", kind="instant", export_only=True),
        Column(name="closed_at", title="Over", kind="instant", empty=True, export_only=True),
        Column(name="currency", title="Currency", filtered="is", export_only=True),
        Column(name="number", title="Number", export_only=True, unsorted=True),
    ),
    key="number",
    order="-day",
    empty="Meters, bills, books and payees agree about every flight of the last weeks.",
)

MISMATCHES_BY_AIRCRAFT: Final = Listing(
    name="mismatches_by_aircraft",
    title="Aircraft whose flights do not agree",
    sql="""
        SELECT aircraft || ' ' || kind || ' ' || currency AS place, aircraft, kind AS named, currency,
               count(*) AS number, count(*) FILTER (WHERE state = 'open') AS still_open,
               CAST(sum(tenths) AS bigint) AS tenths, CAST(sum(amount) AS bigint) AS amount,
               min(day) AS first_day, max(day) AS last_day
        FROM reserves_public.mismatches WHERE aircraft IS NOT NULL GROUP BY aircraft, kind, currency
    """,
    columns=(
        Column(
            name="aircraft",
            title="Aircraft",
            filtered="has",
            link="/reconciliation/flights?f.aircraft={aircraft}",
        ),
        Column(name="named", title="What", kind="state", choices=tuple(map(str, Mismatch))),
        Column(name="number", title="How often", kind="number"),
        Column(name="still_open", title="Open", kind="number"),
        Column(name="tenths", title="Tenths", kind="number", empty=True),
        Column(name="amount", title="Money", kind="money"),
        Column(name="first_day", title="First", kind="date"),
        Column(name="last_day", title="Last", kind="date"),
        Column(name="currency", title="Currency", filtered="is", export_only=True),
        Column(name="place", title="Place", export_only=True, unsorted=True),
    ),
    key="place",
    order="-amount",
    empty="No aircraft has a flight that does not agree.",
)
