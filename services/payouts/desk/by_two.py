"""Whose account a payee's money goes to is said by two people, where the school wants it so.

Whoever takes an account for a payee, or makes the link by which one names their bank, could name their own.
The second person asks for the same within a day. A link that its payee asks for is one person's.
"""

from datetime import datetime, timedelta
from functools import partial
from typing import Final, Literal

from fleet.database import Tx
from fleet.decisions import Decision, Judge, Ruling, refused
from fleet.persons import same_person
from services.payouts import store

DAY: Final = timedelta(days=1)
_ABOUT: Final = {"adopt": "account", "link": "kind"}  # the parameter that says what exactly is asked for
_DONE: Final = {
    "adopt": "{about} is taken for {wallet}",
    "link": "a link to Stripe's {about} is made for {wallet}",
}


def by_two(judge: Judge, act: Literal["adopt", "link"]) -> Judge:
    """The same judge, which acts when a second person asks for the same."""
    return partial(_judged, judge=judge, act=act)


async def _judged(
    tx: Tx, decision: Decision, now: datetime, *, judge: Judge, act: Literal["adopt", "link"]
) -> Ruling:
    wallet, who = decision.object, decision.who.name
    if wallet in decision.who.roles:  # its holder
        return await judge(tx, decision, now)
    about = str(decision.parameters.get(_ABOUT[act]))
    await store.payees.lock(tx, [wallet])
    waiting = await store.account_words.waiting(tx, act, wallet, about, now - DAY)
    if waiting is not None and same_person(waiting.asked_by, who):
        return refused(f"{who} asked for this already: another person has to do the same")
    if waiting is not None:
        ruling = await judge(tx, decision, now)
        if ruling.done:
            await store.account_words.agree(tx, waiting.id, who, now)
        return ruling
    ruling = await _would(tx, decision, now, judge)
    if not ruling.done:
        return ruling
    await store.account_words.keep(
        tx, decision.decision_id, act, wallet, about, who=who, why=decision.why, now=now
    )
    what = _DONE[act].format(about=about, wallet=wallet)
    sentence = f"{what} when another person than {who} does the same within a day"
    return Ruling(done=True, sentence=sentence, effects=({"wallet": wallet, "waits_for": "a second person"},))


class _Undo(Exception):
    """Leaves the savepoint of what only was to be judged."""


async def _would(tx: Tx, decision: Decision, now: datetime, judge: Judge) -> Ruling:
    """What the judge says, without what it does."""
    ruling = refused("nothing was judged")
    try:
        async with tx.savepoint():
            ruling = await judge(tx, decision, now)
            raise _Undo
    except _Undo:
        return ruling
