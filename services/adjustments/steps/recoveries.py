"""Proposes to recover from payees what a lost dispute took, if the policy says so (decision 0226)."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from fleet.admitted import Admitted
from fleet.database import Tx
from services.adjustments import store
from services.adjustments.domain import flights, recoveries
from services.adjustments.domain.flights import FirstBill, Revision
from services.adjustments.domain.proposals import Terms
from services.adjustments.domain.recoveries import Billed, Line, Lost, Won
from services.adjustments.steps import proposals


async def take(tx: Tx, ended: Sequence[Admitted[Lost | Won]], now: datetime) -> None:
    """Propose what lost disputes let recover, and give back what was recovered of those won after all."""
    if not ended:
        return
    by = await proposals.terms(tx, now)
    revised: list[Admitted[Revision]] = []
    for one in ended:
        end = one.event
        found = await _given_back(tx, end) if isinstance(end, Won) else await _recovered(tx, end, by)
        revised += [Admitted(revision, one.record, one.event_key, one.cause) for revision in found]
    await proposals.propose(tx, revised, now)


async def _recovered(tx: Tx, lost: Lost, by: Terms) -> list[Revision]:
    charge = (
        await store.recoveries.charge_of(tx, lost.dispute_id) if by.policy.recover_lost_disputes else None
    )
    if charge is None:
        return []
    lines = await store.recoveries.lines_before(tx, lost)
    paid = recoveries.paid_with(lines, recoveries.of_charge(charge, lines), lost.amount)
    found = await _standing(tx, lines, sorted(paid), by.zone)
    proposed = [recoveries.recover(lost, flight, paid[flight.flight_id]) for flight in found]
    return [revision for revision in proposed if revision is not None]


async def _standing(tx: Tx, lines: Sequence[Line], names: Sequence[str], zone: str) -> list[Billed]:
    """These flights as they stand now: first bills from the ledger, and the corrections that stand here."""
    sources = {str(recoveries.flight_of(one.source)): one.source for one in lines if recoveries.is_bill(one)}
    billed = await store.recoveries.billed(
        tx, {name: sources[name] for name in names if name in sources}, zone
    )
    known = proposals.by_flight(await store.adjustments.of_flights(tx, billed))
    found = []
    for name, flight in billed.items():
        first = FirstBill(currency="", source=flight.source, entries=flight.standing)
        found.append(replace(flight, standing=flights.standing(first, known.get(name, []))))
    return found


async def _given_back(tx: Tx, won: Won) -> list[Revision]:
    firsts = await store.recoveries.of_disputes(tx, [won.dispute_id])
    known = await store.adjustments.of_flights(tx, firsts)
    return [
        recoveries.give_back(won, firsts[one.flight_id], one)
        for one in known
        if one.revision == recoveries.RECOVERED
    ]
