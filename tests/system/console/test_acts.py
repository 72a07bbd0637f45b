"""People act in the console: by role, after a preview, once; and what it shows is what the ledger says."""

import asyncio
import csv
import io
import json
import re
from datetime import UTC, datetime

from fleet.zones import local_date
from hobbs.demo.school import run_hobbs
from schemas.services import CONSOLE
from tests.support import console_shown
from tests.support.console import School, Visitor
from tests.support.corrections import lesson, publish_in_order

LETTER = r"/dead/billing/([0-9a-f-]{36})"


async def test_a_correction_is_approved_by_another_than_its_maker_and_once_for_two_clicks(
    school: School,
) -> None:
    flights = lesson("k-approved"), lesson("k-left", instructor="instructor-03")
    name, other = await school.given_waiting(*flights, corrected_by="ann")
    ann, bea = await school.visitor("ann"), await school.visitor("bea")
    assert {name, other} <= set(
        re.findall(r'name="object" value="([^"]+)"', (await bea.get("/corrections")).text)
    )
    refused = await ann.outcome(await ann.preview("approve", name))
    assert "ann made this" in refused, "nobody approves what they made"
    address = await bea.preview("approve", name)
    shown = await bea.outcome(address)
    assert "It would do this" in shown
    assert "instructor:instructor-01" in shown
    token = await bea.form_token()
    clicks = await asyncio.gather(*(bea.post(address, data={"form_token": token}) for _ in range(5)))
    assert {click.status_code for click in clicks} == {303}
    assert "Done:" in await bea.outcome(address)
    await school.story.settle()
    page = (await bea.get(f"/corrections/{name}")).text
    assert len(re.findall(r"<td[^>]*>bea</td>", page)) == 2, "one approval, and one step of its history"
    audit = csv.DictReader(io.StringIO((await bea.get(f"/audit?as=csv&f.object={name}")).text))
    assert [(row["Who"], row["What"], row["Outcome"]) for row in audit] == [("bea", "approve", "done")]


async def test_several_are_approved_together_and_lead_back_to_their_list(school: School) -> None:
    names = await school.given_waiting(lesson("k-both"), lesson("k-too"), corrected_by="ann")
    bea = await school.visitor("bea")
    address = await bea.preview("approve", *names)
    shown = await bea.outcome(address)
    assert "Approve: 2 lines" in shown
    assert shown.count("It would do this") == 2
    assert '<a class="btn" href="/corrections">Leave it</a>' in shown
    receipt = await bea.confirm(address)
    assert receipt.count("Done:") == 2
    assert '<a class="btn btn-primary" href="/corrections">To the list</a>' in receipt


async def test_a_refused_flight_is_corrected_by_one_who_may_and_billed(school: School) -> None:
    wrong = lesson("k-misspelt", aircraft="N364MB")
    await publish_in_order(school.fleet, [wrong])
    paula, otto = await school.visitor("paula"), await school.visitor("otto")
    async with asyncio.timeout(60):
        while not (found := re.search(LETTER, await refused(paula, "k-misspelt"))):  # noqa: ASYNC110 - its state
            await asyncio.sleep(0.2)
    page = (await paula.get(found[0])).text
    facts = re.findall(r'name="(p\.facts\.\w+)" value="([^"]*)"', page)
    assert ("p.facts.aircraft", "N364MB") in facts
    assert "p.facts" not in (await otto.get(found[0])).text
    told = dict(facts) | {"p.facts.aircraft": "N364MA"}
    address = await paula.preview("correct_letter", found[1], why="misspelt", **told)
    shown = await paula.outcome(address)
    assert "student:student-01" in shown, "what it would be billed"
    assert found[1] not in re.findall(r"<h1>(.*?)</h1>", shown)[0], "nobody reads an id"
    token = await paula.form_token()
    clicks = await asyncio.gather(*(paula.post(address, data={"form_token": token}) for _ in range(3)))
    assert {click.status_code for click in clicks} == {303}
    assert "Done:" in await paula.outcome(address)
    await school.story.settle()
    assert "agree to the cent" in (await paula.get("/flights/k-misspelt")).text
    assert "discarded" in (await paula.get(found[0])).text


async def refused(visitor: Visitor, flight_id: str) -> str:
    """The list of refused flights, of this flight alone."""
    return (await visitor.get("/dead", params={"f.about": flight_id, "f.subject": flight_id})).text


async def test_what_changed_since_its_preview_is_not_done(school: School) -> None:
    bea, ada = await school.visitor("bea"), await school.visitor("ada")
    (name,) = await school.given_waiting(lesson("k-changed"), corrected_by="ann")
    address = await bea.preview("reject", name, why="the meter was right")
    assert "Done:" in await ada.confirm(await ada.preview("reject", name, why="the same"))
    said = await bea.confirm(address)
    assert "Refused:" in said


async def test_a_role_is_asked_for_when_the_form_is_sent_not_only_when_the_button_is_shown(
    school: School,
) -> None:
    vera, paula, otto = [await school.visitor(name) for name in ("vera", "paula", "otto")]
    letter = re.findall(r"/dead/(\w+)/([0-9a-f-]{36})", (await otto.get("/dead?f.state=open")).text)[0]
    for visitor in (vera, paula):
        sent = {"form_token": await visitor.form_token(), "act": "approve", "object": "k-waiting:2"}
        assert (await visitor.post("/acts", data=sent)).status_code == 403
    assert "Done:" in await otto.confirm(await otto.preview("discard", "/".join(letter), why="a test record"))
    refused = (await otto.get("/audit/refused?as=csv")).text
    assert '"vera","POST","/acts"' in refused


async def test_a_form_without_its_session_s_token_does_nothing(school: School) -> None:
    bea = await school.visitor("bea")
    sent = {"form_token": "guessed", "act": "approve", "object": "k-waiting:2"}
    assert (await bea.post("/acts", data=sent)).status_code == 403
    address = await bea.preview("approve", "k-waiting:2")
    assert (await bea.post(address, data={})).status_code == 403
    ann = await school.visitor("ann")
    assert (await ann.get(address)).status_code == 404, "a preview is its person's"
    assert (await ann.post(address, data={"form_token": await ann.form_token()})).status_code == 404


async def test_a_statement_ends_with_the_balance_and_is_the_same_for_the_office_and_its_holder(
    school: School,
) -> None:
    await school.story.settle()
    ann, holder = await school.visitor("ann"), await school.visitor("instructor-01")
    asked = {"month": f"{local_date(datetime.now(UTC), 'America/New_York'):%Y-%m}", "as": "csv"}
    mine = (await holder.get("/own/statements", params=asked)).text
    assert mine == (await ann.get("/statements/instructor:instructor-01", params=asked)).text
    rows = list(csv.DictReader(io.StringIO(mine)))
    wallets = csv.DictReader(io.StringIO((await ann.get("/wallets?as=csv")).text))
    balances = {row["Wallet"]: row["Balance"] for row in wallets}
    assert rows[-1]["Balance"] == balances["instructor:instructor-01"]
    assert len(rows) > 3
    assert (await holder.get("/statements/instructor:instructor-03", params=asked)).status_code == 403
    for month in ("2999-01", "2026-13", "x"):
        assert (await holder.get("/own/statements", params={"month": month})).status_code == 404


async def test_pages_and_files_say_what_the_ledger_and_hobbs_say_to_the_cent(school: School) -> None:
    await school.story.settle()
    fleet = school.fleet
    said = await asyncio.to_thread(run_hobbs, fleet, "balances", "-o", "json")
    assert await console_shown.differs(fleet.owner_url, fleet.database_url(CONSOLE), said) == []
    ann = await school.visitor("ann")
    assert "agree to the cent" in (await ann.get("/flights/k-first")).text
    rows = json.loads(said)
    rows[0]["balance"] += 1
    [found] = await console_shown.differs(fleet.owner_url, fleet.database_url(CONSOLE), json.dumps(rows))
    assert found.startswith("hobbs: balances"), "a cent is found"
