"""Billed and refused flights, and the cards of the school's book, as lists."""

from typing import Final

from console.reads.tables import Column, Listing
from fleet.database import Tx
from schemas import school as schemas
from services.billing.domain.proposals import KINDS, PROPOSED, ProposalState

FLIGHTS: Final = Listing(
    name="flights",
    title="Flights",
    sql="""
        SELECT bill_id, flight_id, revision, kind, billed_on, student, instructor, aircraft, billed_tenths,
               currency, charge, legs_total, margin, hours_from
        FROM billing_public.bills WHERE in_force
    """,
    columns=(
        Column(name="billed_on", title="Day", kind="date", filtered="between"),
        Column(name="flight_id", title="Flight", filtered="has", link="/flights/{flight_id}"),
        Column(
            name="kind",
            title="Bill",
            kind="state",
            choices=("completed", "corrected", "cancelled", "elsewhere"),
        ),
        Column(name="student", title="Student", kind="wallet", of="student:", filtered="has"),
        Column(
            name="instructor", title="Instructor", kind="wallet", of="instructor:", filtered="has", empty=True
        ),
        Column(
            name="aircraft", title="Aircraft", filtered="has", empty=True, link="/rates/aircraft/{aircraft}"
        ),
        Column(name="billed_tenths", title="Hours", kind="hours", empty=True),
        Column(name="charge", title="Charged", kind="money", link="/flights/{flight_id}#lines"),
        Column(name="legs_total", title="To others", kind="money", link="/flights/{flight_id}#who"),
        Column(name="margin", title="To the school", kind="money"),
        Column(name="revision", title="Revision", kind="number", export_only=True),
        Column(name="currency", title="Currency", export_only=True),
        Column(name="bill_id", title="Bill's id", kind="id", export_only=True),
    ),
    key="bill_id",
    key_kind="uuid",
    order="-billed_on",
    empty="No flight is billed yet. Publish one, or POST it to the gateway; it shows here within a second.",
)

REFUSED: Final = Listing(
    name="refused-flights",
    title="Refused flights",
    sql="""
        SELECT dead_letter_id, last_seen_at, flight_id, revision, reason, sentence,
               attempts
        FROM billing_public.refused_flights
    """,
    columns=(
        Column(name="last_seen_at", title="Last seen", kind="instant", link="/dead/billing/{dead_letter_id}"),
        Column(name="flight_id", title="Flight", filtered="has", empty=True, link="/flights/{flight_id}"),
        Column(name="revision", title="Revision", kind="number", empty=True),
        Column(name="reason", title="Reason", kind="state", filtered="is"),
        Column(name="sentence", title="What is wrong", kind="long", unsorted=True),
        Column(name="attempts", title="Tries", kind="number"),
    ),
    key="dead_letter_id",
    key_kind="uuid",
    order="-last_seen_at",
    empty="No flight is refused: each that came has a bill.",
)

_KINDS: Final = f"ARRAY[{', '.join(repr(kind) for kind in KINDS)}]"
CARDS: Final = Listing(
    name="rates",
    title="Rates",
    sql=f"""
        SELECT kind || ' ' || key || ' ' || effective_from AS card, kind, key, effective_from, version,
               document, CASE WHEN kind = ANY ({_KINDS}) THEN 'another rate' END AS change,
               (SELECT school.document ->> 'currency' FROM billing_public.cards AS school
                WHERE school.kind = 'school' ORDER BY school.effective_from DESC, school.version DESC LIMIT 1)
                   AS currency
        FROM billing_public.cards
    """,  # noqa: S608 - words of the domain
    columns=(
        Column(name="kind", title="Kind", kind="state", choices=tuple(schemas.CARDS)),
        Column(name="key", title="Of", filtered="has", link="/rates/{kind}/{key}"),
        Column(name="effective_from", title="In force", kind="date", filtered="between"),
        Column(name="document", title="Says", kind="card", unsorted=True),
        Column(
            name="change",
            title="Change",
            link="/rate-changes/{kind}/{key}",
            empty=True,
            unsorted=True,
            page_only=True,
        ),
        Column(name="version", title="Book's version", kind="number"),
        Column(name="card", title="Card", export_only=True, unsorted=True),
    ),
    key="card",
    order="kind",
    empty="The school's book is empty: write school.toml and apply it with `hobbs school apply`.",
)

PROPOSALS: Final = Listing(
    name="rate-proposals",
    title="Changes of rates and limits",
    sql="""
        SELECT id, proposed_at, kind, key, effective_from, proposed_by, why, state,
               coalesce(decided_by, '') AS decided_by, decided_at, version
        FROM billing_public.rate_proposals
    """,
    columns=(
        Column(name="proposed_at", title="Proposed", kind="instant", filtered="between"),
        Column(name="kind", title="Card", kind="state", choices=PROPOSED),
        Column(name="key", title="Of", filtered="has", link="/rate-proposals/{id}"),
        Column(name="effective_from", title="From", kind="date"),
        Column(name="proposed_by", title="Proposed by", filtered="has"),
        Column(name="why", title="Why", kind="long", unsorted=True),
        Column(name="state", title="State", kind="state", choices=tuple(map(str, ProposalState))),
        Column(name="decided_by", title="Decided by"),
        Column(name="decided_at", title="Decided", kind="instant", empty=True, export_only=True),
        Column(name="version", title="Book's version", kind="number", empty=True),
        Column(name="id", title="Id", kind="id", export_only=True),
    ),
    key="id",
    key_kind="uuid",
    order="-proposed_at",
    empty="Nobody proposed another rate or limit yet: cards under Rates, and students, have the forms.",
)

# The flight's student, instructor and aircraft's owner of today, who may be owed something or owe it.
_ELSEWHERE: Final = """
    SELECT 'student:' || bill.student AS student, 'instructor:' || bill.instructor AS instructor,
           (SELECT 'aircraft_owner:' || (card.document ->> 'owner') FROM billing_public.cards AS card
            WHERE card.kind = 'aircraft' AND card.key = bill.aircraft
            ORDER BY card.effective_from DESC LIMIT 1) AS owner
    FROM billing_public.bills AS bill WHERE bill.flight_id = :flight AND bill.kind = 'elsewhere'
"""


async def parties_elsewhere(tx: Tx, flight_id: str) -> list[str]:
    """The wallets that a flight billed by other software concerns; none of one that was billed here."""
    row = await tx.first(_ELSEWHERE, flight=flight_id)
    return [] if row is None else [one for one in (row.student, row.instructor, row.owner) if one]
