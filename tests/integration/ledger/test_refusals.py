import orjson
import pytest

from fleet.database import Database
from fleet.dead_letters import redrive
from services.ledger.wire.journals import REQUESTED
from tests.integration.ledger.books import FLIGHT, Legs, ask, balances, journals, letters, only, requested
from tests.support.letters import open_letters
from tests.support.records import record

GOOD = {
    "source": "flight:BAD:1",
    "event_type": "flight",
    "currency": "USD",
    "occurred_at": "2026-05-22T12:00:00Z",
    "entries": [{"wallet": "student:s-1", "amount": -100}, {"wallet": "platform:school", "amount": 100}],
}


@pytest.mark.parametrize(
    ("legs", "currency", "reason"),
    [
        ((), "USD", "no_entries"),
        ((("student:s-1", -100),), "USD", "not_balanced"),
        ((("student:s-1", -100), ("platform:school", 99)), "USD", "not_balanced"),
        ((("student:s-1", 0), ("platform:school", 0)), "USD", "amount_is_zero"),
        ((("pilot:s-1", -100), ("platform:school", 100)), "USD", "unknown_wallet_kind"),
        ((("student:s-1", -1), ("platform:school", 1)) * 101, "USD", "too_many_entries"),
        (FLIGHT, "ZZZ", "unknown_currency"),
    ],
)
async def test_what_the_rules_refuse_is_answered_kept_and_stops_no_other(
    ledger: Database, legs: Legs, currency: str, reason: str
) -> None:
    told = await ask(
        ledger,
        requested("flight:F1:1"),
        requested("flight:BAD:1", legs, currency=currency),
        requested("flight:F2:1"),
    )
    refused = only(told, "journal.refused")
    assert refused.key == refused.body["source"] == "flight:BAD:1"
    assert refused.body["reason"] == reason
    assert refused.body["sentence"].startswith("journal flight:BAD:1: ")
    assert await letters(ledger) == [(reason, "flight:BAD:1")]
    assert await journals(ledger) == ["flight:F1:1", "flight:F2:1"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("currency", "usd"),
        ("occurred_at", "3026-01-01T00:00:00Z"),
        (
            "entries",
            [{"wallet": "student:s-1", "amount": 2**63}, {"wallet": "platform:p", "amount": -(2**63)}],
        ),
        ("entries", [{"wallet": "student:s\t1", "amount": 1}, {"wallet": "platform:p", "amount": -1}]),
    ],
)
async def test_a_request_that_breaks_the_schema_is_answered_when_it_names_its_source(
    ledger: Database, field: str, value: object
) -> None:
    bad = record(REQUESTED, orjson.dumps(GOOD | {field: value}))
    told = await ask(ledger, requested("flight:F1:1"), bad, requested("flight:F2:1"))
    assert only(told, "journal.refused").body["reason"] == "invalid"
    assert await letters(ledger) == [("invalid", "flight:BAD:1")]
    assert await journals(ledger) == ["flight:F1:1", "flight:F2:1"]


@pytest.mark.parametrize("value", [None, b"", b"\xff\xfe", b"[1]", b"{}", b'{"source": "a\\u0000b"}'])
async def test_a_record_nobody_can_answer_is_a_dead_letter_and_stops_no_other(
    ledger: Database, value: bytes | None
) -> None:
    told = await ask(ledger, requested("flight:F1:1"), record(REQUESTED, value), requested("flight:F2:1"))
    assert sorted(event.topic for event in told) == ["journal.posted", "journal.posted", "ledger.dead"]


async def test_a_balance_that_would_not_fit_is_refused_under_the_lock(ledger: Database) -> None:
    most = 10**15
    legs = (("liability:tax", -most), ("external:bank", most)) * 100
    for n in range(92):
        await ask(ledger, requested(f"manual:{n}", legs))
    refused = only(await ask(ledger, requested("manual:last", legs)), "journal.refused")
    assert refused.body["reason"] == "balance_too_large"
    assert "the balance of liability:tax would be -9224" in refused.body["sentence"]
    assert (await balances(ledger))["liability:tax"] == -92 * 100 * most


async def test_a_refused_request_redriven_is_judged_anew(ledger: Database) -> None:
    bad = requested("flight:BAD:1", (("student:s-1", -100), ("platform:school", 99)))
    await ask(ledger, bad)
    async with ledger.transaction() as tx:
        [letter] = await open_letters(tx)
        await redrive(tx, [letter.id], who="test")
    told = await ask(ledger, bad)
    assert only(told, "journal.refused").body["reason"] == "not_balanced"
    async with ledger.transaction() as tx:
        [letter] = await open_letters(tx)
    assert letter.attempts == 2


async def test_a_refused_source_may_be_asked_for_again_with_sound_content(ledger: Database) -> None:
    await ask(ledger, requested("flight:F1:1", (("student:s-1", -100), ("platform:school", 99))))
    [posted] = await ask(ledger, requested("flight:F1:1"))
    assert posted.topic == "journal.posted"
