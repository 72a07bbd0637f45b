"""What people may decide about the reserve: open its gate for a time, and acknowledge alerts."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from fleet.database import Tx
from fleet.decisions import RUNNERS, Action, Decision, Ruling, refused
from fleet.money import format_minor
from fleet.persons import same_person
from fleet.zones import local_date
from schemas.fields import MINOR_UNITS_MAX
from services.reserves import steps, store
from services.reserves.desk.objects import numbered
from services.reserves.domain.alerts import Opening

LONGEST: Final = timedelta(days=7)


async def open_gate(tx: Tx, decision: Decision, now: datetime) -> Ruling:
    """Let so much less stay at Stripe until an instant. Object: the currency.

    Above a limit two persons do. What stands already without a second person counts, so that no large
    opening is made of small ones.
    """
    zone, currency = await store.policy.school(tx)
    policy = await store.policy.in_force(tx, local_date(now, zone))
    if policy is None or currency is None or decision.object != currency:
        return refused(f"the school keeps no reserve in {decision.object}: there is no gate to open")
    asked = _asked(decision.parameters)
    if asked is None:
        return refused("opening the gate needs an amount above zero and the instant of its end")
    amount, until = asked
    if not now < until <= now + LONGEST:
        return refused(f"an opening ends within {LONGEST.days} days, not at {until:%Y-%m-%d %H:%M} UTC")
    if not decision.why.strip():
        return refused("opening the gate needs a reason (--why)")
    await store.health.lock_judgements(tx)  # so that two openings at once see each other
    alone = amount + await store.alerts.opened_by_one(tx, currency, now)
    opening = Opening(
        id=decision.decision_id,
        currency=currency,
        amount=amount,
        until=until,
        asked_by=decision.who.name,
        needs_second=alone > policy.opened_by_one_up_to,
        approved_by=None,
        closed=False,
    )
    await store.alerts.open_gate(tx, opening, decision.why, now)
    await steps.health.judge_reserve(tx, now)
    waits = "waits for a second person: `hobbs reserve openings` shows its id"
    stands = waits if opening.needs_second else "is in force"
    # A preview has another id, so the sentence has none.
    return Ruling(done=True, sentence=f"the opening {_in_words(opening)} {stands}")


async def approve_opening(tx: Tx, decision: Decision, now: datetime) -> Ruling:
    """Agree to an opening that needs a second person. Object: its id."""
    opening = await _locked(tx, decision.object)
    if opening is None or opening.closed or opening.until <= now:
        return refused(
            f"there is no opening {decision.object} that waits; `hobbs reserve openings` shows all"
        )
    if not opening.needs_second or opening.approved_by is not None:
        return refused(f"opening {opening.id} is in force already")
    if same_person(opening.asked_by, decision.who.name):
        return refused(f"{decision.who.name} asked for this opening: another person has to agree")
    await store.alerts.approve(tx, opening.id, decision.who.name, now)
    await steps.health.judge_reserve(tx, now)
    return _ruling(opening, "is in force")


async def close_opening(tx: Tx, decision: Decision, now: datetime) -> Ruling:
    """End an opening before its time. Object: its id."""
    opening = await _locked(tx, decision.object)
    if opening is None or opening.closed:
        return refused(f"there is no opening {decision.object}; `hobbs reserve openings` shows all")
    await store.alerts.close(tx, opening.id, decision.who.name, now)
    await steps.health.judge_reserve(tx, now)
    return _ruling(opening, "is ended")


async def acknowledge_alert(tx: Tx, decision: Decision, now: datetime) -> Ruling:
    """Say that a person knows of an alert, with a note. Object: its number."""
    if not decision.why.strip():
        return refused("acknowledging an alert needs a note (--why)")
    number = numbered(decision.object)
    kind = (
        None
        if number is None
        else await store.alerts.acknowledge(tx, number, decision.who.name, decision.why, now)
    )
    if kind is None:
        return refused(
            f"there is no alert {decision.object} to acknowledge; `hobbs reserve alerts` shows all"
        )
    return Ruling(done=True, sentence=f"alert {number} ({kind}) is acknowledged by {decision.who.name}")


ACTIONS: Final[Mapping[str, Action]] = {
    "open_gate": Action(judge=open_gate),
    "approve_opening": Action(judge=approve_opening),
    "close_opening": Action(judge=close_opening, roles=RUNNERS),
    "acknowledge_alert": Action(judge=acknowledge_alert, roles=RUNNERS),
}


def _asked(parameters: Mapping[str, Any]) -> tuple[int, datetime] | None:
    try:
        amount, until = parameters["amount"], datetime.fromisoformat(str(parameters["until"]))
    except (KeyError, ValueError):
        return None
    whole = type(amount) is int and 0 < amount <= MINOR_UNITS_MAX  # a fraction of a cent is no amount
    return (amount, until) if whole and until.tzinfo is not None else None


async def _locked(tx: Tx, named: str) -> Opening | None:
    try:
        return await store.alerts.lock_opening(tx, UUID(named))
    except ValueError:
        return None


def _ruling(opening: Opening, stands: str) -> Ruling:
    return Ruling(done=True, sentence=f"opening {opening.id} {_in_words(opening)} {stands}")


def _in_words(opening: Opening) -> str:
    amount = format_minor(opening.amount, opening.currency)
    return f"by {amount} {opening.currency} until {opening.until:%Y-%m-%d %H:%M} UTC"
