"""The list that is walked before a school cuts over: what is there, missing, or known to a person only.

It reads published views and changes nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

from fleet.database import Tx
from services.billing.desk import reads as book_reads
from services.ledger.desk import reads as wallet_reads
from services.payouts.desk import reads as payee_reads
from services.reserves.desk.reads import reconciliation
from services.reserves.desk.reads import reserve as reserve_reads
from services.reserves.domain.health import HEALTHY

THERE: Final = "there"
MISSING: Final = "MISSING"
BY_HAND: Final = "by hand"
NAMED_MAX: Final = 5
RESTORED_WITHIN: Final = timedelta(days=90)
INSTRUCTOR: Final = "instructor:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One item of the list. way_out: what to do about it."""

    item: str
    state: str
    found: str
    way_out: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What is in no view. signature: of the comparison with the old system, while it counts.

    restored_at: when a restored backup last agreed with Kafka and Stripe. webhooks_missing: kinds of Stripe's
    events that did not come; None: nobody looked.
    """

    signature: str | None = None
    restored_at: datetime | None = None
    webhooks_missing: Sequence[str] | None = None


async def read_items(tx: Tx, *, days: int, now: datetime, today: date, evidence: Evidence) -> list[Item]:
    """Every item. today: the date at the school."""
    book = await book_reads.whole_book(tx)
    cards = book.in_force(today)
    opening = [await _opening(tx), await _signed(tx)]
    payees = await payee_reads.list_payees(tx)
    return [
        *opening,
        _policy(cards, "credit", "a policy on credit", "students fly without a limit: set [credit]"),
        _limits(cards, today),
        _policy(cards, "reserve", "a policy on the reserve", "nothing keeps cash at Stripe: set [reserve]"),
        await _reserve(tx, now),
        _rates(cards, payees),
        await _refused(tx),
        _onboarded(payees),
        await _reconciled(tx, days=days, today=today),
        _shadow(evidence.signature),
        _restored(evidence.restored_at, now),
        _webhooks(evidence.webhooks_missing),
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


def _limits(cards: Sequence[book_reads.StandingCard], today: date) -> Item:
    """A student's own card stands instead of the policy's limit until it ends, also where it has no limit."""
    what = "every student has a limit"
    students = sorted(card.key for card in cards if card.kind == "student")
    if not students:
        return Item(item=what, state=MISSING, found="there is no student", way_out="hobbs school apply")
    everybody = any(card.kind == "credit" and card.document.get("limit") is not None for card in cards)
    own = {
        card.key: card.document.get("limit") is not None or bool(card.document.get("frozen"))
        for card in cards
        if card.kind == "credit_limit" and not _has_ended(card.document, today)
    }
    if without := [student for student in students if not own.get(student, everybody)]:
        said = f"{len(without)} of {len(students)} have none: {_some(without)}"
        way_out = "set limit in [credit], or in the student's [[credit_limit]]"
        return Item(item=what, state=MISSING, found=said, way_out=way_out)
    return Item(item=what, state=THERE, found=f"{len(students)}")


def _has_ended(document: dict[str, Any], today: date) -> bool:
    until = document.get("until")
    return until is not None and date.fromisoformat(until) < today


async def _reserve(tx: Tx, now: datetime) -> Item:
    what = "the reserve is covered"
    rows = await reserve_reads.stands(tx, now)
    if not rows:
        return Item(item=what, state=MISSING, found="it was not judged yet", way_out="hobbs reserve show")
    if short := [f"{row['currency']}: {row['sentence']}" for row in rows if row["health"] != HEALTHY]:
        return Item(item=what, state=MISSING, found=_some(short), way_out="hobbs reserve show")
    return Item(item=what, state=THERE, found=", ".join(row["currency"] for row in rows))


def _rates(cards: Sequence[book_reads.StandingCard], payees: Sequence[dict[str, Any]]) -> Item:
    """Those who are paid: a card without rates pays nothing, and without a card a flight is refused."""
    what = "every instructor has a rate"
    rated = {
        card.key
        for card in cards
        if card.kind == "instructor"
        and (card.document["flight_per_hour"] or card.document["ground_per_hour"])
    }
    known = {card.key for card in cards if card.kind == "instructor"}
    paid = {row["wallet"].removeprefix(INSTRUCTOR) for row in payees if row["wallet"].startswith(INSTRUCTOR)}
    if without := sorted((known | paid) - rated):
        said = f"{len(without)} of {len(known | paid)} have none: {_some(without)}"
        return Item(item=what, state=MISSING, found=said, way_out="hobbs school apply")
    if not rated:
        return Item(item=what, state=MISSING, found="there is no instructor", way_out="hobbs school apply")
    return Item(item=what, state=THERE, found=f"{len(rated)}")


def _onboarded(payees: Sequence[dict[str, Any]]) -> Item:
    what = "all payees can be paid"
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


def _restored(restored_at: datetime | None, now: datetime) -> Item:
    what = "a backup was restored once"
    way_out = (
        "restore one beside the live database: hobbs restore check --log FILE, and --restore-log FILE here"
    )
    if restored_at is None:
        return Item(item=what, state=MISSING, found="no restore that agreed is noted", way_out=way_out)
    if now - restored_at > RESTORED_WITHIN:
        said = f"{restored_at.date()} is over {RESTORED_WITHIN.days} days ago"
        return Item(item=what, state=MISSING, found=said, way_out=way_out)
    return Item(item=what, state=THERE, found=f"{restored_at.date()}")


def _webhooks(missing: Sequence[str] | None) -> Item:
    what = "every kind of webhook came once"
    way_out = "send each from Stripe's dashboard or workbench; hobbs doctor shows what came last"
    if missing is None:
        return Item(item=what, state=BY_HAND, found="nobody looked", way_out="--webhooks reads their topic")
    if missing:
        said = f"{len(missing)} did not: {_some(missing)}"
        return Item(item=what, state=MISSING, found=said, way_out=way_out)
    return Item(item=what, state=THERE, found="all")


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - NAMED_MAX} more" if len(names) > NAMED_MAX else ""
    return ", ".join(names[:NAMED_MAX]) + more
