"""What people decide about opening balances: load lines of the books kept before.

Each function is the work of one transaction, which the caller opens and commits.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from pydantic import ValidationError

from fleet import outbox
from fleet.database import Tx
from fleet.decisions import Action, Decision, Ruling, refused
from fleet.envelope import first_cause
from fleet.inbox import describe
from services.ledger import steps, store, wire
from services.ledger.domain.journals import PostedJournal, RefusedJournal
from services.ledger.domain.openings import decide_load, left_after, load_effects, load_sentence


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
    journals = [wire.openings.line_journal(asked.as_of, asked.occurred_at, one) for one in wanted.new]
    replies = await steps.posting.post(tx, journals)
    if broken := next((one for one in replies if isinstance(one, RefusedJournal)), None):
        return refused(broken.sentence)
    posted = [reply for reply in replies if isinstance(reply, PostedJournal)]
    await store.openings.insert(tx, asked.as_of, wanted.new, [one.journal.journal_id for one in posted])
    await outbox.stage(tx, [wire.journals.journal_posted(one, first_cause()) for one in posted])
    sentence = load_sentence(asked.as_of, wanted, left_after(wanted, known.values()))
    return Ruling(done=True, sentence=sentence, effects=tuple(load_effects(wanted)))


ACTIONS: Final[Mapping[str, Action]] = {
    "load_opening": Action(judge=load),
}
