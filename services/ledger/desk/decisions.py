"""What people decide about the books: journals by hand, reverts, monitors, the end of a period.

Each function is the work of one transaction, which the caller opens and commits. Each decision has a preview
that changes nothing.
"""

from collections.abc import Sequence
from datetime import datetime

from pydantic import TypeAdapter, ValidationError

from fleet import outbox
from fleet.database import Tx
from fleet.envelope import first_cause
from fleet.inbox import describe
from schemas.journals import JournalRequested
from services.ledger import steps, store, wire
from services.ledger.desk import reads
from services.ledger.domain.holds import NotDone
from services.ledger.domain.journals import Answer, JournalRequest, Posted
from services.ledger.domain.monitors import MonitorCommand, MonitorNow, monitor_fault
from services.ledger.domain.posting import Rehearsal
from services.ledger.domain.reverts import RevertRequest

_JOURNALS = TypeAdapter(list[JournalRequested])


def read_requests(text: str) -> list[JournalRequest]:
    """Read a JSON list of journal.requested bodies. Raises ValueError with a sentence."""
    try:
        return [wire.journals.request_of(asked, None) for asked in _JOURNALS.validate_json(text)]
    except ValidationError as error:
        raise ValueError(describe(error)) from None


async def post(tx: Tx, requests: Sequence[JournalRequest], *, group: str | None = None) -> list[Answer]:
    """Post journals by hand and announce them; with `group`, all of them or none, under this name."""
    if group is None:
        return await _announced(tx, await steps.posting.post(tx, requests))
    return await _announced(tx, await steps.groups.post_together(tx, group, requests))


async def preview_post(tx: Tx, requests: Sequence[JournalRequest]) -> Rehearsal:
    """What posting these journals would answer now, one by one. Locks and writes nothing."""
    return await steps.preview.rehearse(tx, requests)


async def revert(tx: Tx, asked: RevertRequest) -> list[Answer]:
    """Take back what a journal moved, once, and announce it."""
    return await _announced(tx, await steps.reverts.revert(tx, [asked]))


async def preview_revert(tx: Tx, asked: RevertRequest) -> Rehearsal:
    """What reverting this journal would answer now. Locks and writes nothing."""
    return await steps.preview.rehearse(tx, await steps.reverts.reversals(tx, [asked]))


async def set_monitor(tx: Tx, command: MonitorCommand) -> MonitorNow | NotDone:
    """Set a monitor, or its threshold anew. What is beyond it already is told at once."""
    if fault := monitor_fault(command):
        return fault
    try:
        async with store.constraints.all_or_rejected(tx):
            changed = await store.monitors.set_monitor(tx, command)
    except store.constraints.Rejected as rejected:
        return NotDone(reason=rejected.rule, sentence=rejected.sentence)
    [monitor] = await reads.monitors.list_monitors(tx, monitor=command.monitor)
    return MonitorNow(monitor=monitor, repeated=not changed)


async def preview_monitor(tx: Tx, command: MonitorCommand) -> MonitorNow | NotDone:
    """What setting a monitor would come to, by doing and undoing it: the wallet is locked until `tx` ends."""
    outcome: list[MonitorNow | NotDone] = []
    try:
        async with tx.savepoint():
            outcome.append(await set_monitor(tx, command))
            raise _Undo
    except _Undo:
        return outcome[0]


class _Undo(Exception):
    pass


async def remove_monitor(tx: Tx, monitor: str, memo: str = "") -> bool:
    """Remove a monitor; false: there is none. One that is beyond tells that this is over."""
    return await store.monitors.remove_monitor(tx, monitor, memo)


async def close_period(tx: Tx, until: datetime, memo: str) -> None:
    """Close everything that occurred before an instant. The database refuses one that is not over."""
    await store.periods.close(tx, until, memo)


async def _announced(tx: Tx, answers: list[Answer]) -> list[Answer]:
    posted = [answer for answer in answers if isinstance(answer, Posted)]
    await outbox.stage(tx, [wire.journals.journal_posted(answer, first_cause()) for answer in posted])
    return answers
