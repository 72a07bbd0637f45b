"""The list that is walked before a school cuts over: what is there, missing, or known to a person only.

It reads published views and changes nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

from fleet.database import Tx
from services.billing.desk import reads as book_reads
from services.ledger.desk import reads as wallet_reads
from services.payouts.desk import reads as payee_reads
from services.reserves.desk.reads import reconciliation

THERE: Final = "there"
MISSING: Final = "MISSING"
BY_HAND: Final = "by hand"
NAMED_MAX: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One item of the list. way_out: what to do about it."""

    item: str
    state: str
    found: str
    way_out: str = ""


async def read_items(tx: Tx, *, days: int, today: date, signature: str | None) -> list[Item]:
    """Every item. signature: of the comparison with the old system, when it is signed."""
    book = await book_reads.whole_book(tx)
    cards = book.in_force(today)
    opening = [await _opening(tx), await _signed(tx)]
    return [
        *opening,
        _policy(cards, "credit", "a policy on credit", "students fly without a limit: set [credit]"),
        _policy(cards, "reserve", "a policy on the reserve", "nothing keeps cash at Stripe: set [reserve]"),
        await _refused(tx),
        await _onboarded(tx),
        await _reconciled(tx, days=days, today=today),
        _shadow(signature),
        Item(
            item="a backup was restored once",
            state=BY_HAND,
            found="nothing here knows",
            way_out="restore one beside the live database; see docs/operations/postgres.md",
        ),
        Item(
            item="every kind of webhook came once",
            state=BY_HAND,
            found="the gateway keeps the latest kind of each endpoint only",
            way_out="send each from Stripe's dashboard or workbench; hobbs doctor shows what came last",
        ),
    ]


async def _opening(tx: Tx) -> Item:
    what = "the opening is at zero"
    trial = await wallet_reads.openings.trial_balance(tx, None)
    if not trial:
        return Item(item=what, state=MISSING, found="nothing was loaded", way_out="hobbs opening load")
    off: dict[str, int] = {}
    for row in trial:
        off[row.currency] = off.get(row.currency, 0) + (row.had or 0) - (row.owes or 0)
    wrong = sorted(currency for currency, amount in off.items() if amount)
    if wrong:
        said = f"external:opening is not at zero in {', '.join(wrong)}"
        return Item(item=what, state=MISSING, found=said, way_out="hobbs opening show")
    return Item(item=what, state=THERE, found=f"{sum(row.lines for row in trial)} lines")


async def _signed(tx: Tx) -> Item:
    what = "the opening is signed"
    last = {one.as_of: one for one in await wallet_reads.openings.signatures(tx, None)}
    unsigned = [day for day, one in last.items() if one.action != "signed"]
    loaded = {row.as_of for row in await wallet_reads.openings.trial_balance(tx, None)}
    if missing := sorted({*unsigned, *(loaded - set(last))}):
        return Item(item=what, state=MISSING, found=f"not of {missing[0]}", way_out="hobbs opening sign")
    if not last:
        return Item(item=what, state=MISSING, found="nobody signed one", way_out="hobbs opening sign")
    return Item(item=what, state=THERE, found=", ".join(f"{day} by {last[day].who}" for day in sorted(last)))


def _policy(cards: Sequence[book_reads.StandingCard], kind: str, what: str, way_out: str) -> Item:
    card = next((card for card in cards if card.kind == kind), None)
    if card is None:
        return Item(item=what, state=MISSING, found=f"no card {kind} is in force", way_out=way_out)
    return Item(item=what, state=THERE, found=f"since {card.effective_from}")


async def _refused(tx: Tx) -> Item:
    """A flight that is refused names a student, an instructor or an aircraft without a card or a rate."""
    what = "no flight is refused"
    refused = await book_reads.refused_flights(tx, most=1000)
    if not refused:
        return Item(item=what, state=THERE, found="none")
    reasons = sorted({one.reason for one in refused})
    said = f"{len(refused)}: {_some(reasons)}"
    return Item(item=what, state=MISSING, found=said, way_out="hobbs flights list --state refused")


async def _onboarded(tx: Tx) -> Item:
    what = "all payees can be paid"
    payees = await payee_reads.list_payees(tx)
    if not payees:
        return Item(item=what, state=MISSING, found="there is none", way_out="hobbs school apply")
    without = [row["wallet"] for row in payees if row["status"] != "ready"]
    if without:
        said = f"{len(without)} of {len(payees)} cannot: {_some(without)}"
        return Item(item=what, state=MISSING, found=said, way_out="hobbs transfers payees")
    return Item(item=what, state=THERE, found=f"{len(payees)}")


async def _reconciled(tx: Tx, *, days: int, today: date) -> Item:
    """Each of the last business dates was compared with Stripe, and nothing of it is unexplained or open."""
    what = f"{days} dates without drift"
    compared: dict[date, list[dict[str, Any]]] = {}
    for row in await reconciliation.days(tx, most=days * 10):
        compared.setdefault(row["business_date"], []).append(row)
    wanted = [today - timedelta(days=n) for n in range(1, days + 1)]
    if missing := [day for day in wanted if day not in compared]:
        said = f"{missing[0]} is not compared, and {len(missing)} of {days} are not"
        return Item(item=what, state=MISSING, found=said, way_out="hobbs reconcile list")
    bad = [day for day in wanted if any(row["unexplained"] or row["breaks_open"] for row in compared[day])]
    if bad:
        said = f"{bad[0]} has something unexplained or open, and {len(bad)} of {days} have"
        return Item(item=what, state=MISSING, found=said, way_out=f"hobbs reconcile {bad[0]}")
    return Item(item=what, state=THERE, found=f"{wanted[-1]} to {wanted[0]}")


def _shadow(signature: str | None) -> Item:
    what = "the comparison with the old system is signed"
    if signature is None:
        way_out = "hobbs shadow sign, and name its log with --shadow-log"
        return Item(item=what, state=MISSING, found="no signature that still counts", way_out=way_out)
    return Item(item=what, state=THERE, found=signature)


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - NAMED_MAX} more" if len(names) > NAMED_MAX else ""
    return ", ".join(names[:NAMED_MAX]) + more
