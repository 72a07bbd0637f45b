"""Dead letters: records that a service could not process."""

from typing import Any
from uuid import UUID

from fastapi.responses import Response

from console import catalogue
from console.context import Visit
from console.guard import Missing, Pages
from console.mending import mend_of
from console.pages.lists import list_page
from console.reads import letters as reads
from console.roles import STAFF
from console.wording import words
from services.billing.desk.letters import MODELS, facts_of

pages = Pages()


@pages.get("/dead", STAFF)
async def letters(visit: Visit) -> Response:
    async with visit.reading() as tx:
        groups = await reads.groups(tx)
    acts = catalogue.allowed(visit.person, "redrive", "discard")
    return await list_page(visit, reads.LETTERS, template="letters.html", acts=acts, groups=groups)


@pages.get("/dead/{service}/{letter_id}", STAFF)
async def letter(visit: Visit, service: str, letter_id: UUID) -> Response:
    """One letter: what it is about and what is wrong; of a refused flight what it says, to correct it.

    Any other payload is for `hobbs dead show --payload`.
    """
    async with visit.reading() as tx:
        found = await reads.letter(tx, service, letter_id)
    if found is None:
        raise Missing
    acts = catalogue.allowed(visit.person, "redrive", "discard") if found["state"] == "open" else []
    facts, correcting = await _facts(visit, found), catalogue.allowed(visit.person, "correct_letter")
    return visit.page(
        "letter.html",
        found=found,
        acts=acts,
        mend=mend_of(found["reason"]),
        correcting=correcting if facts else [],
        values={"facts": [(name, words(name).capitalize(), text) for name, text in facts.items()]},
    )


async def _facts(visit: Visit, found: dict[str, Any]) -> dict[str, str]:
    """What a refused flight's record says, for those who may correct it and for nobody else."""
    is_flight = found["service"] == "billing" and found["topic"] in MODELS and found["state"] == "open"
    if not is_flight or not catalogue.allowed(visit.person, "correct_letter"):
        return {}
    async with visit.reading() as tx:
        document = await reads.record_of_flight(tx, found["id"])
    return facts_of(found["topic"], document) if document is not None else {}
