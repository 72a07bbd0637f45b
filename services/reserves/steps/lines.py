"""Keep both sides of the comparison: each line and each journal once, on a date that is not signed."""

from collections.abc import Sequence
from datetime import date

from fleet.database import Tx
from fleet.faults import fault_point
from services.reserves import store
from services.reserves.domain.lines import BookLine, Calendar, Moved, StripeLine, newest, totals
from services.reserves.store.lines import KnownLine


async def keep_lines(tx: Tx, shown: Sequence[StripeLine]) -> None:
    """Keep rows of Stripe's balance; one that is shown differently is compared anew."""
    lines = newest(shown)
    if not lines:
        return
    calendar = await store.lines.lock_calendar(tx)
    dated = [(line, calendar.day_of(line.made_at)) for line in lines.values()]
    new = await store.lines.insert_lines(tx, dated)
    moves = [
        Moved(currency=line.currency, day=day, stripe=line.counts)
        for line, day in dated
        if line.transaction_id in new
    ]
    known = await store.lines.lock_known(tx, sorted(lines.keys() - new))
    for key, was in known.items():
        if lines[key].is_newer_than(was.version, was.noted_at):
            moves += await _replace(tx, lines[key], was, calendar)
    await store.lines.add_totals(tx, totals(moves))
    await fault_point("reserves.lines_kept")


async def _replace(tx: Tx, line: StripeLine, was: KnownLine, calendar: Calendar) -> list[Moved]:
    """Keep another showing of a line; how the totals change. A signed day stays as it was."""
    currency, stands = was.content["currency"], was.counted + was.changed_by
    if calendar.is_frozen(was.day):
        await store.lines.replace(tx, line, was, was.day, was.counted)
        moves = _differences(line, currency, stands, calendar.day_of(line.made_at))
        for move in moves:
            await store.lines.add_change(tx, line, move.currency, move.day, move.stripe)
    else:
        day = calendar.day_of(line.made_at)
        await store.lines.replace(tx, line, was, day, line.counts - was.changed_by)
        moves = [
            Moved(currency=currency, day=was.day, stripe=-was.counted),
            Moved(currency=line.currency, day=day, stripe=line.counts - was.changed_by),
        ]
    if line.is_other_than(was.content):
        await store.matches.reopen(tx, line.transaction_id)
    return moves


def _differences(line: StripeLine, currency: str, stands: int, day: date) -> list[Moved]:
    if currency == line.currency:
        differences = {currency: line.counts - stands}
    else:
        differences = {currency: -stands, line.currency: line.counts}
    return [Moved(currency=c, day=day, stripe=amount) for c, amount in differences.items() if amount]


async def keep_journals(tx: Tx, journals: Sequence[BookLine]) -> None:
    """Keep journals that move Stripe's cash, each once however often the ledger publishes it."""
    if not journals:
        return
    calendar = await store.lines.lock_calendar(tx)
    dated = [(one, calendar.day_of(one.occurred_at)) for one in {j.journal_id: j for j in journals}.values()]
    new = await store.lines.insert_journals(tx, dated)
    moves = [
        Moved(currency=one.currency, day=day, books=-one.amount)
        for one, day in dated
        if one.journal_id in new
    ]
    await store.lines.add_totals(tx, totals(moves))
    await fault_point("reserves.journals_kept")
