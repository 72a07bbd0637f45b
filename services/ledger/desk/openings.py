"""What people decide about opening balances: load lines of the books kept before, revert them, sign them.

Each function is the work of one transaction, which the caller opens and commits.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Final

from pydantic import ValidationError

from fleet import outbox
from fleet.database import Tx
from fleet.decisions import Action, Decision, Ruling, refused
from fleet.envelope import first_cause
from fleet.inbox import describe
from services.ledger import steps, store, wire
from services.ledger.domain.journals import JournalReply, PostedJournal, RefusedJournal
from services.ledger.domain.openings import (
    Signature,
    balance_hash,
    decide_load,
    left_after,
    left_open,
    load_effects,
    load_sentence,
    must_stay_at_zero,
    reverted_effects,
    reverted_sentence,
    stands_sentence,
    trial_effects,
)


async def load(tx: Tx, decision: Decision, now: datetime) -> Ruling:
    """Post the lines of a file that are not posted yet, all or none, and announce their journals.

    parameters: `wire.openings.LoadAsked`.
    """
    try:
        asked = wire.openings.LoadAsked.model_validate(dict(decision.parameters))
    except ValidationError as error:
        return refused(describe(error))
    known = await store.openings.known(tx, asked.as_of)
    wanted = decide_load(asked.read_lines(), known)
    if isinstance(wanted, str):
        return refused(wanted)
    left = left_after(wanted, known.values())
    if why_not := await _signed_stays_at_zero(tx, asked.as_of, left):
        return refused(why_not)
    journals = [wire.openings.line_journal(asked.as_of, asked.occurred_at, one) for one in wanted.new]
    replies = await steps.posting.post(tx, journals)
    if broken := next((one for one in replies if isinstance(one, RefusedJournal)), None):
        return refused(broken.sentence)
    posted = [reply for reply in replies if isinstance(reply, PostedJournal)]
    await store.openings.insert(tx, asked.as_of, wanted.new, [one.journal.journal_id for one in posted])
    await _announce(tx, posted)
    sentence = load_sentence(asked.as_of, wanted, left)
    return Ruling(done=True, sentence=sentence, effects=tuple(load_effects(wanted)))


async def revert(tx: Tx, decision: Decision, now: datetime) -> Ruling:
    """Take back the lines that are meant, all or none; loaded again they are posted anew.

    parameters: `wire.openings.RevertAsked`.
    """
    try:
        asked = wire.openings.RevertAsked.model_validate(dict(decision.parameters))
    except ValidationError as error:
        return refused(describe(error))
    known = (await store.openings.known(tx, asked.as_of)).values()
    meant = asked.chosen().among(known)
    if not meant:
        return refused(
            f"no opening line as of {asked.as_of.isoformat()} that stands is meant; look at them with "
            "hobbs opening show --lines"
        )
    gone = {one.about for one in meant}
    left = left_open((one.about.currency, one.moved) for one in known if one.stands and one.about not in gone)
    if why_not := await _signed_stays_at_zero(tx, asked.as_of, left):
        return refused(why_not)
    replies = await steps.reverts.revert(tx, [wire.openings.line_revert(one, decision.why) for one in meant])
    if broken := next((one for one in replies if isinstance(one, RefusedJournal)), None):
        return refused(broken.sentence)
    await _announce(tx, replies)
    sentence = reverted_sentence(asked.as_of, meant, left)
    return Ruling(done=True, sentence=sentence, effects=tuple(reverted_effects(meant)))


async def sign(tx: Tx, decision: Decision, now: datetime) -> Ruling:
    """Sign the trial balance of an opening that is complete: `external:opening` is at zero from then on."""
    try:
        as_of = wire.openings.SignAsked.model_validate(dict(decision.parameters)).as_of
    except ValidationError as error:
        return refused(describe(error))
    known = [one for one in (await store.openings.known(tx, as_of)).values() if one.stands]
    if not known:
        return refused(
            f"no opening line as of {as_of.isoformat()} stands; load them first (hobbs opening load)"
        )
    if left := left_open((one.about.currency, one.moved) for one in known):
        return refused(
            f"{stands_sentence(left)}: load what is missing; what is the school's own is of kind school"
        )
    newest, of = await store.openings.newest_signature(tx, as_of), balance_hash(known)
    if newest is not None and newest.signs and newest.of == of:
        return refused(f"{newest.who} has signed this trial balance already")
    signature = Signature(signs=True, of=of, who=decision.who.name)
    await store.openings.sign(tx, as_of, signature, decision.why, decision.decision_id)
    sentence = f"the opening as of {as_of.isoformat()} is signed: {len(known)} lines, trial balance {of[:12]}"
    return Ruling(done=True, sentence=sentence, effects=tuple(trial_effects(known)))


async def reopen(tx: Tx, decision: Decision, now: datetime) -> Ruling:
    """Take a signature back, so that lines can be reverted and loaded one by one again."""
    try:
        as_of = wire.openings.SignAsked.model_validate(dict(decision.parameters)).as_of
    except ValidationError as error:
        return refused(describe(error))
    newest = await store.openings.newest_signature(tx, as_of)
    if newest is None or not newest.signs:
        return refused(f"the opening as of {as_of.isoformat()} is not signed")
    signature = Signature(signs=False, of=newest.of, who=decision.who.name)
    await store.openings.sign(tx, as_of, signature, decision.why, decision.decision_id)
    return Ruling(
        done=True, sentence=f"the opening as of {as_of.isoformat()}, signed by {newest.who}, is open again"
    )


async def _signed_stays_at_zero(tx: Tx, as_of: date, left: Mapping[str, int]) -> str | None:
    newest = await store.openings.newest_signature(tx, as_of)
    return must_stay_at_zero(as_of, left) if newest is not None and newest.signs else None


async def _announce(tx: Tx, replies: Sequence[JournalReply]) -> None:
    posted = [one for one in replies if isinstance(one, PostedJournal)]
    await outbox.stage(tx, [wire.journals.journal_posted(one, first_cause()) for one in posted])


ACTIONS: Final[Mapping[str, Action]] = {
    "load_opening": Action(judge=load),
    "revert_opening": Action(judge=revert),
    "sign_opening": Action(judge=sign),
    "reopen_opening": Action(judge=reopen),
}
