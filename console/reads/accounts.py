"""What students owe, as lists."""

from dataclasses import replace
from typing import Final

from console.reads.tables import PAGE, Column, Listing

OF_STUDENT: Final = Column(
    name="student", title="Student", kind="wallet", of="student:", filtered="has", link="/students/{student}"
)
# What everybody is shown of an item; finance also whose it is. A bill is above zero, a payment below.
DUE: Final = Column(name="due_on", title="Due", kind="date")
OF_ITEM: Final = (
    Column(name="document", title="Document", kind="source", filtered="has"),
    Column(name="booked_on", title="Booked", kind="date"),
    Column(name="amount", title="Amount", kind="money"),
    Column(name="settled", title="Settled", kind="money"),
    Column(name="open", title="Open", kind="money"),
    Column(name="currency", title="Currency", export_only=True),
    Column(name="place", title="Place", export_only=True, unsorted=True),
)

_AGED: Final = """
    SELECT student || ' ' || currency AS place, student, currency, not_due, days_1_30, days_31_60, days_61_90,
           over_90, owed, overdue, credit, oldest_due
    FROM (SELECT (now() AT TIME ZONE time_zone)::date AS day FROM receivables_public.school) AS today
"""
AGEING: Final = Listing(
    name="ageing",
    title="Ageing",
    sql=f"{_AGED} CROSS JOIN LATERAL receivables_public.ageing_of(today.day, NULL)",
    first=f"""
        {_AGED} CROSS JOIN LATERAL receivables_public.ageings_of(
            today.day, receivables_public.most_overdue(today.day, {PAGE + 1}))
    """,
    columns=(
        OF_STUDENT,
        *(
            Column(name=name, title=title, kind="money", link="/accounts/items?f.student={student}")
            for name, title in (
                ("owed", "Owed"),
                ("overdue", "Overdue"),
                ("not_due", "Not due"),
                ("days_1_30", "1 to 30 days"),
                ("days_31_60", "31 to 60"),
                ("days_61_90", "61 to 90"),
                ("over_90", "Over 90"),
                ("credit", "Credit"),
            )
        ),
        Column(name="oldest_due", title="Oldest due", kind="date", empty=True),
        Column(name="currency", title="Currency", export_only=True),
        Column(name="place", title="Place", export_only=True, unsorted=True),
    ),
    key="place",
    order="-overdue",
    sums=True,
    empty="No student owes anything, and none has a credit.",
)

ITEMS: Final = Listing(
    name="items",
    title="Open items",
    sql="""
        SELECT student || ' ' || currency || ' ' || document AS place, student, currency, document, booked_on,
               due_on, -amount AS amount, open - amount AS settled, -open AS open
        FROM receivables_public.items WHERE open <> 0
    """,
    columns=(
        DUE,
        replace(OF_STUDENT, filtered="is"),
        replace(OF_ITEM[0], link="/documents/{document}"),
        *OF_ITEM[1:],
    ),
    key="place",
    order="due_on",
    empty="Nothing is open: every bill is paid, and every payment is used.",
)
