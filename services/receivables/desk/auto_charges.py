"""What people may decide about charges of saved payment methods: what a student allows."""

from datetime import datetime
from typing import Any, cast, get_args

from fleet.database import Tx
from fleet.decisions import Decision, Ruling, refused
from fleet.money import format_minor
from fleet.stripe_amounts import PAYMENT_MAX
from fleet.zones import local_date
from services.receivables import store
from services.receivables.desk.known import unless_known
from services.receivables.domain.auto_charges import DAY_MOST, Choice, Occasion


async def choose(tx: Tx, decision: Decision, now: datetime) -> Ruling:
    """Write down when a student lets their saved method be charged. object: the student.

    parameters: occasion (each_flight, threshold, day, off), threshold or day where it needs one, most (for a
    charge) and most_a_day, in minor units.
    """
    student, said = decision.object, decision.parameters
    if unknown := await unless_known(tx, student):
        return unknown
    zone, currency = await store.credit.school(tx)
    if currency is None:
        return refused("the school's book names no currency yet")
    choice = _choice(student, said, now, zone)
    if isinstance(choice, str):
        return refused(choice)
    await store.auto_charges.choose(tx, choice, decision.who.name, now)
    return Ruling(
        done=True, sentence=f"{student}: {in_words(choice, currency)}", effects=(_effect(choice, currency),)
    )


def _choice(student: str, said: Any, now: datetime, zone: str) -> Choice | str:
    occasion = said.get("occasion")
    if occasion not in get_args(Occasion):
        return f"occasion is {occasion!r}; it is one of {', '.join(get_args(Occasion))}"
    most = said.get("most")
    most_a_day = said.get("most_a_day", most)
    threshold, day = said.get("threshold"), said.get("day")
    for name, value in (("most", most), ("most_a_day", most_a_day)):
        if not _is_amount(value):
            return f"{name} is {value!r}; it is an amount in minor units, at least 1"
    if most_a_day < most:
        return f"most_a_day ({most_a_day}) is less than most ({most}): no charge could be so large"
    if not _fits(occasion == "threshold", threshold, PAYMENT_MAX):
        return f"threshold is {threshold!r}; say an amount in minor units, for the occasion threshold only"
    if not _fits(occasion == "day", day, DAY_MOST):
        return f"day is {day!r}; say a day of the month, 1 to {DAY_MOST}, for the occasion day only"
    return Choice(
        student=student,
        occasion=cast("Occasion", occasion),
        threshold=threshold,
        day=day,
        most=most,
        most_a_day=most_a_day,
        chosen_on=local_date(now, zone),
    )


def _is_amount(value: object) -> bool:
    return type(value) is int and 0 < value <= PAYMENT_MAX


def _fits(wanted: bool, value: object, most: int) -> bool:
    """Whether a number is there exactly where it is wanted, from 1 to `most`."""
    return type(value) is int and 1 <= value <= most if wanted else value is None


def in_words(choice: Choice, currency: str) -> str:
    """What a student allows, as a sentence."""
    most, a_day = (f"{format_minor(n, currency)} {currency}" for n in (choice.most, choice.most_a_day))
    up_to = f", up to {most} each time and {a_day} a day"
    match choice.occasion:
        case "off":
            return "nothing is charged by itself"
        case "each_flight":
            return f"what is owed is charged after each flight{up_to}"
        case "threshold":
            from_on = format_minor(choice.threshold or 0, currency)
            return f"what is owed is charged once it is {from_on} {currency}{up_to}"
        case "day":
            return f"what is owed is charged on day {choice.day} of each month{up_to}"


def _effect(choice: Choice, currency: str) -> dict[str, Any]:
    return {
        "student": choice.student,
        "currency": currency,
        "occasion": choice.occasion,
        "threshold": choice.threshold,
        "day": choice.day,
        "most": choice.most,
        "most_a_day": choice.most_a_day,
    }
