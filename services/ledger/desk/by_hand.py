"""Journals by hand above an amount are two people's: the second does the same as the first, within a day.

Who they are is the login of the session, which the database takes itself, and holds to at commit.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeGuard

from fleet.database import Tx
from fleet.money import format_minor
from services.ledger import store
from services.ledger.domain.journals import JournalRequest, RefusedJournal, refuse
from services.ledger.store.by_hand import amount_of

Requested = JournalRequest | RefusedJournal


async def agreed(tx: Tx, requests: Sequence[Requested]) -> list[Requested]:
    """The same requests; in place of one that another person has to ask for too, why it waits.

    What it notes of who asked and who agreed is part of the transaction.
    """
    fresh = await _fresh(tx, requests)
    together = _together(fresh.values())
    waits: dict[str, RefusedJournal] = {}
    for source, request in fresh.items():
        currency = request.entries[0].currency
        who = await store.by_hand.ask(tx, request, together[currency])
        if who is not None:
            most = await _up_to(tx, currency)
            waits[source] = refuse(request, "second_person", _waits(most, currency, who))
    return [waits.get(one.source, one) for one in requests]


def waits_for_a_second(reply: object) -> TypeGuard[RefusedJournal]:
    """Whether this one is not posted yet because another person has to ask for it too."""
    return isinstance(reply, RefusedJournal) and reply.reason == "second_person"


async def would_wait(tx: Tx, requests: Sequence[Requested]) -> dict[str, str]:
    """What is to be said, by source, of journals that one person alone may not post. Writes nothing."""
    fresh = await _fresh(tx, requests)
    together = _together(fresh.values())
    found = {}
    for source, request in fresh.items():
        currency = request.entries[0].currency
        by_one = await store.by_hand.by_one(tx, currency)
        if by_one.up_to is not None and by_one.alone + together[currency] > by_one.up_to:
            most = format_minor(by_one.up_to, currency)
            found[source] = (
                f"needs two people: one alone may post {most} {currency} by hand in a day; it is posted when "
                "the second one does the same"
            )
    return found


async def set_limit(tx: Tx, by_one_up_to: int | None) -> None:
    """Set what one login alone may post within a day, minor units; None: any. As the database's owner."""
    await store.by_hand.set_limit(tx, by_one_up_to)


async def _fresh(tx: Tx, requests: Sequence[Requested]) -> Mapping[str, JournalRequest]:
    """What would be posted anew and moves something, by source."""
    asked = {one.source: one for one in requests if isinstance(one, JournalRequest) and amount_of(one)}
    there = await store.journals.find(tx, list(asked))
    return {source: one for source, one in asked.items() if source not in there}


def _together(requests: Iterable[JournalRequest]) -> Mapping[str, int]:
    sums: defaultdict[str, int] = defaultdict(int)
    for one in requests:
        sums[one.entries[0].currency] += amount_of(one)
    return sums


async def _up_to(tx: Tx, currency: str) -> int:
    return (await store.by_hand.by_one(tx, currency)).up_to or 0


def _waits(up_to: int, currency: str, who: str) -> str:
    return (
        f"waits: it is posted when another person than {who} does the same within a day, under a login of "
        f"their own; one alone may post {format_minor(up_to, currency)} {currency} by hand in a day"
    )
