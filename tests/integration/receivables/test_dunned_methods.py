"""Steps of dunning beside what else is decided: declines of a method, corrections of a flight."""

from datetime import UTC, datetime, timedelta

import pytest

from fleet.database import Database
from services.receivables import handlers, steps
from services.receivables.domain import auto_charges
from tests.conftest import OpenDatabase
from tests.integration.adjustments.stories import decide as decide_about
from tests.integration.adjustments.stories import given_policy, propose, revised, states
from tests.integration.receivables.stories import webhook
from tests.integration.receivables.test_auto_charges import CARD, SETUP, allows, answer
from tests.integration.receivables.test_auto_charges import asked as charges_asked
from tests.integration.receivables.test_dunning import asked, ledger, on_day
from tests.integration.receivables.test_open_items import bill, posts, taken

__all__ = ["ledger"]  # a fixture


async def declined_four_times(db: Database, ledger: Database) -> None:
    """Anna owes 100.00, and her card was charged for it once, and again after 1, 3 and 7 days."""
    card = CARD | {"card": {"exp_month": 12, "exp_year": 2090}}
    await handlers.take_stripe_events(db, [webhook("payment_method.attached", card)])
    await handlers.take_stripe_events(db, [webhook("setup_intent.succeeded", SETUP)])
    await allows(db, occasion="threshold", threshold=50_00)
    await taken(db, await posts(ledger, bill("F1", 10_000)))
    for day in (0, 1, 4, 11):
        async with db.transaction() as tx:
            await steps.auto_charges.decide_due(tx, "", 200, datetime.now(UTC) + timedelta(days=day, hours=1))
        [*_, request] = await charges_asked(db)
        await handlers.take_charge_answers(db, [answer(request, "declined", code="generic_decline")])
    assert len(await charges_asked(db)) == 4


async def test_a_method_that_was_declined_too_often_has_no_step_of_its_own(
    db: Database, ledger: Database
) -> None:
    await declined_four_times(db, ledger)
    await on_day(db, 13)  # the student is told nothing that does not follow
    assert await asked(db) == [("anna", 1, "first", 10_000)]
    await on_day(db, 14)
    assert (await asked(db))[1:] == [("anna", 1, "block", 10_000)]


async def test_a_card_is_charged_by_a_step_once_its_declines_are_a_month_old(
    db: Database, ledger: Database
) -> None:
    await declined_four_times(db, ledger)
    await on_day(db, 29)
    await on_day(db, 31)  # answers are of today here
    assert [step for _, _, step, _ in await asked(db)] == ["first", "card"]


async def test_a_step_goes_by_the_number_that_charges_go_by(
    db: Database, ledger: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The number stands in one place: were it five, the fifth would be charged."""
    await declined_four_times(db, ledger)
    monkeypatch.setattr(auto_charges, "DECLINES_MAX", 5)
    await on_day(db, 13)
    await on_day(db, 14)
    assert [step for _, _, step, _ in await asked(db)] == ["first", "card"]


async def test_nobody_is_asked_while_a_correction_that_was_approved_is_not_posted(
    db: Database, ledger: Database, open_db: OpenDatabase
) -> None:
    """The ledger may be away: until it has posted it, the account says more than is owed."""
    await taken(db, await posts(ledger, bill("F1", 10_000)))
    adjustments = open_db("adjustments")
    await given_policy(adjustments, approve_above=1)
    await propose(adjustments, revised())
    decided = await decide_about(adjustments, "approve", "F1:2", "ann")
    assert decided.outcome == "done", decided.sentence
    assert await states(adjustments) == {"F1:2": "approved"}
    await on_day(db, 4)
    assert await asked(db) == []
