"""What the doctor says of Stripe without the key: by what payouts and the gateway publish."""

from datetime import UTC, datetime
from typing import Any

import pytest

from fleet.settings import Settings
from hobbs.doctor.findings import Finding, State
from hobbs.doctor.stripe_seen import examine_stripe_seen
from schemas.stripe_webhooks import API_VERSION
from services.gateway import store as gateway
from services.gateway.domain.sightings import Reading, Sighting, Verdict
from services.payouts import store as payouts
from tests.conftest import OpenDatabase

STRIPE = "https://api.stripe.com"
SIMULATOR = "http://127.0.0.1:12111"

pytestmark = pytest.mark.usefixtures("hobbs")


async def runs_with(open_db: OpenDatabase, *, livemode: bool, api_base: str = STRIPE, **changed: Any) -> None:
    known = {"api_version": API_VERSION, "now": datetime.now(UTC), **changed}
    async with open_db("payouts").transaction() as tx:
        await payouts.stripe_mode.record(tx, livemode=livemode, api_base=api_base, **known)


async def came(open_db: OpenDatabase, **changed: Any) -> None:
    known: dict[str, Any] = {
        "endpoint": "platform",
        "verdict": Verdict.PUBLISHED,
        "livemode": False,
        "reading": Reading.PINNED,
        "api_version": API_VERSION,
        "event_id": "evt_1",
        "event_type": "charge.succeeded",
        "seen_at": datetime.now(UTC),
    }
    async with open_db("gateway").transaction() as tx:
        await gateway.webhook_sightings.add(tx, [(3, Sighting(**known | changed))])


async def said(state: State, *, livemode: bool = False, api_base: str = STRIPE) -> list[Finding]:
    findings = await examine_stripe_seen(Settings(), livemode=livemode, api_base=api_base)
    return [finding for finding in findings if finding.state is state]


async def test_before_payouts_ever_started_nothing_is_wrong() -> None:
    assert await said(State.wrong) == []
    assert [one.found for one in await said(State.ok)] == ["payouts has not started yet with a key"]


async def test_what_runs_as_it_should_is_told_with_its_address_and_version(open_db: OpenDatabase) -> None:
    await runs_with(open_db, livemode=False, api_base=SIMULATOR)
    await came(open_db)
    assert await said(State.wrong, api_base=SIMULATOR) == []
    [told] = await said(State.ok, api_base=SIMULATOR)
    assert told.found == f"payouts runs with a test key at {SIMULATOR}, API {API_VERSION}"


@pytest.mark.parametrize(
    ("livemode", "address", "says"),
    [
        (
            True,
            SIMULATOR,
            "HOBBS_STRIPE_API_BASE in live mode: a live key goes to https://api.stripe.com only",
        ),
        (True, "http://api.stripe.com", "a live key goes to https://api.stripe.com only"),
        (False, "http://simulator:12111", "HOBBS_STRIPE_API_BASE in test mode: a test key goes to"),
    ],
)
async def test_an_address_that_a_key_may_not_go_to_is_wrong_before_there_is_a_key(
    livemode: bool, address: str, says: str
) -> None:
    [wrong] = await said(State.wrong, livemode=livemode, api_base=address)
    assert says in wrong.found


async def test_a_live_key_at_another_address_is_wrong_also_when_an_old_release_runs_it(
    open_db: OpenDatabase,
) -> None:
    await runs_with(open_db, livemode=True, api_base=SIMULATOR)
    assert "a live key goes to" in (await said(State.wrong, livemode=True))[0].found


async def test_payouts_and_the_gateway_of_two_modes_are_wrong(open_db: OpenDatabase) -> None:
    await runs_with(open_db, livemode=True)
    await came(open_db)
    mode, events = await said(State.wrong)
    assert "with a live key" in mode.found
    assert "events of test mode are taken" in mode.found
    assert "HOBBS_STRIPE_LIVEMODE=true" in mode.fix
    assert "takes test events, and payouts' key is of the other mode" in events.found


async def test_a_database_of_the_other_mode_is_wrong_with_what_to_do(open_db: OpenDatabase) -> None:
    async with open_db("payouts").transaction() as tx:
        await tx.execute("UPDATE stripe_mode SET livemode = false")
        await tx.execute(
            "INSERT INTO inbox (event_key, payload_hash) VALUES (gen_random_uuid(), sha256('x'::bytea))"
        )
    await runs_with(open_db, livemode=True)
    [wrong] = await said(State.wrong, livemode=True)
    assert wrong.found == "the database holds test-mode money, and payouts has a live key"
    assert "empty database" in wrong.fix


@pytest.mark.parametrize(
    ("sent", "livemode", "says", "fix"),
    [
        ({"verdict": Verdict.REFUSED, "livemode": True}, False, "live events come to this test", "live mode"),
        ({"verdict": Verdict.DROPPED}, True, "test-mode events come to this live", "test mode"),
        ({"reading": Reading.OLDER, "api_version": "2020-08-27"}, False, "sends API 2020-08-27", API_VERSION),
        ({"reading": Reading.NEWER, "api_version": "2027-03-31.x"}, False, "sends API 2027-03-31.x", "anew"),
    ],
)
async def test_a_wrong_endpoint_at_stripe_is_wrong_here(
    open_db: OpenDatabase, sent: dict[str, Any], livemode: bool, says: str, fix: str
) -> None:
    await runs_with(open_db, livemode=livemode)
    await came(open_db, **sent)
    [wrong] = await said(State.wrong, livemode=livemode)
    assert says in wrong.found
    assert "3 events, the last evt_1 (charge.succeeded)" in wrong.found
    assert fix in wrong.fix


@pytest.mark.parametrize(
    ("sent", "says"),
    [
        ({"reading": Reading.THIN_UNREAD, "event_type": "v1.charge.succeeded"}, "no service acts on"),
        ({"reading": Reading.SAME_RELEASE, "api_version": "2026-09-30.endive"}, "compatible with"),
    ],
)
async def test_what_can_wait_is_a_hint(open_db: OpenDatabase, sent: dict[str, Any], says: str) -> None:
    await runs_with(open_db, livemode=False)
    await came(open_db, **sent)
    assert await said(State.wrong) == []
    [hint] = await said(State.warning)
    assert says in hint.found


async def test_test_events_at_a_live_connect_endpoint_are_as_stripe_means_it(open_db: OpenDatabase) -> None:
    await runs_with(open_db, livemode=True)
    await came(open_db, endpoint="connect", verdict=Verdict.DROPPED)
    assert await said(State.wrong, livemode=True) == []


async def test_a_database_that_is_not_migrated_is_a_hint(
    open_db: OpenDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOBBS_DATABASE_URL", "postgresql://nobody:nothing@127.0.0.1:1/nothing")
    [hint] = await said(State.warning)
    assert "cannot be read" in hint.found
