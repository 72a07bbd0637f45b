"""Which changes of the book one person may make alone, once it has billed. Pure.

What is paid for an hour and by whom, and what the school asks two people for, is in the book: all of it is
two people's, but for who joins the school.
"""

from collections.abc import Collection
from typing import Final

from services.billing.domain.rates import OwnerCard, StudentCard
from services.billing.domain.versions import CardChange, ChangeSet

DECIDERS_LEAST: Final = 2  # logins of people; with fewer there is nobody to ask


def is_one_persons(changes: ChangeSet, known: Collection[tuple[str, str]]) -> bool:
    """Whether all of it is students and owners of whom the book has (and had) no card."""
    return all(_joins(change) and (change.kind, change.key) not in known for change in changes.changes)


def _joins(change: CardChange) -> bool:
    """A student who is somebody else as well is paid as such."""
    if isinstance(change.card, StudentCard):
        return change.card.also_instructor is None and change.card.also_owner is None
    return isinstance(change.card, OwnerCard)
