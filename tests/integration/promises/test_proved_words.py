"""What one service says to another counts when it proves that it said it: each topic, each who may not.

The handlers are the workers' own, with the keys that `make secrets` makes for them.
"""

import pytest

from fleet import proofs
from fleet.envelope import Record
from fleet.proved import NOT_PROVED
from schemas.proved import PROVED, PROVES, publishers_keys
from tests.integration.billing.given import completed
from tests.integration.promises.conftest import Build, Service
from tests.integration.promises.consumed import CONSUMED, Consumed
from tests.integration.promises.test_isolation import given

KEYS = {who: f"the key of {who}".ljust(32, "x") for who in PROVES}
ASKED = [one for one in CONSUMED if one.topic in PROVED and PROVED[one.topic].by]
SERVICES_ONLY = [one for one in ASKED if not PROVED[one.topic].others]


def by(who: str, record: Record, *, key_of: str | None = None, topic: str | None = None) -> Record:
    """The record as a service's relay publishes it. key_of: with another's key; topic: made for another."""
    headers = {**record.headers, "ce_source": f"hobbs/{who}"}
    key = proofs.key_of_topic(KEYS[key_of or who].encode(), topic or record.topic)
    sent = proofs.with_proof(
        key,
        topic or record.topic,
        [(name, value.encode()) for name, value in headers.items()],
        record.key,
        record.value,
    )
    return record._replace(headers={name: value.decode() for name, value in sent})


def without_proof(who: str, record: Record) -> Record:
    """As who has a service's login at the brokers publishes it."""
    return record._replace(headers={**record.headers, "ce_source": f"hobbs/{who}"})


def forged(consumed: Consumed) -> dict[str, Record]:
    """The topic's event by each who may not write it, and by who has the login of one that may."""
    publishers = PROVED[consumed.topic].by
    cases: dict[str, Record] = {}
    for who in PROVES:
        cases[f"{who}'s login at the brokers"] = without_proof(who, consumed.event(2))
        cases[f"{who}, by its own key, as the publisher"] = by(publishers[0], consumed.event(2), key_of=who)
        cases[f"{who} by its own key"] = by(who, consumed.event(2))
    for who in publishers:
        del cases[f"{who} by its own key"]
    del cases[f"{publishers[0]}, by its own key, as the publisher"]
    nobody = consumed.event(2)
    cases["nobody"] = nobody._replace(headers={**nobody.headers, "ce_source": ""})
    other = next(topic for topic in PROVED if topic != consumed.topic)
    cases["a proof of another topic"] = by(publishers[0], consumed.event(2), topic=other)
    new_id = {"ce_id": "0190d4a2-0000-7000-8000-000000000000"}
    body, place, event, letters = (by(publishers[0], consumed.event(2)) for _ in range(4))
    cases["another body"] = body._replace(value=(body.value or b"") + b" ")
    cases["another place"] = place._replace(key=b"another key")
    cases["another event"] = event._replace(headers={**event.headers, **new_id})
    cases["letters that no proof has"] = letters._replace(headers={**letters.headers, proofs.PROOF: "é"})
    return cases


async def asked(build: Build, consumed: Consumed, monkeypatch: pytest.MonkeyPatch) -> Service:
    """The service of a topic, with its keys, after what must have happened before."""
    await given(build, consumed)
    return await keyed(build, consumed.service, monkeypatch)


async def keyed(build: Build, name: str, monkeypatch: pytest.MonkeyPatch) -> Service:
    known = {who: [key] for who, key in KEYS.items()}
    monkeypatch.setenv("HOBBS_PUBLISHERS_KEYS", publishers_keys(name, known))
    return await build(name)


async def effects(service: Service) -> dict[str, int]:
    """How many rows each table of the service has, but for those of letters and of what is published."""
    tables = await service.owner.fetch(
        "SELECT tablename FROM pg_tables WHERE schemaname = current_schema() "
        "AND tablename NOT LIKE 'dead_letter%' AND tablename NOT LIKE 'outbox%'"
    )
    count = "SELECT count(*) FROM {}"
    return {name: await service.owner.fetchval(count.format(name)) for [name] in tables}


@pytest.mark.parametrize("consumed", SERVICES_ONLY, ids=str)
async def test_what_no_publisher_proves_is_buried_and_has_no_effect(
    build: Build, consumed: Consumed, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = await asked(build, consumed, monkeypatch)
    before, cases = await effects(service), forged(consumed)
    await service.handle(consumed.topic, list(cases.values()))
    assert [reason for reason, _ in await service.letters()] == [NOT_PROVED] * len(cases)
    assert await effects(service) == before
    await service.handle(consumed.topic, [by(PROVED[consumed.topic].by[0], consumed.event(2))])
    assert (await effects(service))["inbox"] == before["inbox"] + 1
    assert len(await service.letters()) == len(cases)


@pytest.mark.parametrize("consumed", SERVICES_ONLY[:1], ids=str)
async def test_what_was_admitted_before_there_were_keys_is_a_repeat(
    build: Build, consumed: Consumed, monkeypatch: pytest.MonkeyPatch
) -> None:
    unproved = without_proof(PROVED[consumed.topic].by[0], consumed.event(2))
    await (await given(build, consumed)).handle(consumed.topic, [unproved])
    service = await keyed(build, consumed.service, monkeypatch)
    before = await effects(service)
    await service.handle(consumed.topic, [unproved])
    assert (await effects(service), await service.letters()) == (before, [])


async def test_whoever_has_the_operators_user_posts_no_group_and_moves_no_hold(
    build: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would be a journal that no login vouches for and no second person saw (docs/decisions/0326)."""
    groups = next(one for one in CONSUMED if one.topic == "group.requested")
    holds = next(one for one in ASKED if one.topic == "hold.requested")
    service = await asked(build, groups, monkeypatch)
    before = await effects(service)
    for consumed in (groups, holds):
        for who in ("operator", *PROVES):
            await service.handle(consumed.topic, [without_proof(who, consumed.event(2))])
    await service.handle("group.requested", [by("billing", groups.event(1))])
    assert {reason for reason, _ in await service.letters()} == {NOT_PROVED}
    assert await effects(service) == before


FLIGHT = next(one for one in ASKED if one.topic == "flight.completed")


@pytest.mark.parametrize("name", ["gateway", "flights"])
async def test_who_takes_the_gateways_next_id_takes_nothing_from_it(
    build: Build, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Who has the scheduling system's user knows the id in advance and sends something under it first."""
    service = await asked(build, FLIGHT, monkeypatch)
    true = by("gateway", completed(flight_id="F1"))
    squatter = without_proof(name, completed(flight_id="F9"))
    squatter = squatter._replace(headers={**squatter.headers, "ce_id": true.headers["ce_id"]})
    await service.handle(FLIGHT.topic, [squatter])
    await service.handle(FLIGHT.topic, [true])
    assert await service.letters() == []
    assert await billed(service) == ["F1", "F9"]
    await service.handle(FLIGHT.topic, [squatter, true, true])
    assert (await service.letters(), await billed(service)) == ([], ["F1", "F9"])


async def test_a_strangers_record_does_not_say_which_content_a_repeat_has(
    build: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = await asked(build, FLIGHT, monkeypatch)
    said = {"ce_hobbscontent": "the same"}
    one = without_proof("gateway", completed(flight_id="F1"))
    one = one._replace(headers={**one.headers, **said})
    other = completed(flight_id="F2")._replace(headers=one.headers)
    await service.handle(FLIGHT.topic, [one, other])
    assert [reason for reason, _ in await service.letters()] == ["event_id_reused"]


async def test_a_gateways_flight_that_was_billed_before_there_were_keys_is_a_repeat(
    build: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    unproved = without_proof("gateway", completed(flight_id="F1"))
    await (await given(build, FLIGHT)).handle(FLIGHT.topic, [unproved])
    service = await keyed(build, "billing", monkeypatch)
    admitted = await service.admitted()
    await service.handle(FLIGHT.topic, [unproved])
    assert (await service.admitted(), await service.letters(), await billed(service)) == (
        admitted,
        [],
        ["F1"],
    )


async def test_a_flight_by_a_file_and_by_the_gateway_is_one_flight(
    build: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = await asked(build, FLIGHT, monkeypatch)
    for first, flight in (("flights", "F1"), ("gateway", "F2")):
        of_file = without_proof("flights", completed(flight_id=flight))
        true = by("gateway", of_file)
        await service.handle(FLIGHT.topic, [of_file, true] if first == "flights" else [true, of_file])
    assert (await service.letters(), await billed(service)) == ([], ["F1", "F2"])


@pytest.mark.parametrize("topic", ["school.configured", "limit.requested"])
async def test_whoever_has_the_operators_user_changes_no_book_and_no_limit(
    build: Build, monkeypatch: pytest.MonkeyPatch, topic: str
) -> None:
    """It would be a rate that no login vouches for and no second person saw (docs/decisions/0332)."""
    commands = next(one for one in CONSUMED if one.topic == topic)
    service = await asked(build, commands, monkeypatch)
    before = await effects(service)
    for who in ("operator", *PROVES):
        await service.handle(topic, [without_proof(who, commands.event(2))])
    assert {reason for reason, _ in await service.letters()} == {NOT_PROVED}
    assert await effects(service) == before


async def billed(service: Service) -> list[str]:
    rows = await service.owner.fetch("SELECT flight_id FROM bill ORDER BY flight_id")
    return [row["flight_id"] for row in rows]
