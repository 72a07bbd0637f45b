"""What people may decide about settlements: another way to settle a party, or a claw back at Stripe.

Whoever made the correction may claw back, forgive or write off nothing of it: the database refuses it too.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from fleet.database import Tx
from fleet.decisions import Action, Decision, Ruling, refused
from fleet.money import format_minor
from fleet.persons import same_person
from fleet.zones import local_date
from services.adjustments import steps, store
from services.adjustments.desk.decisions import locked
from services.adjustments.domain.adjustments import Adjustment, State
from services.adjustments.domain.settlements import (
    FOUR_EYES,
    IN_FORCE,
    Changes,
    Cheque,
    Choice,
    Method,
    Settlement,
    applied,
    choose,
    describe,
    replaceable,
)
from services.adjustments.domain.settlements_early import contradiction

SETTLES_BY: Final = (Method.MANUAL_CHECK, Method.FORGIVEN, Method.WRITTEN_OFF, Method.REFUND)
NUMBER_CHARS_MAX: Final = 100
_BEGUN: Final = (State.SETTLING, State.SETTLED)
_DIRECTIONS: Final = {"to": True, "from": False}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Open:
    """A locked adjustment that is being settled, and its settlements by wallet."""

    adjustment: Adjustment
    rows: Mapping[str, Sequence[Settlement]]


async def settle(tx: Tx, decision: Decision, now: datetime) -> Ruling:
    """Settle a party in another way. Object: `<flight>:<revision>`.

    Parameters: `method`, one of SETTLES_BY; `wallet`, unless one party alone can be settled so; for a cheque
    `number`, `paid_on` (a date), and `to_or_from`: the direction as seen by the school; `amount` in minor
    units, above zero, when only a part is settled. Effects: every party, what settles it now and then.
    """
    found = await _open(tx, decision)
    if isinstance(found, Ruling):
        return found
    choice = _choice(decision, local_date(now, await store.policy.time_zone(tx)))
    if isinstance(choice, str):
        return refused(choice)
    wallet = _wallet(decision, found, choice)
    if isinstance(wallet, Ruling):
        return wallet
    changes = choose(found.rows[wallet], choice)
    if isinstance(changes, str):
        return refused(f"adjustment {found.adjustment.name}, {wallet}: {changes}")
    return await _change(tx, decision, found, {wallet: changes}, now)


async def claw_back(tx: Tx, decision: Decision, now: datetime) -> Ruling:
    """Have payouts take back at Stripe what payees owe. Object: `<flight>:<revision>`.

    Parameter `wallet`: of one payee; without it, of all who owe and were sent money lately enough. What does
    not come back is taken off what they are paid next.
    """
    found = await _open(tx, decision)
    if isinstance(found, Ruling):
        return found
    choice = Choice(method=Method.STRIPE_REVERSAL, decided_by=decision.who.name)
    named = decision.parameters.get("wallet")
    wallets = list(found.rows) if named is None else [str(named)]
    changes: dict[str, Changes] = {}
    problems: list[str] = []
    for wallet in wallets:
        result = choose(found.rows[wallet], choice) if wallet in found.rows else "nothing of it changed"
        if isinstance(result, Changes):
            until = await store.settlements_sent.open_until(tx, wallet, found.adjustment.currency, now)
            result = result if until is not None else "nothing sent to it can be taken back any more"
        if isinstance(result, Changes):
            changes[wallet] = result
        elif named is not None or "any more" in result:
            problems.append(f"{wallet}: {result}")
    if not changes:
        why = "; ".join(problems) or "no payee owes anything that is open"
        return refused(f"adjustment {found.adjustment.name}: {why}")
    return await _change(tx, decision, found, changes, now)


ACTIONS: Final = {"settle": Action(judge=settle), "claw_back": Action(judge=claw_back)}


async def _open(tx: Tx, decision: Decision) -> _Open | Ruling:
    """Lock the adjustment that a decision names, and read its settlements; or say why there are none."""
    if not decision.why.strip():
        return refused("say why (--why): it stays in the history")
    found = await locked(tx, decision.object)
    if isinstance(found, Ruling):
        return found
    if found.state not in _BEGUN:
        return refused(f"adjustment {found.name} is {found.state}: nothing is settled before it is posted")
    rows: dict[str, list[Settlement]] = {}
    for row in await store.settlements.of_adjustments(tx, [found.id]):
        rows.setdefault(row.wallet, []).append(row)
    return _Open(adjustment=found, rows=rows)


def _choice(decision: Decision, today: date) -> Choice | str:
    """What a person asks for, or what is wrong with it. Parameters come from outside: trust none."""
    told = decision.parameters
    method, direction, amount = told.get("method"), told.get("to_or_from"), told.get("amount")
    if method not in SETTLES_BY:
        return f"settle by {', '.join(SETTLES_BY)}"
    if direction is not None and direction not in _DIRECTIONS:
        return "to_or_from says `to` the party, or `from` it"
    if amount is not None and (isinstance(amount, bool) or not isinstance(amount, int)):
        return "the amount is a whole number of minor units"
    cheque = _cheque(told.get("number"), told.get("paid_on"), today)
    if isinstance(cheque, str):
        return cheque
    return Choice(
        method=Method(method),
        decided_by=decision.who.name,
        cheque=cheque,
        amount=amount,
        paid_to_party=None if direction is None else _DIRECTIONS[direction],
    )


def _cheque(number: Any, paid_on: Any, today: date) -> Cheque | str | None:
    if number is None and paid_on is None:
        return None
    if not isinstance(number, str) or not 0 < len(number.strip()) <= NUMBER_CHARS_MAX:
        return f"name the cheque's number, at most {NUMBER_CHARS_MAX} characters"
    try:
        day = date.fromisoformat(str(paid_on))
    except ValueError:
        return "say when it was paid as a date, such as 2026-05-22"
    if day > today:
        return f"{day.isoformat()} is to come: money counts once it is there"
    return Cheque(number=number.strip(), paid_on=day)


def _wallet(decision: Decision, found: _Open, choice: Choice) -> str | Ruling:
    """The party that is meant: the named one, or the only one that can be settled so."""
    named, name = decision.parameters.get("wallet"), found.adjustment.name
    if named is not None:
        if named in found.rows:
            return str(named)
        return refused(f"adjustment {name} changes nothing for {named}; it does for {', '.join(found.rows)}")
    able = [wallet for wallet, rows in found.rows.items() if replaceable(rows, choice.method)]
    if len(able) == 1:
        return able[0]
    if able:
        return refused(f"adjustment {name}: say whose (--wallet), {' or '.join(able)}")
    parts = (f"{wallet}: {describe(rows)}" for wallet, rows in found.rows.items())
    return refused(f"adjustment {name}: {choice.method} cannot settle any party; {'; '.join(parts)}")


async def _change(
    tx: Tx, decision: Decision, found: _Open, changes: Mapping[str, Changes], now: datetime
) -> Ruling:
    adjustment, who = found.adjustment, decision.who.name
    chosen = [one.begun[0] for one in changes.values()]
    costly = [one.method for one in chosen if one.method in FOUR_EYES]
    if costly and any(same_person(maker, who) for maker in adjustment.makers):
        made = f"{who} made this correction or one that it covers"
        return refused(f"{made}: another person has to decide on {costly[0]}")
    together = Changes(
        steps=tuple(step for one in changes.values() for step in one.steps),
        begun=tuple(row for one in changes.values() for row in one.begun),
    )
    answered = await store.settlements_early.of(tx, [row.id for row in chosen])
    for row in chosen:
        if row.id in answered and (said := contradiction(answered[row.id], row)) is not None:
            return refused(f"adjustment {adjustment.name}, {row.wallet}: {said}")
    await steps.settlements.change(tx, adjustment, together, who, now)
    await steps.settlements_early.hear(tx, answered, now)
    steps.counts.decided(decision)
    said = "; ".join(_sentence(one) for one in chosen)
    return Ruling(
        done=True,
        sentence=f"adjustment {adjustment.name}: {said}",
        effects=tuple(_effects(found, changes)),
    )


def _sentence(chosen: Settlement) -> str:
    what = f"{format_minor(abs(chosen.amount), chosen.currency)} {chosen.currency}"
    whose = f"owed by {chosen.wallet}" if chosen.amount < 0 else f"owed to {chosen.wallet}"
    how = f"settled by {chosen.method}"
    if chosen.cheque is not None:
        how += f" {chosen.cheque.number} of {chosen.cheque.paid_on.isoformat()}"
    if chosen.method is Method.STRIPE_REVERSAL:
        how = "taken back at Stripe, the rest off what is paid next"
    if chosen.method is Method.REFUND:
        how = "refunded to the card it was paid with, the newest payment first; the rest stays credited"
    return f"{what} {whose} is {how}"


def _effects(found: _Open, changes: Mapping[str, Changes]) -> Iterator[dict[str, Any]]:
    """Every party: its difference in minor units, what settles it now, and what settles it then."""
    for wallet, rows in found.rows.items():
        after = applied(rows, changes[wallet]) if wallet in changes else rows
        yield {
            "adjustment": found.adjustment.name,
            "wallet": wallet,
            "difference": sum(row.amount for row in rows if row.state in IN_FORCE),
            "currency": found.adjustment.currency,
            "now": describe(rows),
            "then": describe(after),
        }
