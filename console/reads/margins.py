"""What flights leave to the school: by aircraft, model, instructor, student and month, of bills in force."""

from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from console.reads.tables import Column, Listing
from fleet.database import Tx

# Flights billed elsewhere move no money here. An aircraft's model is that of its card on the day.
_FLOWN: Final = """
    SELECT bill.billed_on, bill.aircraft, bill.instructor, bill.student, bill.currency, bill.billed_tenths,
           1 AS flights, bill.charge, bill.margin
    FROM billing_public.bills AS bill
    WHERE bill.in_force AND bill.kind NOT IN ('cancelled', 'elsewhere')
      AND bill.billed_on >= CAST(:since AS date) AND bill.billed_on <= CAST(:until AS date)
"""
# The same by day alone: all bills less superseded ones, read from the index of their days. To ask each of a
# year's bills whether it is in force takes five times as long.
_BY_DAY: Final = """
    SELECT billed_on, currency, sum(flights) AS flights, sum(billed_tenths) AS billed_tenths,
           sum(charge) AS charge, sum(margin) AS margin
    FROM (
        SELECT billed_on, currency, 1 AS flights, billed_tenths, charge, margin FROM billing_public.bills
        WHERE kind NOT IN ('cancelled', 'elsewhere')
          AND billed_on >= CAST(:since AS date) AND billed_on <= CAST(:until AS date)
        UNION ALL
        SELECT billed_on, currency, -1, -billed_tenths, -charge, -margin FROM billing_public.bills
        WHERE kind NOT IN ('cancelled', 'elsewhere') AND NOT in_force
          AND billed_on >= CAST(:since AS date) AND billed_on <= CAST(:until AS date)
          AND flight_id IN (SELECT corrected.flight_id FROM billing_public.bills AS corrected
                            WHERE corrected.corrects IS NOT NULL)
    ) AS bill
    GROUP BY billed_on, currency
"""
_MODEL: Final = """
    LEFT JOIN LATERAL (
        SELECT card.document ->> 'model' AS model FROM billing_public.cards AS card
        WHERE card.kind = 'aircraft' AND card.key = flown.aircraft AND card.effective_from <= flown.billed_on
        ORDER BY card.effective_from DESC LIMIT 1) AS used ON true
"""
_SUMS: Final = """
    flown.currency, sum(flown.flights)::bigint AS flights,
    coalesce(sum(flown.billed_tenths), 0)::bigint AS tenths,
    sum(flown.charge)::bigint AS charged, sum(flown.charge - flown.margin)::bigint AS others,
    sum(flown.margin)::bigint AS margin,
    CASE WHEN sum(flown.charge) > 0
         THEN round(100 * sum(flown.margin) / sum(flown.charge))::bigint END AS share,
    CAST(:since AS date) AS since, CAST(:until AS date) AS until
"""
_THINGS: Final = {  # what is summed by, and what else each row says
    "aircraft": ("flown.aircraft", ", coalesce(used.model, '') AS model", _MODEL),
    "model": ("coalesce(used.model, '')", "", _MODEL),
    "instructor": ("flown.instructor", "", ""),
    "student": ("flown.student", "", ""),
    "month": (
        "to_char(flown.billed_on, 'YYYY-MM')",
        ", min(flown.billed_on) AS first_day, max(flown.billed_on) AS last_day",
        "",
    ),
}
_PERIOD: Final = "f.billed_on.from={since}&f.billed_on.to={until}"
_FIRST: Final = {
    "aircraft": (
        Column(
            name="thing",
            title="Aircraft",
            filtered="has",
            empty=True,
            link=f"/flights?f.aircraft=%22{{thing}}%22&{_PERIOD}",
        ),
        Column(name="model", title="Model", kind="state", filtered="is"),
    ),
    "model": (
        Column(
            name="thing",
            title="Model",
            link="/margin/aircraft?f.model={thing}&since={since}&until={until}",
        ),
    ),
    "instructor": (
        Column(
            name="thing",
            title="Instructor",
            kind="wallet",
            of="instructor:",
            filtered="has",
            empty=True,
            link=f"/flights?f.instructor=%22{{thing}}%22&{_PERIOD}",
        ),
    ),
    "student": (
        Column(
            name="thing",
            title="Student",
            kind="wallet",
            of="student:",
            filtered="has",
            link=f"/flights?f.student=%22{{thing}}%22&{_PERIOD}",
        ),
    ),
    "month": (
        Column(name="thing", title="Month", link="/margin/aircraft?since={first_day}&until={last_day}"),
    ),
}


def _listing(by: str) -> Listing:
    thing, more, model = _THINGS[by]
    flown = _BY_DAY if by == "month" else _FLOWN
    groups = f"{thing}, flown.currency" + (", used.model" if by == "aircraft" else "")
    place = f"coalesce({thing}, '') || ' ' || flown.currency" + (
        " || ' ' || coalesce(used.model, '')" if by == "aircraft" else ""
    )
    return Listing(
        name=f"margin-by-{by}",
        title=f"Margin by {by}",
        sql=f"SELECT {place} AS place, {thing} AS thing{more}, {_SUMS} FROM ({flown}) AS flown {model} "  # noqa: S608 - words of this module
        f"GROUP BY {groups} HAVING sum(flown.flights) <> 0",
        columns=(
            *_FIRST[by],
            Column(name="flights", title="Flights", kind="number"),
            Column(name="tenths", title="Hours", kind="hours"),
            Column(name="charged", title="Charged", kind="money"),
            Column(name="others", title="To others", kind="money"),
            Column(name="margin", title="To the school", kind="money"),
            Column(name="share", title="Of what was charged, %", kind="number", empty=True),
            Column(name="currency", title="Currency", filtered="is", export_only=True),
            Column(name="place", title="Place", export_only=True, unsorted=True),
        ),
        key="place",
        order="-thing" if by == "month" else "-margin",
        sums=True,
        empty="No flight was billed in these days.",
    )


LISTINGS: Final[Mapping[str, Listing]] = {by: _listing(by) for by in _THINGS}

_TOTALS: Final = (
    f"SELECT {_SUMS} FROM ({_BY_DAY}) AS flown GROUP BY flown.currency"  # noqa: S608 - words of this module
    " HAVING sum(flown.flights) <> 0 ORDER BY flown.currency"
)


async def totals(tx: Tx, *, since: date, until: date) -> list[dict[str, Any]]:
    """All flights of these days together, both included, for each currency."""
    return [dict(row._mapping) for row in await tx.all(_TOTALS, since=since, until=until)]
