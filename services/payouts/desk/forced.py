"""Money that is sent on a person's word: above the school's amount two persons say it.

A release sends money before its hold period ends, or to an account that changed; who vouches that Stripe has
nothing (`checked`) has it sent once more. The second person does the same as the first, within a day.
"""

from datetime import datetime, timedelta
from typing import Final, Literal
from uuid import UUID

from fleet.database import Tx
from fleet.decisions import Decision, Ruling, refused
from fleet.money import format_minor
from fleet.persons import same_person
from services.payouts import store
from services.payouts.store.forced_acts import ForcedAct, ForcedMoney

DAY: Final = timedelta(days=1)
_DONE: Final = {"release": "released", "vouch": "sent once more"}


async def unless_two_agree(
    tx: Tx,
    decision: Decision,
    act: Literal["release", "vouch"],
    subject: UUID,
    now: datetime,
    *,
    by_one_up_to: int | None,
) -> Ruling | None:
    """Why an act is not done now; None: it may be. The payee of `subject`, transfer or operation, is locked.

    by_one_up_to: minor units that single persons may have sent to one payee within a day; None: any amount.
    """
    money = await store.forced_acts.money_of(tx, subject)
    if money is None:
        return None
    who = decision.who.name
    waiting = await store.forced_acts.waiting(tx, act, subject, money, now - DAY)
    if waiting is not None and not same_person(waiting.asked_by, who):
        await store.forced_acts.approve(tx, waiting.id, who, now)
        return None
    if waiting is not None and by_one_up_to is not None:
        return refused(f"{who} asked for this already: another person has to do the same")
    alone = money.amount + await store.forced_acts.by_one(tx, money, now - DAY)
    asked = ForcedAct(
        id=decision.decision_id,
        act=act,
        subject=subject,
        money=money,
        needs_second=by_one_up_to is not None and alone > by_one_up_to,
        asked_by=who,
        asked_at=now,
        why=decision.why,
    )
    await store.forced_acts.keep(tx, asked)
    if by_one_up_to is None or not asked.needs_second:
        return None
    sentence = _waits(asked, by_one_up_to)
    effect = {"subject": str(subject), "wallet": money.wallet, "waits_for": "a second person"}
    return Ruling(done=True, sentence=sentence, effects=(effect,))


def _waits(asked: ForcedAct, by_one_up_to: int) -> str:
    most = format_minor(by_one_up_to, asked.money.currency)
    return (
        f"{_money(asked.money)} to {asked.money.wallet} is {_DONE[asked.act]} when another person than "
        f"{asked.asked_by} does the same within a day: one alone may have {most} {asked.money.currency} sent "
        "to a payee in a day"
    )


def _money(money: ForcedMoney) -> str:
    return f"{format_minor(money.amount, money.currency)} {money.currency}"
