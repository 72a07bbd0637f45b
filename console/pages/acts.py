"""An act: what it would do, the decision, and what became of it. All three at one address."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from fastapi.responses import RedirectResponse, Response
from pydantic import ValidationError

from console import asking, catalogue, forms, store
from console.asking import Asked
from console.catalogue import ACTS
from console.context import Visit
from console.forms import Act, Unfit
from console.guard import Form, Missing, Pages, Refused, form_of
from console.priced import Priced, priced_as_asked
from console.reads import pages_at_stripe
from console.roles import ROLES
from fleet.database import Tx
from fleet.persons import named_in
from schemas.services import DECIDE
from schemas.topics import TOPICS

pages = Pages()

OBJECTS_MAX = 100
OBJECT_CHARS_MAX = 200
WHY_CHARS_MAX = 1_000
MADE_WITHIN_S = 60  # a page at Stripe; after that the receipt no longer looks by itself
LETTERS = "dead letters"  # what a decision about several of them is about, as the command line says it


@pages.post("/acts", ROLES)
async def ask(visit: Visit) -> Response:
    """Have the owner say what the act would do, then go and look at it."""
    form = await form_of(visit)
    act = ACTS.get(form.get("act", ""))
    if act is None:
        raise Missing
    if not visit.person.has(act.roles):
        wanted = " or ".join(sorted(act.roles))
        raise Refused(f"{act.title.lower()} is for {wanted}", person=visit.person.name)
    back, why = form.get("back", "/"), form.get("why", "").strip()
    try:
        asked = _asked(act, form, visit)
        if act.why_needed and not why:
            raise Unfit("Reason: say why; it stays in the history")
        if len(why) > WHY_CHARS_MAX:
            raise Unfit(f"Reason: at most {WHY_CHARS_MAX} characters")
        if named := named_in(why, {wallet: [name] for wallet, name in visit.school.people.items()}):
            raise Unfit(f"Reason: it names {named}, and reasons are kept for ever: write {named} instead")
        bundle_id = await asking.preview(visit, act, asked, why)
    except Unfit as unfit:
        return visit.page("unfit.html", status=422, sentence=str(unfit), back=back if _is_ours(back) else "/")
    except ValidationError:
        return visit.page("unfit.html", status=422, sentence="A field is too long or damaged", back="/")
    return RedirectResponse(f"/acts/{bundle_id}", status_code=303)


def _asked(act: Act, form: Form, visit: Visit) -> list[Asked]:
    """The objects that the form names, each once; of a holder's act their own. Raises Unfit."""
    objects = list(dict.fromkeys(form.all("object")))
    if act.own is not None:
        objects = [act.own(visit.person.wallet or "")]
    if not 0 < len(objects) <= OBJECTS_MAX:
        raise Unfit(f"Choose at least one line, and at most {OBJECTS_MAX}")
    if any(not 0 < len(one) <= OBJECT_CHARS_MAX for one in objects):
        raise Unfit("A line's name is damaged")
    currency = form.get("currency") or visit.school.currency
    told = forms.parameters(act, form, currency, visit.console.clock())
    if act.service is not None:
        return [Asked(service=act.service, object=one, parameters=told) for one in objects]
    named = [one.partition("/") for one in objects]  # <service>/<letter>
    if any(service not in DECIDE for service, _, _ in named):
        raise Unfit("A letter's name is damaged")
    services = dict.fromkeys(service for service, _, _ in named)
    return [
        Asked(
            service=service,
            object=LETTERS,
            parameters={"ids": [letter for owner, _, letter in named if owner == service]},
        )
        for service in services
    ]


def _is_ours(path: str) -> bool:
    return path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable()


@pages.get("/acts/{bundle_id}", ROLES)
async def show(visit: Visit, bundle_id: UUID) -> Response:
    """What the act would do, or what became of it; it looks again by itself while an answer is to come."""
    async with visit.reading() as tx:
        found = await store.acts.of_bundle(tx, bundle_id, visit.person.name)
        waits = await store.acts.still_waits(tx, bundle_id)
        made = await _pages_made(tx, visit, found)
        month = await _month_of(tx, visit, found)
    if not found:
        raise Missing
    act = _act_of(visit, found[0])
    age_s = (visit.console.clock() - max(one.decided_at or one.asked_at for one in found)).total_seconds()
    late = age_s > visit.console.settings.console_answer_within_s + 5
    return visit.page(
        "act.html",
        bundle_id=bundle_id,
        found=found,
        act=act,
        waits=waits and not late,
        late=waits and late,
        made=made,
        making=not waits and age_s < MADE_WITHIN_S,
        month=month,
        topic=TOPICS["decision.requested"].name,
    )


async def _pages_made(
    tx: Tx, visit: Visit, found: Sequence[store.acts.Act]
) -> dict[UUID, dict[str, Any] | None]:
    """Of the pages at Stripe that were decided on: the address, or why there is none; None: not made yet."""
    return {
        one.decision_id: await pages_at_stripe.made(tx, one.decision_id)
        for one in found
        if one.action in pages_at_stripe.ACTIONS and one.decision.outcome == "done"
    }


async def _month_of(tx: Tx, visit: Visit, found: Sequence[store.acts.Act]) -> Priced | None:
    """Of rates that are to be proposed: what they would have done to the newest month's flights."""
    one = found[0] if len(found) == 1 else None
    if one is None or one.action != "propose_rates" or one.decided_at or one.preview.outcome != "previewed":
        return None
    return await priced_as_asked(visit, tx, one.object, one.parameters)


def _act_of(visit: Visit, one: store.acts.Act) -> Act | None:
    return catalogue.act_of(visit.person, one.service, one.action, one.parameters)


@pages.post("/acts/{bundle_id}", ROLES)
async def decide(visit: Visit, bundle_id: UUID) -> Response:
    """Ask for what was shown. Sent again, it leads to the same receipt."""
    await form_of(visit)
    async with visit.reading() as tx:
        found = await store.acts.of_bundle(tx, bundle_id, visit.person.name)
    if not found:
        raise Missing
    if _act_of(visit, found[0]) is None:
        raise Refused("your roles changed since the preview", person=visit.person.name)
    await asking.decide(visit, bundle_id)
    visit.console.recent.forget()
    return RedirectResponse(f"/acts/{bundle_id}", status_code=303)
