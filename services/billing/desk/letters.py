"""What people decide about a refused flight: it is told again with other facts, as an event of its own.

The event goes on the flight's topic, so whoever reads the topic again, and a service that is made anew, finds
what was billed. The letter is closed and keeps what came. Which flight it is, and which revision, stays.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import orjson
from pydantic import ValidationError

from fleet import dead_letters, inbox, outbox
from fleet.database import Tx
from fleet.decisions import Action, Decision, Ruling, refused
from fleet.envelope import Message, derived_key, first_cause
from schemas.flights import FlightCompleted, FlightCorrected
from services.billing import store
from services.billing.desk import preview
from services.billing.domain.bills import Bill

MODELS: Final[Mapping[str, type[FlightCompleted]]] = {
    "flight.completed": FlightCompleted,
    "flight.corrected": FlightCorrected,
}
KEPT: Final = frozenset({"flight_id", "revision", "billed_by"})
FACT_CHARS_MAX: Final = 500


def facts_of(topic: str, document: Mapping[str, Any]) -> dict[str, str]:
    """What a person may change of a record, in the order of the event's fields: texts, empty for none."""
    return {name: _text(document.get(name)) for name in MODELS[topic].model_fields if name not in KEPT}


def _text(value: Any) -> str:
    return "" if value is None else str(value)


async def correct(tx: Tx, decision: Decision, now: datetime) -> Ruling:
    """Tell a refused flight again with other facts, and close its letter.

    object: the letter's id. parameters: `facts`, a text for each field that a person wrote, "" for none.
    """
    told = decision.parameters.get("facts")
    if not isinstance(told, dict) or not all(_is_fact(name, text) for name, text in told.items()):
        return refused(f"say the facts: a text of at most {FACT_CHARS_MAX} characters for each field")
    if not decision.why.strip():
        return refused("say why: the reason stays with the letter")
    letter = await store.letters.lock_open(tx, _uuid(decision.object), sorted(MODELS))
    document = _document(letter.value) if letter else None
    if letter is None or document is None:
        return refused("there is no open letter of a flight with this id whose content can be read")
    before = facts_of(letter.topic, document)
    if unknown := sorted(told.keys() - before.keys()):
        return refused(f"these are no facts that can be changed: {', '.join(unknown)}")
    after = {name: text.strip() for name, text in told.items() if text.strip() != before[name]}
    if not after:
        return refused("nothing is changed: to have it processed as it came, send it again")
    changed = {name: text or None for name, text in after.items()}
    try:
        event = MODELS[letter.topic].model_validate(document | changed)
    except ValidationError as error:
        return refused(f"it would be refused again: {inbox.describe(error)}")
    result = await _would_do(tx, event)
    if isinstance(result, str):
        return refused(f"it would be refused again: {result}")
    event_id = derived_key(letter.topic, "corrected", str(decision.decision_id))
    key = (letter.key or event.flight_id.encode()).decode("utf-8", "replace")
    await outbox.stage(
        tx, [Message(topic=letter.topic, key=key, event=event, cause=first_cause(), event_id=event_id)]
    )
    why = f"told again with {', '.join(sorted(after))} corrected: {decision.why}"
    await dead_letters.discard(tx, [_uuid(decision.object)], who=decision.who.name, why=why)
    facts = tuple({"setting": n, "before": before[n] or "–", "after": t or "–"} for n, t in after.items())
    return Ruling(
        done=True,
        sentence=f"{event.flight_id}, revision {event.revision}, is told again with what is changed",
        effects=(*facts, *result),
    )


def _is_fact(name: Any, text: Any) -> bool:
    return isinstance(name, str) and isinstance(text, str) and len(text) <= FACT_CHARS_MAX


def _uuid(text: str) -> UUID:
    """An id; one that no letter has for what is none."""
    try:
        return UUID(text)
    except ValueError:
        return UUID(int=0)


def _document(value: bytes) -> dict[str, Any] | None:
    try:
        found = orjson.loads(value)
    except orjson.JSONDecodeError:
        return None
    return found if isinstance(found, dict) else None


async def _would_do(tx: Tx, event: FlightCompleted) -> tuple[Mapping[str, Any], ...] | str:
    """What the flight would leave on each wallet, or why it would be refused."""
    if isinstance(event, FlightCorrected):
        [one] = await preview.revisions(tx, [event])
        if one.state == "refused":
            return one.sentence
        changes, currency = one.differences(), one.currency
    else:
        [result] = await preview.results(tx, [event])
        if not isinstance(result, Bill):
            return result.sentence
        changes, currency = dict(result.entries()), result.currency
    return tuple(
        {"wallet": wallet, "amount": amount, "currency": currency} for wallet, amount in changes.items()
    )


ACTIONS: Final = {
    # What follows is in the flight's topic, so a rebuild has it.
    "correct_letter": Action(judge=correct, changes_tables=False),
}
