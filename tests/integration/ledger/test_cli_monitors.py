"""`hobbs monitors`: previewed, agreed to, listed, removed."""

import orjson
import pytest

from fleet.database import Database
from tests.integration.ledger.books import Hobbs, ask, requested, rows, told
from tests.integration.ledger.watching import CROSSED, STUDENT, heard

SET = ("monitors", "set", "low", STUDENT, "--below", "5", "--recovers-at", "7.50", "--memo", "ask")


@pytest.fixture
async def paid(ledger: Database) -> Database:
    """The student has 6.00."""
    await ask(ledger, requested("payment:1", (("external:bank", -600), (STUDENT, 600))))
    return ledger


async def test_a_monitor_is_set_listed_and_removed(paid: Database, hobbs: Hobbs) -> None:
    [monitor] = rows(await hobbs(*SET, "--yes", "-o", "json"))
    assert (monitor["threshold"], monitor["recovers_at"], monitor["balance"]) == (500, 750, 600)
    assert (monitor["beyond"], monitor["memo"], monitor["set_by"]) == (False, "ask", "hobbs_operator")
    assert rows(await hobbs("monitors", "list", "-o", "json")) == [monitor]
    assert rows(await hobbs("monitors", "list", "--beyond", "-o", "json")) == []
    assert rows(await hobbs("monitors", "list", "--wallet", "student:s-2", "-o", "json")) == []
    removed = await hobbs("monitors", "remove", "low", "--yes")
    assert (removed.exit_code, "low: removed" in removed.stderr) == (0, True)
    assert rows(await hobbs("monitors", "list", "-o", "json")) == []
    again = await hobbs("monitors", "remove", "low", "--yes")
    assert (again.exit_code, "there is no monitor 'low'" in again.stderr) == (1, True)


async def test_a_dry_run_says_what_would_be_and_changes_nothing(paid: Database, hobbs: Hobbs) -> None:
    events = await told(paid)
    result = await hobbs("monitors", "set", "low", STUDENT, "--below", "10", "--dry-run", "-o", "json")
    [monitor] = rows(result)
    assert (monitor["beyond"], monitor["balance"]) == (True, 600)
    assert "dry run, nothing changed" in result.stderr
    assert rows(await hobbs("monitors", "list", "-o", "json")) == []
    await hobbs(*SET, "--yes")
    assert (await hobbs("monitors", "remove", "low", "--dry-run")).exit_code == 0
    assert len(rows(await hobbs("monitors", "list", "-o", "json"))) == 1
    assert await told(paid) == events


async def test_without_a_yes_nothing_is_set_or_removed(paid: Database, hobbs: Hobbs) -> None:
    asked = await hobbs(*SET)
    assert asked.exit_code == 1
    sentence = f"low: tells when the available balance of {STUDENT} is below 5.00 USD, and back at 7.50"
    assert f"{sentence}; now it is 6.00, not beyond. Set it?" in asked.stderr
    assert rows(await hobbs("monitors", "list", "-o", "json")) == []
    await hobbs(*SET, "--yes")
    assert (await hobbs("monitors", "remove", "low")).exit_code == 1
    assert len(rows(await hobbs("monitors", "list", "-o", "json"))) == 1


async def test_crossings_are_shown_with_their_cause_also_of_removed_monitors(
    paid: Database, hobbs: Hobbs
) -> None:
    await hobbs(*SET, "--yes")
    await ask(paid, requested("flight:F1:1", ((STUDENT, -101), ("platform:school", 101))))
    await hobbs("monitors", "remove", "low", "--yes", "--why", "moved away")
    shown = rows(await hobbs("monitors", "crossings", "--monitor", "low", "-o", "json"))
    assert [(one["nr"], one["beyond"], one["because"], one["source"]) for one in shown] == [
        (1, True, "journal", "flight:F1:1"),
        (2, False, "removal", None),
    ]
    cut = await hobbs("monitors", "crossings", "--most", "1", "-o", "json")
    assert ([one["nr"] for one in rows(cut)], "only the first 1 crossings" in cut.stderr) == ([2], True)
    table = (await hobbs("monitors", "crossings", "--wallet", STUDENT)).stdout
    assert "4.99" in table
    assert len((await hobbs("monitors", "crossings", "-o", "csv")).stdout.splitlines()) == 3
    assert [event.topic for event in await told(paid)].count(CROSSED) == 2


async def test_what_is_not_said_again_stays_as_it_was(paid: Database, hobbs: Hobbs) -> None:
    await hobbs(*SET, "--yes")
    again = ("monitors", "set", "low", STUDENT, "--yes", "-o", "json")
    [monitor] = rows(await hobbs(*again, "--below", "4"))
    assert (monitor["threshold"], monitor["recovers_at"], monitor["memo"]) == (400, 750, "ask")
    [monitor] = rows(await hobbs(*again, "--below", "5", "--memo", "", "--recovers-at", "6"))
    assert (monitor["threshold"], monitor["recovers_at"], monitor["memo"]) == (500, 600, "")
    refused = await hobbs(*again, "--below", "7")
    assert (refused.exit_code, "lies on the other side" in refused.stderr) == (1, True)
    [monitor] = rows(
        await hobbs(*again, "--below", "5", "--recovers-at", "5")
    )  # at the threshold, and with it
    [monitor] = rows(await hobbs(*again, "--below", "7"))
    assert (monitor["threshold"], monitor["recovers_at"]) == (700, 700)


async def test_a_wallets_own_currency_is_meant(ledger: Database, hobbs: Hobbs) -> None:
    await ask(ledger, requested("flight:F1:1", currency="JPY"))
    [monitor] = rows(await hobbs(*SET[:4], "--below", "500", "--yes", "-o", "json"))
    assert (monitor["currency"], monitor["threshold"]) == ("JPY", 500)
    await ask(ledger, requested("flight:F2:1"))
    assert (await hobbs("monitors", "set", "other", STUDENT, "--below", "5", "--yes")).exit_code == 2


async def test_a_negative_threshold_on_any_balance_can_be_said(paid: Database, hobbs: Hobbs) -> None:
    name, wallet = "cash is low", "external:bank"
    options = ("--above", "-50", "--watches", "posted", "--recovers-at", "-80.5", "--yes", "-o", "json")
    [monitor] = rows(await hobbs("monitors", "set", name, wallet, *options))
    assert (monitor["threshold"], monitor["recovers_at"], monitor["beyond"]) == (-5000, -8050, True)
    assert await heard(paid, name) == [(True, -600, "setting")]
    repeated = await hobbs("monitors", "set", name, wallet, *options)
    assert "is set so already" in repeated.stderr
    assert orjson.loads(repeated.stdout)[0]["crossings"] == 1


@pytest.mark.parametrize(
    ("arguments", "exit_code", "sentence"),
    [
        (("low", STUDENT), 2, "say one of --below"),
        (("low", STUDENT, "--below", "1", "--above", "2"), 2, "say one of --below"),
        (("low", STUDENT, "--below", "1.234"), 2, "at most 2 decimals"),
        (("low", STUDENT, "--below", "5", "--recovers-at", "4"), 1, "lies on the other side"),
        (("low", "pilot:1", "--below", "5"), 1, "is of no known kind"),
        (("low", STUDENT, "--below", "5", "--currency", "ZZZ"), 1, "not an ISO 4217 code"),
    ],
)
@pytest.mark.parametrize("how", ["--yes", "--dry-run"])
async def test_what_makes_no_sense_is_said(
    paid: Database, hobbs: Hobbs, arguments: tuple[str, ...], exit_code: int, sentence: str, how: str
) -> None:
    result = await hobbs("monitors", "set", *arguments, how)
    assert (result.exit_code, sentence in result.stderr) == (exit_code, True), result.stderr
    assert rows(await hobbs("monitors", "list", "-o", "json")) == []
