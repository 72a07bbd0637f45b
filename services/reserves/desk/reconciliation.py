"""What people may decide about the comparison with Stripe: compare a date now, accept what heals a break."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any, Final

from fleet.database import Tx
from fleet.decisions import Action, Decision, Ruling, refused
from fleet.faults import fault_point
from fleet.money import format_minor
from fleet.persons import same_person
from fleet.zones import local_date
from services.reserves import steps, store, wire
from services.reserves.desk.objects import numbered
from services.reserves.domain import breaks
from services.reserves.domain.breaks import Kind
from services.reserves.domain.days import ComparedDay
from services.reserves.store.breaks import KeptBreak


async def reconcile(tx: Tx, decision: Decision, now: datetime) -> Ruling:
    """Compare a business date with Stripe now. Object: the date, `today`, or `yesterday`."""
    today = local_date(now, await store.days.time_zone(tx))
    day = _day(decision.object, today)
    if day is None:
        return refused(f"{decision.object} is no date such as {today}")
    if day > today:
        return refused(f"{day} is to come; today is {today}")
    last: str | None = ""
    while last is not None:
        last = await steps.reconciliation.match_by_ids(tx, last, now)
    await steps.reconciliation.match_the_rest(tx, now)
    compared = await steps.reconciliation.complete(tx, day, now)
    return Ruling(done=True, sentence=_sentence(day, compared), effects=tuple(map(_effect, compared)))


async def sign(tx: Tx, decision: Decision, now: datetime) -> Ruling:
    """Sign a business date off: it and all before it stand from now on. Object: the date."""
    frozen = await store.signatures.lock_frozen(tx)
    today = local_date(now, await store.days.time_zone(tx))
    day = _day(decision.object, today)
    if day is None:
        return refused(f"{decision.object} is no date such as {today - timedelta(days=1)}")
    if day >= today:
        return refused(f"{day} is not over: the last date that can be signed is {today - timedelta(days=1)}")
    if frozen is not None and day <= frozen:
        return refused(f"{day} is signed off already: all until {frozen} is")
    if not decision.why.strip():
        return refused("signing needs a reason (--why): what was looked at?")
    compared = await steps.reconciliation.complete(tx, day, now)
    for one in compared:
        if one.unexplained:
            left = format_minor(one.unexplained, one.currency)
            return refused(f"{left} {one.currency} of {day} is unexplained: hobbs reconcile {day} shows it")
    await store.signatures.sign(
        tx, day, decision_id=decision.decision_id, who=decision.who.name, why=decision.why, now=now
    )
    await fault_point("reserves.signed")
    sentence = f"{day} and all before it is signed off: what becomes known later counts on a later day"
    return Ruling(done=True, sentence=sentence, effects=tuple(map(_effect, compared)))


async def accept(tx: Tx, decision: Decision, now: datetime) -> Ruling:
    """Agree to what is proposed for a break; the last one who must agree has it done. Object: the break's id.

    Parameter `wallet`: the journal moves the money of this wallet instead of the one proposed; what others
    agreed to before is another journal then.
    """
    found = await _locked(tx, decision)
    if isinstance(found, Ruling):
        return found
    if not decision.why.strip():
        return refused("accepting needs a reason (--why): what was looked at?")
    given = await store.breaks.accepted_by(tx, found)
    again = found.state == "accepted"
    if not again:
        if any(same_person(name, decision.who.name) for name in given):
            return refused(f"{decision.who.name} accepted break {found.id} already; another person has to")
        await store.breaks.add_acceptance(
            tx, found, decision_id=decision.decision_id, who=decision.who.name, why=decision.why, now=now
        )
        await fault_point("reserves.accepted")
        given = [*given, decision.who.name]
        if len(given) < breaks.needed(found.amount, found.accepted_by_one_up_to):
            said = f"it waits for another person's agreement than {given[0]}'s"
            return _ruling(found, f"break {found.id} is accepted by one: {said}")
        await store.breaks.set_accepted(tx, found.id, now)
    done = await steps.breaks.heal(tx, found, now)
    return _ruling(found, f"break {found.id} is accepted by {' and '.join(given)}: {done}")


async def _locked(tx: Tx, decision: Decision) -> KeptBreak | Ruling:
    """Lock the break that a decision names, with the wallet that it chooses; or say why it cannot be."""
    number = decision.object
    named = numbered(number)
    found = None if named is None else await store.breaks.lock(tx, named)
    if found is None:
        return refused(f"there is no break {number}; `hobbs reconcile breaks` shows all")
    if found.state == "closed":
        return refused(f"break {found.id} is closed: {found.sentence}")
    if found.proposal["kind"] == Kind.WAIT:
        return refused(f"break {found.id} is a matter of timing and closes by itself: {found.sentence}")
    wallet = decision.parameters.get("wallet")
    if wallet is None:
        return found
    if found.proposal["kind"] != Kind.JOURNAL:
        return refused(f"for break {found.id} no journal is proposed: leave --wallet out")
    if not isinstance(wallet, str) or not wire.reconciliation.is_counterpart(wallet):
        return refused(f"{wallet} is no wallet that Stripe's money can come from or go to")
    proposal = breaks.through(dict(found.proposal), wallet)
    if proposal != found.proposal:
        await store.breaks.choose(tx, found.id, wallet, proposal)
        found = await store.breaks.lock(tx, found.id)
        assert found is not None, "it is locked"
    return found


def _ruling(found: KeptBreak, sentence: str) -> Ruling:
    shown = {"break": found.id, "class": found.kind_of, "amount": found.amount, "currency": found.currency}
    effect = {**shown, "sentence": found.sentence, "proposal": dict(found.proposal)}
    return Ruling(done=True, sentence=sentence, effects=(effect,))


ACTIONS: Final[Mapping[str, Action]] = {
    "reconcile": Action(judge=reconcile),
    "accept": Action(judge=accept),
    "sign": Action(judge=sign),
}


def _day(named: str, today: date) -> date | None:
    if named in ("today", "yesterday"):
        return today - timedelta(days=named == "yesterday")
    try:
        return date.fromisoformat(named)
    except ValueError:
        return None


def _effect(one: ComparedDay) -> dict[str, Any]:
    return {
        "business_date": one.business_date.isoformat(),
        "currency": one.currency,
        "stripe_closing": one.stripe_closing,
        "books_closing": one.books_closing,
        "drift": one.drift,
        "explained": one.explained,
        "unexplained": one.unexplained,
        "breaks_open": one.breaks_open,
    }


def _sentence(day: date, compared: list[ComparedDay]) -> str:
    if not compared:
        return f"nothing had moved by {day}"
    return f"{day} is compared with Stripe: " + ", ".join(
        f"the difference is {format_minor(one.drift, one.currency)} {one.currency}" for one in compared
    )
