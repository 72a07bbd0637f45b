"""The audit: who decided what, when and why, and who was refused; and what holders asked."""

from uuid import UUID

from fastapi.responses import RedirectResponse, Response

from console import store
from console.context import Visit
from console.guard import Missing, Pages, form_of
from console.pages.lists import list_page
from console.reads import audit
from console.roles import FINANCE, STAFF

pages = Pages()

WORDS_CHARS_MAX = 2_000


@pages.get("/audit", STAFF)
async def decisions(visit: Visit) -> Response:
    return await list_page(visit, audit.DECISIONS)


@pages.get("/audit/refused", STAFF)
async def refusals(visit: Visit) -> Response:
    return await list_page(visit, audit.REFUSALS)


@pages.get("/audit/{decision_id}", STAFF)
async def decision(visit: Visit, decision_id: UUID) -> Response:
    """One decision of whatever channel: what was asked, and what followed."""
    async with visit.reading() as tx:
        found = await audit.decision(tx, decision_id)
    if found is None:
        raise Missing
    return visit.page("decision.html", found=found)


@pages.get("/questions", STAFF)
async def questions(visit: Visit) -> Response:
    return await list_page(visit, audit.QUESTIONS)


@pages.get("/questions/{question_id}", STAFF)
async def question(visit: Visit, question_id: UUID) -> Response:
    async with visit.reading() as tx:
        found = await audit.question(tx, question_id)
    if found is None:
        raise Missing
    return visit.page("question.html", found=found, may_answer=visit.person.has(FINANCE))


@pages.post("/questions/{question_id}", FINANCE)
async def answer(visit: Visit, question_id: UUID) -> Response:
    """Answer a holder's question, once."""
    form = await form_of(visit)
    words = form.get("words", "").strip()
    if not 0 < len(words) <= WORDS_CHARS_MAX:
        back = f"/questions/{question_id}"
        return visit.page("unfit.html", status=422, sentence="Write an answer", back=back)
    async with visit.console.db.transaction() as tx:
        await store.questions.answer(tx, question_id, person=visit.person.name, words=words)
    return RedirectResponse(f"/questions/{question_id}", status_code=303)
