"""What people decide about the books: journals by hand, reverts, monitors, the end of a period.

Each function is the work of one transaction, which the caller opens and commits. Previews change nothing.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from pydantic import TypeAdapter, ValidationError

from fleet import outbox
from fleet.database import Tx
from fleet.decisions import Action, Decision, Ruling, refused
from fleet.envelope import first_cause
from fleet.inbox import describe
from schemas.holds import HoldRequested, LimitRequested
from schemas.journals import JournalRequested
from services.ledger import steps, store, wire
from services.ledger.desk import by_hand, reads
from services.ledger.domain.holds import (
    RefusedCommand,
    balances_moved,
    hold_effects,
    hold_sentence,
    journal_ids,
    limit_effects,
    limit_sentence,
    opening_sentence,
)
from services.ledger.domain.journals import (
    JournalReply,
    JournalRequest,
    PostedJournal,
)
from services.ledger.domain.monitors import MonitorChange, MonitorCommand, monitor_fault
from services.ledger.domain.posting import PostingPreview
from services.ledger.domain.reverts import RevertRequest
from services.ledger.domain.wallets import BalanceKey

_JOURNALS = TypeAdapter(list[JournalRequested])


def read_requests(text: str) -> list[JournalRequest]:
    """Read a JSON list of journal.requested bodies. Raises ValueError with a sentence."""
    try:
        return [wire.journals.request_of(body, None) for body in _JOURNALS.validate_json(text)]
    except ValidationError as error:
        raise ValueError(describe(error)) from None


async def post(tx: Tx, requests: Sequence[JournalRequest], *, group: str | None = None) -> list[JournalReply]:
    """Post journals by hand and announce them; a reply for each. group: all or none, under this name.

    A journal that belongs to a service is refused, and one that needs a second person waits (by_hand.py).
    """
    allowed = await by_hand.agreed(tx, [wire.journals.for_people(request) for request in requests])
    if group is None:
        return await _announced(tx, await steps.posting.post(tx, allowed))
    return await _announced(tx, await steps.groups.post_group(tx, group, allowed))


async def preview_post(
    tx: Tx, requests: Sequence[JournalRequest], *, group: str | None = None
) -> PostingPreview:
    """What posting these journals would reply now. Writes nothing; a group locks its wallets meanwhile."""
    allowed = [wire.journals.for_people(request) for request in requests]
    if group is None:
        return await steps.preview.preview(tx, allowed)
    return await steps.preview.preview_group(tx, group, allowed)


async def revert(tx: Tx, request: RevertRequest) -> list[JournalReply]:
    """Revert a journal, once, and announce the revert; one that needs a second person waits (by_hand.py)."""
    waits = await by_hand.agreed(tx, await steps.reverts.reversals(tx, [request]))
    if by_hand.waits_for_a_second(waits[0]):
        return [waits[0]]
    return await _announced(tx, await steps.reverts.revert(tx, [request]))


async def preview_revert(tx: Tx, request: RevertRequest) -> PostingPreview:
    """What reverting this journal would reply now. Locks and writes nothing."""
    return await steps.preview.preview(tx, await steps.reverts.reversals(tx, [request]))


async def asked_by_hand(tx: Tx, requests: Sequence[JournalRequest]) -> dict[str, str]:
    """Which of these journals need a second person, and why, by source. Writes nothing."""
    return await by_hand.would_wait(tx, [wire.journals.for_people(request) for request in requests])


async def asked_revert(tx: Tx, request: RevertRequest) -> dict[str, str]:
    """The same of a revert."""
    return await by_hand.would_wait(tx, await steps.reverts.reversals(tx, [request]))


async def set_monitor(tx: Tx, command: MonitorCommand) -> MonitorChange | RefusedCommand:
    """Set a monitor, or change its threshold. A balance that is beyond it already is a crossing at once."""
    if fault := monitor_fault(command):
        return fault
    try:
        async with store.constraints.savepoint(tx):
            changed = await store.monitors.set_monitor(tx, command)
    except store.constraints.ConstraintViolated as violated:
        return RefusedCommand(reason=violated.rule, sentence=violated.sentence)
    [monitor] = await reads.monitors.list_monitors(tx, monitor=command.monitor)
    return MonitorChange(monitor=monitor, repeated=not changed)


async def preview_monitor(tx: Tx, command: MonitorCommand) -> MonitorChange | RefusedCommand:
    """What setting a monitor would give, found by setting it and undoing that: `tx` locks the wallet."""
    changes: list[MonitorChange | RefusedCommand] = []
    try:
        async with tx.savepoint():
            changes.append(await set_monitor(tx, command))
            raise _Undo
    except _Undo:
        return changes[0]


class _Undo(Exception):
    """Undoes a preview."""


async def remove_monitor(tx: Tx, monitor: str, memo: str = "") -> bool:
    """Remove a monitor; false: there is none. If it is beyond its threshold, it publishes a last crossing."""
    return await store.monitors.remove_monitor(tx, monitor, memo)


async def close_period(tx: Tx, until: datetime, memo: str) -> RefusedCommand | None:
    """Close every period before an instant. None: it is closed; refused: it is not over, or was before."""
    try:
        async with store.constraints.savepoint(tx):
            await store.periods.close(tx, until, memo)
    except store.constraints.ConstraintViolated as violated:
        return RefusedCommand(reason=violated.rule, sentence=violated.sentence)
    return None


async def preview_close(tx: Tx, until: datetime, memo: str) -> RefusedCommand | None:
    """Why closing would be refused now, found by closing and undoing that; None: it would not be."""
    refusals: list[RefusedCommand | None] = []
    try:
        async with tx.savepoint():
            refusals.append(await close_period(tx, until, memo))
            raise _Undo
    except _Undo:
        return refusals[0]


async def change_hold(tx: Tx, decision: Decision, now: datetime) -> Ruling:
    """Place, post or void a hold, and announce it as the reply to a `hold.requested` is.

    object: the hold's name. parameters: what `hold.requested` has for the action; the reason is the memo.
    The effects are what changes on each wallet.
    """
    action = decision.action.removesuffix("_hold")
    given = {**decision.parameters, "action": action, "hold": decision.object, "memo": decision.why}
    try:
        command = wire.holds.hold_command(HoldRequested.model_validate(given))
    except ValidationError as error:
        return refused(describe(error))
    new = await _not_open(tx, balances_moved([command], await store.holds.placed_on(tx, [command.hold])))
    [reply] = await steps.holds.change(tx, [command])
    if isinstance(reply, RefusedCommand):
        return refused(reply.sentence)
    if not reply.repeated:
        journals = await store.journals.posted(tx, journal_ids([reply]))
        await outbox.stage(tx, wire.holds.changed_messages(reply, journals, first_cause()))
    sentence = hold_sentence(reply, command.to_wallet) + opening_sentence(new)
    return Ruling(done=True, sentence=sentence, effects=tuple(hold_effects(reply, command.to_wallet)))


async def change_limit(tx: Tx, decision: Decision, now: datetime) -> Ruling:
    """Set or clear a wallet's limit, and announce it as the reply to a `limit.requested` is.

    object: the wallet. parameters: currency; to set one, floor and binds.
    """
    clears = decision.action == "clear_limit"
    given = {**decision.parameters, "wallet": decision.object} | ({"floor": None} if clears else {})
    try:
        asked = LimitRequested.model_validate(given)
    except ValidationError as error:
        return refused(describe(error))
    if not clears and asked.floor is None:
        return refused("say what the available balance may not go below: parameters.floor")
    key = (asked.wallet, asked.currency)
    new = await _not_open(tx, [key])
    if clears and (new or (await store.holds.read_limit(tx, *key, repeated=True)).floor is None):
        return refused(f"{asked.wallet} has no limit in {asked.currency}")
    [reply] = await steps.holds.limit(tx, [wire.holds.limit_command(asked)])
    if isinstance(reply, RefusedCommand):
        return refused(reply.sentence)
    if not reply.repeated:
        await outbox.stage(tx, [wire.holds.limit_changed(reply, first_cause())])
    sentence = limit_sentence(reply) + opening_sentence(new)
    return Ruling(done=True, sentence=sentence, effects=tuple(limit_effects(reply)))


async def _not_open(tx: Tx, keys: Sequence[BalanceKey]) -> list[BalanceKey]:
    there = await store.balances.read(tx, keys)
    return [key for key in keys if key not in there]


async def _announced(tx: Tx, replies: list[JournalReply]) -> list[JournalReply]:
    posted = [reply for reply in replies if isinstance(reply, PostedJournal)]
    await outbox.stage(tx, [wire.journals.journal_posted(reply, first_cause()) for reply in posted])
    return replies


ACTIONS: Final[Mapping[str, Action]] = {
    "place_hold": Action(judge=change_hold),
    "post_hold": Action(judge=change_hold),
    "void_hold": Action(judge=change_hold),
    "set_limit": Action(judge=change_limit),
    "clear_limit": Action(judge=change_limit),
}
