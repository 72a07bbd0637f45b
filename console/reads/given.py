"""Limits that change by policy, and what people give of an account besides payments."""

from typing import Any, Final, get_args
from uuid import UUID

from console.reads.accounts import OF_STUDENT
from console.reads.tables import Column, Listing
from fleet.database import Tx
from services.receivables.domain import account_notes

_CURRENCY: Final = Column(name="currency", title="Currency", export_only=True)
_ID: Final = Column(name="id", title="Id", kind="id", export_only=True)

LIMIT_CHANGES: Final = Listing(
    name="limit-changes",
    title="Limits changed by policy",
    sql="""
        SELECT id, proposed_at, student, currency, from_limit, to_limit, effective_from, sentence,
               CASE WHEN state IN ('proposed', 'waits') THEN 'waiting' ELSE state END AS state,
               coalesce(accepted_by, '') AS accepted_by, coalesce(decided_by, '') AS decided_by
        FROM receivables_public.limit_changes
    """,
    columns=(
        Column(name="proposed_at", title="Found", kind="instant", filtered="between"),
        OF_STUDENT,
        Column(name="from_limit", title="Limit then", kind="money"),
        Column(name="to_limit", title="Limit after", kind="money", link="/credit/changes/{id}"),
        Column(
            name="state", title="State", kind="state", choices=("waiting", "in_force", "refused", "lapsed")
        ),
        Column(name="effective_from", title="In force from", kind="date", empty=True),
        Column(name="sentence", title="What speaks for it", kind="long", unsorted=True),
        Column(name="accepted_by", title="Accepted by", export_only=True),
        Column(name="decided_by", title="Decided by", export_only=True),
        _CURRENCY,
        _ID,
    ),
    key="id",
    key_kind="uuid",
    order="-proposed_at",
    empty="No limit changed by itself. The book's policy says when one rises or falls: raises and falls of "
    "its card on credit.",
)

NOTES: Final = Listing(
    name="notes",
    title="Refunds, credits and write-offs by hand",
    sql="""
        SELECT id, asked_at, kind, student, currency, amount, bill,
               coalesce(way, '') AS way, coalesce(number, '') AS number, state, asked_by,
               coalesce(approved_by, '') AS approved_by, why
        FROM receivables_public.account_notes
    """,
    columns=(
        Column(name="asked_at", title="Asked", kind="instant", filtered="between"),
        OF_STUDENT,
        Column(name="kind", title="What", kind="state", choices=get_args(account_notes.Kind)),
        Column(name="amount", title="Amount", kind="money", link="/notes/{id}"),
        Column(
            name="bill",
            title="Bill",
            kind="source",
            filtered="has",
            empty=True,
            link="/documents/{bill}",
        ),
        Column(name="way", title="How", kind="state", choices=get_args(account_notes.Way)),
        Column(name="state", title="State", kind="state", choices=get_args(account_notes.State)),
        Column(name="why", title="Why", kind="long", unsorted=True),
        Column(name="number", title="Number", export_only=True),
        Column(name="asked_by", title="By", export_only=True),
        Column(name="approved_by", title="Agreed", export_only=True),
        _CURRENCY,
        _ID,
    ),
    key="id",
    key_kind="uuid",
    order="-asked_at",
    empty="Nothing was given back, credited or written off by hand. A student's page has the forms.",
)

_ONE_CHANGE: Final = """
    SELECT id, student, number, currency, from_limit, to_limit, book_limit, state, proposed_at,
           effective_from, needs_second, accepted_by, approved_by, decided_by, decided_at, sentence, why
    FROM receivables_public.limit_changes WHERE id = :id
"""


async def limit_change(tx: Tx, change_id: UUID) -> dict[str, Any] | None:
    """One change of a limit that the book's policy found; None: there is none."""
    row = await tx.first(_ONE_CHANGE, id=change_id)
    return dict(row._mapping) if row else None


_ONE_NOTE: Final = """
    SELECT id, kind, student, currency, amount, bill, way, number, paid_on, needs_second, state, asked_by,
           asked_at, why, approved_by, decided_by, decided_at, decided_why, refunded, sentence, settled_at
    FROM receivables_public.account_notes WHERE id = :id
"""


async def note(tx: Tx, note_id: UUID) -> dict[str, Any] | None:
    """One refund, credit note, write-off or fee; None: there is none."""
    row = await tx.first(_ONE_NOTE, id=note_id)
    return dict(row._mapping) if row else None
