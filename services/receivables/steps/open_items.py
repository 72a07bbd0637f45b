"""Keeps students' open items as the ledger posted them. The caller commits."""

from collections.abc import Collection, Sequence

from fleet import dead_letters
from fleet.admitted import Admitted
from fleet.database import Tx
from fleet.dead_letters import Refusal
from fleet.faults import fault_point
from services.receivables import store
from services.receivables.domain.open_items import Account, Posted

NEWEST_MOST = 64  # few accounts have more items open
EVERY_ITEM = 2**31 - 1


async def take_posted(tx: Tx, posted: Sequence[Admitted[Posted]]) -> None:
    """Add what journals put on students' wallets; what the ledger does not have becomes a dead letter."""
    ours = [one for one in posted if one.event.of_students]
    if not ours:
        return
    lines = await store.open_items.read(tx, [one.event.journal_id for one in ours])
    there = {line.journal_id for line in lines}
    await dead_letters.bury(tx, [_not_there(one) for one in ours if one.event.journal_id not in there])
    accounts = {line.account for line in lines}
    await store.open_items.lock(tx, accounts)
    await store.open_items.add(tx, lines)
    await settle(tx, accounts)
    await store.credit_levels.mark(tx, {account.student for account in accounts})
    await fault_point("receivables.items_written")


async def settle(tx: Tx, accounts: Collection[Account]) -> None:
    """Say what is open of every item of locked accounts."""
    await store.open_items.name(tx, accounts)
    more = await store.open_items.settle(tx, accounts, most=NEWEST_MOST)
    if more:
        await store.open_items.settle(tx, more, most=EVERY_ITEM)


def _not_there(one: Admitted[Posted]) -> Refusal:
    return Refusal(
        admitted=one,
        reason="not_in_the_ledger",
        sentence=(
            f"journal {one.event.source} ({one.event.journal_id}) has no student's entry in the ledger: "
            "no account shows it; find out who published it (docs/operations/dead-letters.md), and discard it"
        ),
    )
