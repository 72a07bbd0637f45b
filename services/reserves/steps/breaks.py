"""Give each part of the difference its name, propose what heals it, and close what healed by itself."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any, Final

from fleet import outbox
from fleet.database import Tx
from fleet.envelope import first_cause
from fleet.faults import fault_point
from services.reserves import store, wire
from services.reserves.domain import breaks
from services.reserves.domain.breaks import Break, Kind
from services.reserves.domain.policy import Policy
from services.reserves.store.breaks import KeptBreak

AT_ONCE: Final = 1_000
FIRST_JOURNAL: Final = "00000000-0000-0000-0000-000000000000"


async def keep(tx: Tx, day: date, today: date, policy: Policy, now: datetime) -> None:
    """Keep a break for all that is open or differs until a date; close those that are over."""
    settled_before = today - timedelta(days=policy.timing_days)
    chosen = await store.breaks.counterparts(tx)
    after = ""
    while lines := await store.breaks.open_lines(tx, day, after, AT_ONCE):
        found = [breaks.of_line(line, settled_before=settled_before) for line in lines]
        await _keep(tx, found, chosen, policy, now)
        after = lines[-1].transaction_id
    after = FIRST_JOURNAL
    while journals := await store.breaks.open_journals(tx, day, policy.timing_days, after, AT_ONCE):
        found = [breaks.of_journal(one, settled_before=settled_before) for one in journals]
        await _keep(tx, found, chosen, policy, now)
        after = journals[-1].journal_id
    found = [breaks.of_difference(one) for one in await store.breaks.differences(tx, day)]
    found += [
        breaks.of_opening(one.currency, one.amount, one.day, one.at)
        for one in await store.openings.differences(tx)
    ]
    await _keep(tx, found, chosen, policy, now)
    await store.breaks.close_gone(tx, now)
    await fault_point("reserves.breaks_kept")


async def _keep(tx: Tx, found: list[Break], chosen: dict[str, str], policy: Policy, now: datetime) -> None:
    await store.breaks.keep(tx, [_chosen(one, chosen) for one in found], policy.accepted_by_one_up_to, now)


def _chosen(found: Break, chosen: dict[str, str]) -> Break:
    wallet = chosen.get(found.subject)
    if wallet is None or found.proposal["kind"] != Kind.JOURNAL:
        return found
    return replace(found, proposal=breaks.through(found.proposal, wallet))


async def heal(tx: Tx, found: KeptBreak, now: datetime) -> str:
    """Do what was proposed for a break and accepted; what was done, in words."""
    proposal: dict[str, Any] = dict(found.proposal)
    kind = Kind(proposal["kind"])
    await store.breaks.asked_again(tx, found.id)
    if kind is Kind.JOURNAL:
        message = wire.reconciliation.journal_requested(found.currency, proposal, first_cause())
        await outbox.stage(tx, [message])
        return f"the ledger is asked to post {proposal['source']}"
    if kind is Kind.REVERT:
        message = wire.reconciliation.revert_requested(proposal, found.sentence, now, first_cause())
        await outbox.stage(tx, [message])
        return f"the ledger is asked to revert {proposal['reverts']}"
    await store.matches.leave(tx, found.subject.removeprefix("line:"), now)
    await store.breaks.close_gone(tx, now)
    return "nothing of the books moves"
