"""A student's own way of paying: saved methods, what is charged by itself, and what was asked for."""

from datetime import date
from typing import Any, Final

from console.reads.tables import Column, Listing
from fleet.database import Tx
from services.receivables.domain.auto_charges import Choice

CHARGES: Final = Listing(
    name="my-charges",
    title="Charges of my card",
    sql="SELECT * FROM console_public.own_charges()",
    columns=(
        Column(name="decided_at", title="When", kind="instant", filtered="between"),
        Column(name="amount", title="Amount", kind="money", link="/own/items"),
        Column(name="state", title="State", kind="state", filtered="is"),
        Column(name="cause", title="For", kind="source"),
        Column(name="sentence", title="Why", kind="long", unsorted=True),
        Column(name="retry_at", title="Tried again", kind="instant", empty=True),
        Column(name="currency", title="Currency", export_only=True),
        Column(name="id", title="Id", kind="id", export_only=True),
    ),
    key="id",
    key_kind="uuid",
    order="-decided_at",
    empty="Your card was never charged by itself.",
)
REQUESTS: Final = Listing(
    name="my-requests",
    title="What I was asked to pay",
    sql="SELECT lpad(place::text, 19, '0') AS place, at, what, step, currency, total, until, sentence"
    " FROM console_public.own_requests()",
    columns=(
        Column(name="at", title="When", kind="instant", filtered="between"),
        Column(name="what", title="What", kind="state", choices=("step", "promised")),
        Column(name="sentence", title="What was said", kind="long", unsorted=True),
        Column(name="total", title="Amount", kind="money", empty=True, link="/own/items"),
        Column(name="until", title="Promised until", kind="date", empty=True),
        Column(name="step", title="Step", export_only=True),
        Column(name="currency", title="Currency", export_only=True),
        Column(name="place", title="Place", export_only=True, unsorted=True),
    ),
    key="place",
    order="-at",
    empty="You were never asked to pay anything that was overdue.",
)

_STANDING: Final = "SELECT * FROM console_public.own_standing(:day)"
_METHODS: Final = "SELECT * FROM console_public.own_methods()"
_CHOICE: Final = """
    SELECT student, occasion, threshold, day, most, most_a_day, chosen_on, currency
    FROM console_public.own_choice()
"""


async def standing(tx: Tx, day: date) -> dict[str, Any] | None:
    """What the holder owes on a day, what is overdue, how far the limit is used; None: no student."""
    row = await tx.first(_STANDING, day=day)
    return dict(row._mapping) if row else None


async def methods(tx: Tx) -> list[dict[str, Any]]:
    """The holder's saved cards and bank accounts, the newest first: that one is charged while it is ready."""
    return [dict(row._mapping) for row in await tx.all(_METHODS)]


async def choice(tx: Tx) -> tuple[Choice, str] | None:
    """What the holder lets be charged, and in which currency; None: nothing was ever chosen."""
    row = await tx.first(_CHOICE)
    if row is None:
        return None
    told = dict(row._mapping)
    currency = str(told.pop("currency"))
    return Choice(**told), currency
