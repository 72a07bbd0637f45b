"""The list that is walked before a school cuts over: met, or missing with the command that mends it.

It reads published views and changes nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

from fleet.database import Tx
from hobbs.cutover.webhooks import WANTED
from hobbs.opening.flights import astride_the_newest_opening
from services.billing.desk import reads as book_reads
from services.ledger.desk import reads as wallet_reads
from services.payouts.desk import reads as payee_reads
from services.reserves.desk.reads import reconciliation
from services.reserves.desk.reads import reserve as reserve_reads
from services.reserves.domain.health import HEALTHY

MET: Final = "met"
MISSING: Final = "missing"
NAMED_MAX: Final = 5
RESTORED_WITHIN: Final = timedelta(days=90)
INSTRUCTOR: Final = "instructor:"
# Of an aircraft's hour: an owned one's or another's, a leased one's or one passed through, a bundle's.
HOURLY: Final = ("rate_per_hour", "cost_per_hour", "margin_per_hour", "bundle_per_hour")
APPLY: Final = "hobbs school apply FILE --why WHY"
LOAD: Final = "hobbs opening load FILE --as-of DATE --why WHY"


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One item of the list. way_out: the command that mends it, or shows what is to be mended."""

    item: str
    state: str
    found: str
    way_out: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What is in no view. signature: of the comparison with the old system, while it counts.

    restored_at: when a restored backup last agreed with Kafka and Stripe. webhooks_missing: kinds of Stripe's
    events that did not come; a sentence: why nobody knows.
    """

    signature: str | None = None
    restored_at: datetime | None = None
    webhooks_missing: Sequence[str] | str = "nobody looked"


async def read_items(tx: Tx, *, days: int, now: datetime, today: date, evidence: Evidence) -> list[Item]:
    """Every item. today: the date at the school."""
    book = await book_reads.whole_book(tx)
    cards = book.in_force(today)
    opening = [await _opening(tx), await _signed(tx), await _astride(tx)]
    payees = await payee_reads.list_payees(tx)
    return [
        *opening,
        _policy(cards, "credit", "a policy on credit"),
        _limits(cards, today),
        _policy(cards, "reserve", "a policy on the reserve"),
        await _reserve(tx, now),
        _rates(cards, payees),
        _prices(cards),
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
        return Item(item=what, state=MISSING, found="nothing was loaded", way_out=LOAD)
    off: dict[str, int] = {}
    for row in trial:
        off[row.currency] = off.get(row.currency, 0) + (row.had or 0) - (row.owes or 0)
    wrong = sorted(currency for currency, amount in off.items() if amount)
    if wrong:
        said = f"external:opening is not at zero in {', '.join(wrong)}"
        return Item(item=what, state=MISSING, found=said, way_out="hobbs opening show --lines")
    return Item(item=what, state=MET, found=f"{sum(row.lines for row in trial)} lines")


async def _signed(tx: Tx) -> Item:
    what = "the opening is signed"
    last = {one.as_of: one for one in await wallet_reads.openings.signatures(tx, None)}
    unsigned = [day for day, one in last.items() if one.action != "signed"]
    loaded = {row.as_of for row in await wallet_reads.openings.trial_balance(tx, None)}
    if missing := sorted({*unsigned, *(loaded - set(last))}):
        way_out = f"hobbs opening sign --as-of {missing[0]} --why WHY"
        return Item(item=what, state=MISSING, found=f"not of {missing[0]}", way_out=way_out)
    if not last:
        return Item(item=what, state=MISSING, found="nothing was loaded", way_out=LOAD)
    return Item(item=what, state=MET, found=", ".join(f"{day} by {last[day].who}" for day in sorted(last)))


async def _astride(tx: Tx) -> Item:
    """Such flights were said to whoever signed the opening; one that came later was seen by nobody."""
    what = "each flight is on one side of the opening's day"
    found = await astride_the_newest_opening(tx)
    if found is None:
        return Item(item=what, state=MISSING, found="nothing was loaded", way_out=LOAD)
    sentences = found.sentences()
    if not sentences:
        return Item(item=what, state=MET, found=f"none is astride {found.day}")
    words = await wallet_reads.openings.signatures(tx, found.day)
    signed = words[-1] if words and words[-1].action == "signed" else None
    newest = found.newest()
    if signed is None or newest is None or newest > signed.recorded_at:
        way_out = f"hobbs opening {'sign' if signed is None else 'reopen'} --as-of {found.day} --why WHY"
        return Item(item=what, state=MISSING, found="; ".join(sentences), way_out=way_out)
    return Item(item=what, state=MET, found=f"seen by {signed.who}: {'; '.join(sentences)}")


def _policy(cards: Sequence[book_reads.StandingCard], kind: str, what: str) -> Item:
    card = next((card for card in cards if card.kind == kind), None)
    if card is None:
        said = f"no card [{kind}] is in force"
        return Item(item=what, state=MISSING, found=said, way_out=APPLY)
    return Item(item=what, state=MET, found=f"since {card.effective_from}")


async def _refused(tx: Tx) -> Item:
    """A flight that is refused names a student, an instructor or an aircraft without a card or a rate."""
    what = "no flight is refused"
    refused = await book_reads.refused_flights(tx, most=1000)
    if not refused:
        return Item(item=what, state=MET, found="none")
    reasons = sorted({one.reason for one in refused})
    said = f"{len(refused)}: {_some(reasons)}"
    return Item(item=what, state=MISSING, found=said, way_out="hobbs flights list --state refused")


def _limits(cards: Sequence[book_reads.StandingCard], today: date) -> Item:
    """A student's own card stands instead of the policy's limit until it ends, also where it has no limit."""
    what = "every student has a limit"
    students = sorted(card.key for card in cards if card.kind == "student")
    if not students:
        return Item(item=what, state=MISSING, found="there is no student", way_out=APPLY)
    everybody = any(card.kind == "credit" and card.document.get("limit") is not None for card in cards)
    own = {
        card.key: card.document.get("limit") is not None or bool(card.document.get("frozen"))
        for card in cards
        if card.kind == "credit_limit" and not _has_ended(card.document, today)
    }
    if without := [student for student in students if not own.get(student, everybody)]:
        said = f"{len(without)} of {len(students)} have none, nor has [credit]: {_some(without)}"
        return Item(item=what, state=MISSING, found=said, way_out=APPLY)
    return Item(item=what, state=MET, found=f"{len(students)}")


def _has_ended(document: dict[str, Any], today: date) -> bool:
    until = document.get("until")
    return until is not None and date.fromisoformat(until) < today


async def _reserve(tx: Tx, now: datetime) -> Item:
    what = "the reserve is covered"
    rows = await reserve_reads.stands(tx, now)
    if not rows:
        return Item(item=what, state=MISSING, found="it was not judged yet", way_out="hobbs reserve")
    if short := [f"{row['currency']}: {row['sentence']}" for row in rows if row["health"] != HEALTHY]:
        return Item(item=what, state=MISSING, found=_some(short), way_out="hobbs reserve")
    return Item(item=what, state=MET, found=", ".join(row["currency"] for row in rows))


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
        return Item(item=what, state=MISSING, found=said, way_out=APPLY)
    if not rated:
        return Item(item=what, state=MISSING, found="there is no instructor", way_out=APPLY)
    return Item(item=what, state=MET, found=f"{len(rated)}")


def _prices(cards: Sequence[book_reads.StandingCard]) -> Item:
    """A price of 0 is taken, as a school may lend an aircraft; at the move it is more often forgotten."""
    what = "every aircraft has a rate"
    aircraft = [card for card in cards if card.kind == "aircraft"]
    if not aircraft:
        return Item(item=what, state=MISSING, found="there is no aircraft", way_out=APPLY)
    free = sorted(card.key for card in aircraft if not any(card.document.get(name) for name in HOURLY))
    if free:
        said = f"{len(free)} of {len(aircraft)} cost nothing an hour: {_some(free)}"
        return Item(item=what, state=MISSING, found=said, way_out=APPLY)
    return Item(item=what, state=MET, found=f"{len(aircraft)}")


def _onboarded(payees: Sequence[dict[str, Any]]) -> Item:
    what = "all payees can be paid"
    if not payees:
        return Item(item=what, state=MISSING, found="there is none", way_out=APPLY)
    without = [row["wallet"] for row in payees if row["status"] != "ready"]
    if without:
        said = f"{len(without)} of {len(payees)} cannot: {_some(without)}"
        return Item(item=what, state=MISSING, found=said, way_out="hobbs transfers payees list")
    return Item(item=what, state=MET, found=f"{len(payees)}")


async def _reconciled(tx: Tx, *, days: int, today: date) -> Item:
    """Each of the last business dates was compared with Stripe, and nothing of it is unexplained or open."""
    what = f"{days} dates without drift"
    compared: dict[date, list[dict[str, Any]]] = {}
    for row in await reconciliation.days(tx, most=days * 10):
        compared.setdefault(row["business_date"], []).append(row)
    wanted = [today - timedelta(days=n) for n in range(1, days + 1)]
    if missing := [day for day in wanted if day not in compared]:
        said = f"{missing[0]} is not compared, and {len(missing)} of {days} are not"
        return Item(item=what, state=MISSING, found=said, way_out=f"hobbs reconcile day {missing[-1]}")
    bad = [day for day in wanted if any(row["unexplained"] or row["breaks_open"] for row in compared[day])]
    if bad:
        said = f"{bad[0]} has something unexplained or open, and {len(bad)} of {days} have"
        return Item(item=what, state=MISSING, found=said, way_out=f"hobbs reconcile day {bad[0]}")
    return Item(item=what, state=MET, found=f"{wanted[-1]} to {wanted[0]}")


def _shadow(signature: str | None) -> Item:
    what = "the comparison with the old system is signed"
    if signature is None:
        said = "no signature that still counts is in --shadow-log"
        way_out = "hobbs shadow sign --log FILE --why WHY"
        return Item(item=what, state=MISSING, found=said, way_out=way_out)
    return Item(item=what, state=MET, found=signature)


def _restored(restored_at: datetime | None, now: datetime) -> Item:
    what = "a backup was restored once"
    way_out = "hobbs restore check --log FILE"
    if restored_at is None:
        said = "no restore that agreed is in --restore-log"
        return Item(item=what, state=MISSING, found=said, way_out=way_out)
    if now - restored_at > RESTORED_WITHIN:
        said = f"{restored_at.date()} is over {RESTORED_WITHIN.days} days ago"
        return Item(item=what, state=MISSING, found=said, way_out=way_out)
    return Item(item=what, state=MET, found=f"{restored_at.date()}")


def _webhooks(missing: Sequence[str] | str) -> Item:
    what = "every kind of webhook came once"
    if isinstance(missing, str):
        return Item(item=what, state=MISSING, found=missing, way_out="hobbs doctor")
    if missing:
        said = f"{len(missing)} did not: {_some(missing)}"
        return Item(item=what, state=MISSING, found=said, way_out=f"stripe trigger {missing[0]}")
    return Item(item=what, state=MET, found=f"all {len(WANTED)}")


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - NAMED_MAX} more" if len(names) > NAMED_MAX else ""
    return ", ".join(names[:NAMED_MAX]) + more
