"""What people may decide about flights that other software billed: amounts by hand, which others approve."""

from datetime import datetime
from typing import Final

from fleet.database import Tx
from fleet.decisions import Action, Decision, Ruling, refused
from fleet.envelope import first_cause
from services.adjustments import steps, store
from services.adjustments.desk.decisions import parties
from services.adjustments.domain import flights, manual


async def amend(tx: Tx, decision: Decision, now: datetime) -> Ruling:
    """Propose amounts for a flight that was billed elsewhere; nothing moves before a person approves them.

    object: the flight. parameters: `amounts`, minor units by wallet; the school takes what is left. An amount
    that still waits is superseded.
    """
    flight = await store.flights.billed_elsewhere(tx, decision.object)
    if flight is None:
        return refused(
            f"no flight {decision.object} was billed elsewhere; `hobbs flights correct` corrects others"
        )
    amounts = decision.parameters.get("amounts")
    if not isinstance(amounts, dict):
        return refused("amounts: wallets and their minor units")
    if objection := manual.refused_amounts(flight, amounts):
        return refused(objection)
    if not decision.why.strip():
        return refused("an amount by hand needs a reason (--why)")
    await store.flights.know(tx, {flight.flight_id: flight.first})
    await store.flights.lock(tx, [flight.flight_id])
    known = await store.adjustments.of_flights(tx, [flight.flight_id])
    if flights.under_way(known):
        return refused(
            f"an earlier amount of flight {flight.flight_id} is under way: ask again when it is posted"
        )
    revision = manual.by_hand(flight, known, amounts, made_by=decision.who.name, reason=decision.why, now=now)
    made = await steps.proposals.propose_one(tx, revision, known, first_cause(), now)
    replaced = "".join(f"; {move.adjustment.name} is superseded" for move in made.superseded)
    return Ruling(
        done=True,
        sentence=f"adjustment {made.adjustment.name} {made.adjustment.sentence}{replaced}",
        effects=tuple(parties(made.adjustment)),
    )


ACTIONS: Final = {"amend": Action(judge=amend)}
