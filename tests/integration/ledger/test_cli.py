"""`hobbs balances`, `statement` and `explain journal`, logged in as the operator."""

import asyncpg

from fleet.database import Database
from tests.integration.ledger.books import FLIGHT, Hobbs, ask, requested, rows


async def test_balances_are_minor_units_for_scripts_and_decimals_for_people(
    ledger: Database, hobbs: Hobbs
) -> None:
    await ask(ledger, requested("flight:F1:1"), requested("flight:F2:1"))
    found = {row["wallet"]: row for row in rows(await hobbs("balances", "-o", "json"))}
    assert {wallet: row["balance"] for wallet, row in found.items()} == {w: 2 * a for w, a in FLIGHT}
    assert found["student:s-1"] == {
        "wallet": "student:s-1",
        "kind": "student",
        "currency": "USD",
        "balance": -200,
        "pending": 0,
        "available": -200,
        "limit": None,
        "limit_binds": None,
        "entries": 2,
    }
    assert "-2.00" in (await hobbs("balances", "student:s-1")).stdout


async def test_balances_can_be_narrowed_to_a_kind_or_a_wallet(ledger: Database, hobbs: Hobbs) -> None:
    await ask(ledger, requested("flight:F1:1"))
    [student] = rows(await hobbs("balances", "--kind", "student", "-o", "json"))
    assert student["wallet"] == "student:s-1"
    csv = (await hobbs("balances", "platform:school", "-o", "csv")).stdout
    assert csv.splitlines() == [
        "wallet,kind,currency,balance,pending,available,limit,limit_binds,entries",
        "platform:school,platform,USD,40,0,40,,,1",
    ]


async def test_an_unknown_wallet_is_a_finding_and_an_unknown_kind_a_usage_error(
    ledger: Database, hobbs: Hobbs
) -> None:
    assert (await hobbs("balances")).exit_code == 0
    assert (await hobbs("balances", "student:nobody")).exit_code == 1
    assert (await hobbs("statement", "student:nobody")).exit_code == 1
    assert (await hobbs("balances", "--kind", "pilot")).exit_code == 2


async def test_a_statement_pages_back_from_its_end(ledger: Database, hobbs: Hobbs) -> None:
    await ask(ledger, *(requested(f"flight:F{n}:1") for n in range(1, 8)))
    last = rows(await hobbs("statement", "platform:school", "--most", "3", "-o", "json"))
    assert [(line["version"], line["source"], line["balance_after"]) for line in last["lines"]] == [
        (5, "flight:F5:1", 200),
        (6, "flight:F6:1", 240),
        (7, "flight:F7:1", 280),
    ]
    assert (last["before"], last["after"]) == (5, 7)
    first = rows(await hobbs("statement", "platform:school", "--before", "5", "-o", "json"))
    assert [line["version"] for line in first["lines"]] == [1, 2, 3, 4]
    assert (first["before"], first["after"]) == (None, 4)


async def test_a_statement_pages_forward_from_a_cursor_and_goes_on_where_it_ended(
    ledger: Database, hobbs: Hobbs
) -> None:
    await ask(ledger, *(requested(f"flight:F{n}:1") for n in range(1, 6)))
    versions, after = [], 0
    while page := rows(
        await hobbs("statement", "platform:school", "--after", str(after), "--most", "2", "-o", "json")
    ):
        after = page["after"]
        if not page["lines"]:
            break
        versions += [line["version"] for line in page["lines"]]
    assert (versions, after) == ([1, 2, 3, 4, 5], 5)
    await ask(ledger, requested("flight:F6:1"))
    page = rows(await hobbs("statement", "platform:school", "--after", str(after), "-o", "json"))
    assert [line["source"] for line in page["lines"]] == ["flight:F6:1"]
    between = rows(await hobbs("statement", "platform:school", "--after", "2", "--before", "5", "-o", "json"))
    assert [line["version"] for line in between["lines"]] == [3, 4]


async def test_holds_are_listed_by_state_with_what_they_keep(
    ledger: Database, hobbs: Hobbs, owner: asyncpg.Connection
) -> None:
    place = "SELECT place_hold($1, 'student:s-1', 400, 'USD', now() + interval '1 day', 'dispatched')"
    for name in ("flight:F1", "flight:F2"):
        await owner.execute(place, name)
    await owner.execute("SELECT void_hold('flight:F1')")
    [kept] = rows(await hobbs("holds", "student:s-1", "-o", "json"))
    assert (kept["hold"], kept["amount"], kept["state"]) == ("flight:F2", 400, "open")
    assert "4.00" in (await hobbs("holds", "--state", "voided")).stdout
    assert len(rows(await hobbs("holds", "--state", "any", "-o", "json"))) == 2
    assert (await hobbs("holds", "--state", "lost")).exit_code == 2
    [balance] = rows(await hobbs("balances", "student:s-1", "-o", "json"))
    assert (balance["balance"], balance["pending"], balance["available"]) == (0, 400, -400)


async def test_lists_begin_with_the_newest_and_say_what_they_leave_out(
    ledger: Database, hobbs: Hobbs, owner: asyncpg.Connection
) -> None:
    await owner.execute(
        "SELECT place_hold('h' || n, 'student:s-1', 1, 'USD', now() + interval '1 day')"
        "  FROM generate_series(1, 203) AS n"
    )
    table = await hobbs("holds")
    assert ("h203 " in table.stdout, "h3 " in table.stdout) == (True, False)
    assert "only the first 200 holds are shown, the newest first; --skip 200 shows the next" in table.stderr
    for form in ("json", "csv"):
        whole = await hobbs("holds", "-o", form)
        assert (whole.stdout.count("student:s-1"), whole.stderr) == (203, "")
    cut = await hobbs("holds", "-o", "json", "--most", "2", "--skip", "200")
    assert [row["hold"] for row in rows(cut)] == ["h3", "h2"]
    assert "only the first 2 holds are shown after 200" in cut.stderr
    last = await hobbs("holds", "-o", "json", "--most", "2", "--skip", "201")
    assert ([row["hold"] for row in rows(last)], last.stderr) == (["h2", "h1"], "")


async def test_a_statement_is_whole_for_programs_and_says_what_a_page_leaves_out(
    ledger: Database, hobbs: Hobbs
) -> None:
    await ask(ledger, *(requested(f"flight:F{n}:1") for n in range(1, 54)))
    table = await hobbs("statement", "platform:school")
    assert "3 earlier lines: --before 4" in table.stderr
    whole = await hobbs("statement", "platform:school", "-o", "csv")
    assert (len(whole.stdout.splitlines()), "earlier" in whole.stderr) == (54, False)
    cut = await hobbs("statement", "platform:school", "-o", "csv", "--most", "3")
    assert "50 earlier lines: --before 51" in cut.stderr
    onwards = await hobbs("statement", "platform:school", "-o", "csv", "--after", "0", "--most", "3")
    assert "there may be later lines: --after 3" in onwards.stderr


async def test_a_statement_of_several_currencies_asks_for_one(ledger: Database, hobbs: Hobbs) -> None:
    await ask(ledger, requested("flight:F1:1"), requested("flight:F2:1", currency="JPY"))
    assert (await hobbs("statement", "student:s-1")).exit_code == 2
    yen = await hobbs("statement", "student:s-1", "--currency", "JPY")
    assert "-100" in yen.stdout
    assert "-1.00" not in yen.stdout


async def test_a_page_in_a_currency_the_wallet_never_had_turns_nowhere(
    ledger: Database, hobbs: Hobbs
) -> None:
    await ask(ledger, requested("flight:F1:1"), requested("flight:F2:1", currency="JPY"))
    yen = rows(await hobbs("statement", "student:s-1", "--currency", "JPY", "--before", "9", "-o", "json"))
    assert [line["version"] for line in yen["lines"]] == [1]
    euro = rows(await hobbs("statement", "student:s-1", "--currency", "EUR", "--before", "9", "-o", "json"))
    assert (euro["lines"], euro["before"], euro["after"]) == ([], None, 0)


async def test_explain_shows_a_journal_with_its_entries(ledger: Database, hobbs: Hobbs) -> None:
    [posted] = await ask(ledger, requested("flight:F1:1", memo="flight F1"))
    journal = rows(await hobbs("explain", "journal", "flight:F1:1", "-o", "json"))
    assert journal["content_matches_hash"] is True
    assert (journal["memo"], journal["recorded_by"]) == ("flight F1", "hobbs_ledger")
    assert [(entry["wallet"], entry["amount"]) for entry in journal["entries"]] == list(FLIGHT)
    by_id = await hobbs("explain", "journal", posted.body["journal_id"])
    assert "instructor:i-1" in by_id.stdout
    assert "0.60" in by_id.stdout
    assert (await hobbs("explain", "journal", "flight:F9:1")).exit_code == 1


async def test_explain_finds_a_journal_that_was_tampered_with(
    ledger: Database, hobbs: Hobbs, owner: asyncpg.Connection
) -> None:
    await ask(ledger, requested("flight:F1:1"))
    await owner.execute("ALTER TABLE journal DISABLE TRIGGER USER")
    await owner.execute("UPDATE journal SET occurred_at = occurred_at + interval '1 day'")
    result = await hobbs("explain", "journal", "flight:F1:1")
    assert result.exit_code == 1
    assert "is not what was posted" in result.stderr
    await owner.execute("UPDATE journal SET occurred_at = occurred_at - interval '1 day'")
