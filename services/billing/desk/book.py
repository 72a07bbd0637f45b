"""The school's book changed by people: what `hobbs school apply` finds in a file, as one version of the book.

Once the book has billed and two people have logins of their own, a version is two people's: the second asks
for the same within a day, from the same file. Who joins the school is one person's (domain/book_by_two.py).
"""

import hashlib
import json
from datetime import datetime, timedelta
from typing import Any, Final

from pydantic import ValidationError

from fleet import inbox, vouches
from fleet.database import Tx
from fleet.decisions import SENTENCE_CHARS_MAX, Action, Decision, Ruling, refused
from fleet.persons import same_person
from schemas.school import SchoolConfigured
from services.billing import steps, store, wire
from services.billing.domain import book_by_two
from services.billing.domain.versions import ChangeSet

BOOK: Final = "school"
CARDS_MAX: Final = 200  # in one version: more are several
DAY: Final = timedelta(days=1)


async def change(tx: Tx, decision: Decision, now: datetime) -> Ruling:
    """Make the book's next version, whole, or say why not. object: "school".

    parameters: `base_version`, the book's as the person saw it; `changes`, cards as in `school.configured`.
    """
    asked = _asked(decision)
    if isinstance(asked, str):
        return refused(asked)
    changes = wire.events.change_set_of(asked)
    version = await store.book.lock(tx)
    if refusal := await steps.versions.refusal_of(tx, changes, version=version):
        return refused(refusal.sentence)
    agreed = await _agreed(tx, decision, changes, now)
    if isinstance(agreed, Ruling):
        return agreed
    named = str(decision.decision_id)
    event_key = await steps.versions.apply_decided(tx, agreed, named, dry_run=decision.dry_run)
    effect = {"version": changes.version, "event": str(event_key)}
    return Ruling(done=True, sentence=f"the book is at version {changes.version}", effects=(effect,))


def _asked(decision: Decision) -> SchoolConfigured | str:
    """The version as it would be published, or what is wrong with it."""
    if decision.object != BOOK:
        return f"there is no book {decision.object}; the school's is called {BOOK}"
    if not decision.why.strip():
        return "say why: the reason stays in the book's history"
    base, changes = (decision.parameters.get(name) for name in ("base_version", "changes"))
    if isinstance(base, bool) or not isinstance(base, int):
        return "say which version of the book it changes (base_version)"
    if not isinstance(changes, list) or not 1 <= len(changes) <= CARDS_MAX:
        return f"name 1 to {CARDS_MAX} cards (changes)"
    said: dict[str, Any] = {
        "version": base + 1,
        "base_version": base,
        "who": decision.who.name,
        "why": decision.why,
        "at": decision.requested_at.replace(microsecond=0),  # the same event, should it be decided again
        "changes": changes,
    }
    try:
        return SchoolConfigured.model_validate(said)
    except ValidationError as error:
        return inbox.describe(error)


async def _agreed(tx: Tx, decision: Decision, changes: ChangeSet, now: datetime) -> ChangeSet | Ruling:
    """The change set as it stands in the history, or the ruling that it waits for another person."""
    if await _is_one_persons(tx, changes):
        return changes
    who, why = decision.who.name, decision.why
    digest = await _digest(tx, changes)
    word = await store.book_words.waiting(tx, digest, now - DAY)
    if word is None:
        await store.book_words.keep(tx, decision.decision_id, digest, who=who, why=why, now=now)
        number = len(changes.changes)
        cards = "1 card changes" if number == 1 else f"{number} cards change"
        sentence = f"{cards} when another person than {who} applies the same within a day"
        return Ruling(done=True, sentence=sentence, effects=({"waits_for": "a second person"},))
    if same_person(word.asked_by, who):
        return refused(f"{who} asked for this already: another person has to apply the same")
    await store.book_words.agree(tx, word.id, who, now)
    return ChangeSet(
        version=changes.version,
        base_version=changes.base_version,
        who=word.asked_by,
        why=f"{word.why} (agreed by {who}: {why})"[:SENTENCE_CHARS_MAX],
        at=changes.at,
        changes=changes.changes,
    )


async def _is_one_persons(tx: Tx, changes: ChangeSet) -> bool:
    _, has_bills = await store.book.currency(tx)
    if not has_bills or book_by_two.is_one_persons(changes, await store.book.known_cards(tx)):
        return True
    return await vouches.deciders(tx) < book_by_two.DECIDERS_LEAST


async def _digest(tx: Tx, changes: ChangeSet) -> bytes:
    """Name what two people agree to: each card as it is in the book, and as it would be."""
    standing = await store.book.standing(tx, changes)
    said = sorted(
        [
            *(one.kind, one.key, one.effective_from.isoformat()),
            standing.get((one.kind, one.key, one.effective_from)),
            one.document,
        ]
        for one in changes.changes
    )
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).digest()


ACTIONS: Final = {
    # What two people agree to is taken over by a rebuild; the book itself is in `school.configured`.
    "change_book": Action(judge=change, changes_tables=False),
}
