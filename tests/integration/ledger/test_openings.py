"""Opening balances: lines of the books kept before, loaded by decisions of the ledger's desk."""

import json
from pathlib import Path
from typing import Any

import pytest

from fleet.database import Database
from fleet.envelope import uuid7
from schemas.decisions import DecisionTaken
from services.ledger.desk import decisions as by_hand
from services.ledger.desk.openings import ACTIONS
from services.ledger.domain.journals import EntryRequest, JournalRequest
from services.ledger.domain.openings import KINDS, OPENING_WALLET
from services.ledger.domain.reverts import RevertRequest
from tests.integration.ledger.books import NOON, Hobbs, balances, told
from tests.support.deciders import deciding
from tests.support.decisions import answered, decision
from tests.support.invariants import broken_invariants

DAY = "2026-06-01"
BEGINS = "2026-06-01T00:00:00-05:00"
ANN = ["student_balance", "s-1", "", "USD", 5000]
BOB = ["student_balance", "s-2", "", "USD", -1200]
BANK = ["bank", "", "", "USD", 3800]


async def load(ledger: Database, *lines: list[Any], **more: Any) -> DecisionTaken:
    given = {"as_of": DAY, "occurred_at": BEGINS, "lines": list(lines)}
    return await answered(
        ledger, ACTIONS, decision("ledger", "load_opening", f"opening:{DAY}", given, why="move", **more)
    )


async def decided(ledger: Database, action: str, why: str = "", **given: Any) -> DecisionTaken:
    asked = decision("ledger", action, f"opening:{DAY}", {"as_of": DAY, **given}, why=why, who="ann")
    return await answered(ledger, ACTIONS, asked)


async def posted(ledger: Database) -> list[dict[str, Any]]:
    return [event.body for event in await told(ledger) if event.topic == "journal.posted"]


async def test_a_line_is_a_journal_against_the_opening_and_is_announced(ledger: Database) -> None:
    seen = await load(ledger, ANN, BOB, BANK, dry_run=True)
    assert (seen.outcome, await balances(ledger)) == ("previewed", {})
    done = await load(ledger, ANN, BOB, BANK, preview_hash=seen.preview_hash)
    assert done.sentence == "3 opening lines as of 2026-06-01 are posted; external:opening is at zero"
    assert done.effects == [
        {"what": "bank", "lines": 1, "amount": 3800, "currency": "USD"},
        {"what": "student_balance", "lines": 2, "amount": 3800, "currency": "USD"},
    ]
    assert await balances(ledger) == {
        "student:s-1": 5000,
        "student:s-2": -1200,
        "external:bank": -3800,
    }
    journals = await posted(ledger)
    assert [(one["event_type"], len(one["entries"])) for one in journals] == [("opening", 2)] * 3


async def test_a_repeated_file_changes_nothing_and_a_forgotten_line_is_added(ledger: Database) -> None:
    await load(ledger, ANN, BANK)
    again = await load(ledger, ANN, BANK)
    assert "0 opening lines as of 2026-06-01 are posted, 2 were before" in again.sentence
    assert "external:opening is at -12.00 USD" in again.sentence
    more = await load(ledger, BOB, ANN)
    assert "1 opening lines as of 2026-06-01 are posted, 1 were before" in more.sentence
    assert "external:opening" not in await balances(ledger)
    assert len(await posted(ledger)) == 3


async def test_a_line_that_was_changed_is_refused_with_the_way_out(ledger: Database) -> None:
    await load(ledger, ANN)
    other = await load(ledger, [*ANN[:4], 4000], BOB)
    assert other.outcome == "refused"
    assert "student_balance s-1 USD is loaded with 50.00 USD, the file says 40.00 USD" in other.sentence
    assert "hobbs opening revert" in other.sentence
    assert await balances(ledger) == {"student:s-1": 5000, "external:opening": -5000}


async def test_a_reverted_line_is_loaded_anew_with_what_is_right(ledger: Database) -> None:
    await load(ledger, ANN, BOB)
    back = await decided(ledger, "revert_opening", key="s-1", why="a wrong file")
    assert back.sentence.startswith(
        "1 opening lines as of 2026-06-01 are reverted; external:opening is at 12.00"
    )
    assert back.effects == [
        {"what": "student_balance s-1 USD", "lines": 1, "amount": 5000, "currency": "USD"}
    ]
    assert await balances(ledger) == {"student:s-2": -1200, "external:opening": 1200}
    again = await load(ledger, [*ANN[:4], 4000], BOB)
    assert "1 opening lines as of 2026-06-01 are posted, 1 were before" in again.sentence
    assert (await balances(ledger))["student:s-1"] == 4000
    sources = [one["source"] for one in await posted(ledger) if one["event_type"] == "opening"]
    assert [source.rpartition(":")[2] for source in sources] == ["1", "1", "2"]
    assert (await decided(ledger, "revert_opening", key="s-9")).outcome == "refused"
    assert (await decided(ledger, "revert_opening")).outcome == "done", "all of them"
    assert await balances(ledger) == {}


async def test_neither_a_line_nor_its_revert_is_reverted_by_hand(ledger: Database) -> None:
    """A signed opening would be off zero, and nobody asked it."""
    await load(ledger, ANN)
    await refused_by_hand(ledger, (await posted(ledger))[0]["source"])
    await decided(ledger, "revert_opening")
    [revert] = [one for one in await posted(ledger) if one["event_type"] == "revert"]
    await refused_by_hand(ledger, revert["source"])
    assert await balances(ledger) == {}
    assert await broken_invariants(ledger) == {}


async def refused_by_hand(ledger: Database, source: str) -> None:
    request = RevertRequest(journal_id=uuid7(), reverts=source, occurred_at=NOON)
    async with ledger.transaction() as tx:
        [previewed] = (await by_hand.preview_revert(tx, request)).results
        [reply] = await by_hand.revert(tx, request)
    said = [getattr(one, "sentence", "") for one in (previewed, reply)]
    assert all("hobbs opening revert" in one for one in said), (previewed, reply)


async def test_only_a_trial_balance_at_zero_is_signed_and_it_stays_there(ledger: Database) -> None:
    assert "load them first" in (await decided(ledger, "sign_opening")).sentence
    await load(ledger, ANN, BOB)
    early = await decided(ledger, "sign_opening")
    assert (early.outcome, "external:opening is at -38.00 USD" in early.sentence) == ("refused", True)
    await load(ledger, BANK)
    signed = await decided(ledger, "sign_opening", "compared with the old books")
    assert signed.sentence.startswith("the opening as of 2026-06-01 is signed: 3 lines, trial balance ")
    assert [row["amount"] for row in signed.effects] == [3800, 3800]
    assert "ann has signed this trial balance already" in (await decided(ledger, "sign_opening")).sentence
    alone = await load(ledger, ["instructor", "i-1", "", "USD", 700])
    assert (alone.outcome, "external:opening would be at -7.00 USD" in alone.sentence) == ("refused", True)
    assert "hobbs opening reopen" in (await decided(ledger, "revert_opening", kind="bank")).sentence
    both = await load(ledger, ["instructor", "i-1", "", "USD", 700], ["school", "", "", "USD", -700])
    assert both.outcome == "done"
    assert (await decided(ledger, "sign_opening")).outcome == "done", "what was loaded since"
    assert (await decided(ledger, "reopen_opening", "the bank was wrong")).outcome == "done"
    assert "is not signed" in (await decided(ledger, "reopen_opening")).sentence
    assert (await decided(ledger, "revert_opening", kind="bank")).outcome == "done"


async def test_every_kind_stands_where_the_books_have_it(ledger: Database) -> None:
    lines = [
        ["student_balance", "s-1", "", "USD", 100],
        ["student_item", "s-1", "bill 7", "USD", 30],
        ["instructor", "i-1", "", "USD", 50],
        ["owner", "o-1", "", "USD", 60],
        ["tax", "", "", "USD", 7],
        ["reserve", "N1", "", "USD", 20],
        ["stripe", "", "", "USD", 500],
        ["bank", "", "", "USD", 900],
        ["deposit_under_way", "", "po_1", "USD", 40],
        ["payment_under_way", "", "cheque 12", "USD", 25],
        ["bank_line", "", "31 May", "USD", 5],
        ["school", "", "", "USD", 1203],
    ]
    assert {line[0] for line in lines} == set(KINDS)
    done = await load(ledger, *lines)
    assert done.sentence == (
        "12 opening lines as of 2026-06-01 are posted; external:opening is at zero; payouts pays what "
        "instructors and owners are owed of it (1.10 USD) from now on"
    )
    assert [row["what"] for row in done.effects[-2:]] == [
        "paid by payouts: aircraft_owner:o-1",
        "paid by payouts: instructor:i-1",
    ]
    assert await balances(ledger) == {
        "student:s-1": 70,
        "instructor:i-1": 50,
        "aircraft_owner:o-1": 60,
        "liability:tax": 7,
        "liability:reserve-N1": 20,
        "external:stripe": -500,
        "external:bank": -915,
        "liability:unallocated": 5,
        "platform:school": 1203,
    }


async def test_nobody_posts_an_opening_by_hand_and_other_journals_on_its_wallet_are_found(
    ledger: Database,
) -> None:
    entries = (EntryRequest(OPENING_WALLET, "USD", -100), EntryRequest("student:s-1", "USD", 100))
    asked = JournalRequest(uuid7(), "opening:x", "manual", NOON, entries)
    async with ledger.transaction() as tx:
        [refused] = await by_hand.post(tx, [asked])
        assert "ledger posts journals of such an event type and source" in getattr(refused, "sentence", "")
        await by_hand.post(tx, [asked._replace(source="manual:x")])
    assert set(await broken_invariants(ledger)) == {"external_opening_is_its_lines"}
    async with ledger.transaction() as tx:
        await by_hand.revert(tx, RevertRequest(journal_id=uuid7(), reverts="manual:x", occurred_at=NOON))


async def test_a_signed_opening_that_is_off_zero_all_the_same_is_found(ledger: Database) -> None:
    await load(ledger, ANN, [*BANK[:4], 5000])
    await decided(ledger, "sign_opening")
    source = (await posted(ledger))[0]["source"]
    async with ledger.transaction() as tx:
        asked = RevertRequest(journal_id=uuid7(), reverts=source, occurred_at=NOON, of_opening=True)
        await by_hand.revert(tx, asked)
    assert set(await broken_invariants(ledger)) == {"signed_openings_are_at_zero"}
    await decided(ledger, "reopen_opening")


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        ([["student", "s-1", "", "USD", 1]], "'student' is no kind of opening line"),
        ([["student_balance", "", "", "USD", 1]], "say whom it is about"),
        ([["student_item", "s-1", "", "USD", 1]], "give it a reference"),
        ([["bank", "main", "", "USD", 1]], "has no key"),
        ([["bank", "", "", "USD", 0]], "the amount is zero"),
        ([["bank", "", "", "XXQ", 1]], "is not an ISO 4217 code"),
        ([ANN, BOB, ANN], "student_balance s-1 USD is in the file twice"),
        ([["student_balance", "s-1\n", "", "USD", 1.5]], "lines"),
    ],
)
async def test_one_line_that_cannot_be_posted_stops_the_whole_file(
    ledger: Database, lines: list[list[Any]], says: str
) -> None:
    answer = await load(ledger, BOB, *lines) if lines[0] != ANN else await load(ledger, *lines)
    assert answer.outcome == "refused"
    assert says in answer.sentence
    assert await balances(ledger) == {}


async def test_the_command_shows_what_it_would_post_loads_it_and_shows_both_sides(
    ledger: Database,
    hobbs: Hobbs,
    kafka: str,
    database_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    file = tmp_path / "students.csv"
    file.write_text("Kunde;Saldo\ns-1;50,00\ns-2;-12,00\nTotal;38,00\ns-3;0,00\n", encoding="utf-8")
    how = ("opening", "load", str(file), "--as-of", DAY, "--kind", "student_balance", "--map", "Kunde=key",
           "--map", "Saldo=amount", "--decimals", "comma", "--why", "move")  # fmt: skip
    async with deciding(kafka, database_url, {"ledger": ACTIONS}) as prefix:
        monkeypatch.setenv("HOBBS_KAFKA_BOOTSTRAP", kafka)
        monkeypatch.setenv("HOBBS_TOPIC_PREFIX", prefix)
        dry = await hobbs(*how, "--dry-run")
        assert (dry.exit_code, await balances(ledger)) == (0, {})
        assert "line 4 is left out: a row of totals (Total)" in dry.stderr
        assert "1 lines of zero are left out" in dry.stderr
        assert "dry run, nothing changed: 2 opening lines" in dry.stderr
        assert (await hobbs(*how, "--yes")).exit_code == 0
    assert await balances(ledger) == {"student:s-1": 5000, "student:s-2": -1200, "external:opening": -3800}
    shown = await hobbs("opening", "show", "-o", "json")
    assert shown.exit_code == 1
    assert [(row["kind"], row["lines"], row["had"], row["owes"]) for row in json.loads(shown.stdout)] == [
        ("student_balance", 2, 1200, 5000),
        ("total", 2, 1200, 5000),
    ]
    assert "student:s-2" in (await hobbs("opening", "show", "--lines")).stdout
