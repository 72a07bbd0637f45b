"""Who may write on the ledger's topics but is not who it says, or asks for another's, moves nothing."""

from collections.abc import Mapping
from functools import partial

import pytest

from fleet import proofs
from fleet.database import Database
from fleet.envelope import Record
from fleet.proved import NOT_PROVED, hand_proved
from schemas.proved import PROVED
from services.ledger.handlers import post_groups, post_journals, revert_journals
from tests.integration.ledger.books import FLIGHT, Legs, balances, journals, letters, requested, told
from tests.integration.ledger.test_reverts_and_groups import group, undo

PAYS: Legs = (("student:s-1", -500_000), ("instructor:new", 500_000))
WHO = PROVED["journal.requested"].by
KEYS = {name: (f"{name} old".ljust(32).encode(), f"{name} new".ljust(32).encode()) for name in WHO}
PUBLISHERS = proofs.Publishers(
    {
        (who, topic): [proofs.key_of_topic(key, topic) for key in KEYS[who]]
        for topic in ("journal.requested", "revert.requested")
        for who in WHO
    },
    PROVED,
)


async def post(ledger: Database, *batch: Record) -> None:
    """As the ledger's worker does where it has keys."""
    await hand_proved(ledger, PUBLISHERS, partial(post_journals, ledger, proved=True), batch)


async def revert(ledger: Database, *batch: Record) -> None:
    await hand_proved(ledger, PUBLISHERS, partial(revert_journals, ledger), batch)


def by(service: str, record: Record, *, key: bytes | None = None, says: str | None = None) -> Record:
    """The record as a service's relay publishes it. key: with this one; says: under this service's name."""
    headers = {**record.headers, "ce_source": f"hobbs/{says or service}"}
    sent = proofs.with_proof(
        proofs.key_of_topic(key or KEYS[service][-1], record.topic),
        record.topic,
        [(name, value.encode()) for name, value in headers.items()],
        record.key,
        record.value,
    )
    return record._replace(headers={name: value.decode() for name, value in sent})


def changed(record: Record, headers: Mapping[str, str] | None = None, **fields: object) -> Record:
    return record._replace(headers={**record.headers, **(headers or {})}, **fields)  # type: ignore[arg-type]


TRUE = requested("flight:F1:1", PAYS)
FORGED = {
    "without a proof": requested("flight:F1:1", PAYS),
    "another service's login under the publisher's name": by("payouts", TRUE, says="billing"),
    "another service's login under its own name": by("payouts", TRUE),
    "a stranger's key": by("billing", TRUE, key=b"k" * 32),
    "a service that asks for nothing": by("billing", TRUE, says="gateway"),
    "no source": changed(by("billing", TRUE), {"ce_source": ""}),
    "another body": changed(by("billing", TRUE), value=(TRUE.value or b"").replace(b"500000", b"900000")),
    "another event": changed(by("billing", TRUE), {"ce_id": "0190d4a2-0000-7000-8000-000000000000"}),
    "another partition's key": changed(by("billing", TRUE), key=b"flight:F2:1"),
    "another type": by("billing", requested("flight:F1:1", PAYS, event_type="payment")),
    "another prefix": by("billing", requested("adjustment:F1:2", PAYS)),
    "a type of nobody's": by("billing", requested("manual:1", PAYS, event_type="manual")),
    "a proof in letters that no proof has": changed(TRUE, {"ce_source": "hobbs/billing", "hobbs_proof": "é"}),
}


@pytest.mark.parametrize("forged", FORGED)
async def test_a_journal_that_its_service_did_not_ask_for_is_not_posted(
    ledger: Database, forged: str
) -> None:
    await post(ledger, FORGED[forged])
    assert await journals(ledger) == []
    assert {event.topic for event in await told(ledger)} == {"ledger.dead"}, "nobody is answered"
    [(reason, _)] = await letters(ledger)
    assert reason in (NOT_PROVED, "belongs_to_a_service")
    await post(ledger, by("billing", TRUE))  # the forged one took nothing from it
    assert (await balances(ledger))["instructor:new"] == 500_000


@pytest.mark.parametrize("number", [0, 1])
async def test_while_keys_are_rotated_the_old_and_the_new_are_believed(ledger: Database, number: int) -> None:
    await post(ledger, by("billing", TRUE, key=KEYS["billing"][number]))
    assert await journals(ledger) == ["flight:F1:1"]


async def test_nobody_is_refused_a_journal_in_anothers_name(ledger: Database) -> None:
    """A refusal is an answer that its service acts on: what cannot be read gets none either."""
    broken = requested("adjustment:F1:2", PAYS, event_type="adjustment")
    broken = broken._replace(value=(broken.value or b"").replace(b'"USD"', b'"usd"'))
    await post(ledger, by("payouts", broken))
    assert [event.topic for event in await told(ledger)] == ["ledger.dead"]


async def test_a_revert_is_asked_for_by_who_may(ledger: Database) -> None:
    await post(ledger, by("billing", requested("flight:F1:1", FLIGHT)))
    await revert(ledger, undo(), by("payouts", undo()))
    assert (await balances(ledger))["instructor:i-1"] == 60
    assert {reason for reason, _ in await letters(ledger)} == {NOT_PROVED}
    await revert(ledger, by("reserves", undo()))
    assert await balances(ledger) == {}


async def test_a_group_has_no_journal_of_a_service(ledger: Database) -> None:
    mine = requested("manual:1", (("student:s-1", -1), ("platform:school", 1)), event_type="manual")
    await post_groups(ledger, [group(mine, requested("flight:F1:1", PAYS))], proved=True)
    assert await journals(ledger) == []
    await post_groups(ledger, [group(mine)], proved=True)
    assert await journals(ledger) == ["manual:1"]
