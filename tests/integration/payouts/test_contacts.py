"""Names and addresses of people: kept in one table, erased for good, also while they are being stated."""

import asyncio
import json
import secrets
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any
from urllib.parse import urlsplit, urlunsplit
from uuid import UUID

import asyncpg
import pytest

from fleet import dead_letters, letters_telling
from fleet.database import Database, Tx
from fleet.decisions import Decision, Person, Ruling
from fleet.envelope import uuid7
from fleet.logins import add_login, remove_login
from fleet.vouches import vouch
from schemas.contacts import ContactChanged
from schemas.services import SERVICES
from services.payouts import handlers, store
from services.payouts.desk import persons
from services.payouts.domain.contacts import Contact
from tests.conftest import OpenDatabase
from tests.integration.payouts.test_stopped import broken
from tests.integration.payouts.world import World
from tests.support.payouts import SETTINGS
from tests.support.records import record

NAME, ADDRESS, WALLET = "Jo Planted", "jo.planted@example.org", "instructor:i1"


def asked(*also: str, wallet: str = WALLET, why: str = "they asked by letter") -> Decision:
    return Decision(
        decision_id=uuid7(),
        action="erase",
        object=wallet,
        parameters={"also": list(also)},
        who=Person(name="ann", roles=frozenset({"operator"}), channel="test"),
        why=why,
        dry_run=False,
        requested_at=datetime.now(UTC),
    )


async def erase(db: Database, decision: Decision | None = None) -> Ruling:
    async with db.transaction() as tx:
        return await persons.erase(tx, decision or asked(), datetime.now(UTC))


async def kept(world: World) -> list[tuple[Any, ...]]:
    rows = await world.rows("SELECT wallet, full_name, email FROM contact ORDER BY wallet")
    return [(row.wallet, row.full_name, row.email) for row in rows]


async def test_the_newest_statement_stands_in_whatever_order_they_come(world: World) -> None:
    now = world.clock()
    await world.stated(WALLET, full_name="Newer", stated_at=now)
    await world.stated(WALLET, full_name="Older", email=ADDRESS, stated_at=now - timedelta(days=1))
    assert await kept(world) == [(WALLET, "Newer", None)]


async def test_an_account_is_made_with_the_address_that_is_known_then_and_keeps_none(world: World) -> None:
    await world.stated(WALLET, full_name=NAME, email="old@example.org")
    await world.configured("i1")
    await world.stated(WALLET, full_name=NAME, email=ADDRESS)
    await world.work()
    [account] = world.control.state()["accounts"]
    assert account["email"] == ADDRESS
    [operation] = await world.operations("account")
    assert operation.state == "succeeded"
    assert "@" not in str(operation.params)


async def test_an_address_that_changed_while_the_request_was_in_doubt_makes_no_second_account(
    world: World,
) -> None:
    """The key is refused for other parameters: Stripe has the first request, and it is looked up."""
    await world.stated(WALLET, email="old@example.org")
    await world.configured("i1")
    world.control.add_fault("reset", when="after", path="/v2/core/accounts", count=1)
    await world.once()
    await world.stated(WALLET, email=ADDRESS)
    world.clock.advance(minutes=5)
    await world.work()
    world.clock.advance(hours=13)
    await world.work()
    [account] = world.control.state()["accounts"]
    assert account["email"] == "old@example.org"
    [operation] = await world.operations("account")
    assert operation.state == "succeeded"


async def test_what_is_erased_is_gone_and_stays_gone(world: World) -> None:
    stated = await world.stated(WALLET, full_name=NAME, email=ADDRESS)
    ruling = await erase(world.db)
    assert (ruling.done, ruling.sentence) == (True, f"{WALLET} erased")
    assert await kept(world) == [(WALLET, None, None)]
    await world.stated(WALLET, full_name=NAME, email=ADDRESS)  # a later school.toml that still has them
    again = stated._replace(headers={**stated.headers, "ce_id": str(uuid7())})
    await handlers.know_people(world.db, [again], accounts=world.accounts)
    assert await kept(world) == [(WALLET, None, None)]


async def test_erasing_again_changes_nothing(world: World) -> None:
    await world.stated(WALLET, full_name=NAME)
    await erase(world.db)
    before = await world.rows("SELECT * FROM erasure")
    ruling = await erase(world.db)
    assert (ruling.done, ruling.sentence, ruling.effects) == (True, f"{WALLET} erased already", ())
    assert await world.rows("SELECT * FROM erasure") == before


async def test_a_person_is_brought_back_only_by_a_statement_made_anew_after_it(world: World) -> None:
    early = world.clock() - timedelta(hours=1)
    await world.stated(WALLET, full_name=NAME, stated_at=early)
    await erase(world.db)
    await world.stated(WALLET, full_name=NAME, stated_at=early + timedelta(minutes=1), anew=True)
    assert await kept(world) == [(WALLET, None, None)]
    world.clock.advance(minutes=1)
    await world.stated(WALLET, full_name="Jo Again", anew=True)
    assert await kept(world) == [(WALLET, "Jo Again", None)]
    [noted] = await world.rows("SELECT stated_anew FROM payouts_public.erasures")
    assert noted.stated_anew
    assert (await erase(world.db)).sentence == f"{WALLET} erased"


async def test_a_person_of_whom_nothing_was_stated_is_erased_too(world: World) -> None:
    await erase(world.db, asked("student:s1", wallet="aircraft_owner:o1"))
    await world.stated("student:s1", full_name=NAME)
    assert await kept(world) == [("aircraft_owner:o1", None, None), ("student:s1", None, None)]


async def test_money_and_ids_stay(world: World) -> None:
    world.control.fund(100_000)
    await world.payee("i1", email=ADDRESS)
    await world.earned("i1", 8750)
    await erase(world.db)
    await world.work()
    assert world.paid() == [8750]


@pytest.mark.parametrize(
    ("decision", "said"),
    [
        (asked(wallet="external:stripe"), "no person's wallet"),
        (asked("platform:fees"), "no person's wallet"),
        (asked(why=" "), "say why"),
        (asked(*(f"student:{n}" for n in range(11))), "10 at most"),
    ],
)
async def test_what_is_no_person_or_has_no_reason_is_refused(
    world: World, decision: Decision, said: str
) -> None:
    ruling = await erase(world.db, decision)
    assert not ruling.done
    assert said in ruling.sentence
    assert await kept(world) == []


async def meeting(world: World, first: Callable[[Tx], Awaitable[Any]], second: Awaitable[Any]) -> Any:
    """Let `second` wait for what `first` has locked, then commit `first`; what `second` answered."""
    locked, go_on = asyncio.Event(), asyncio.Event()

    async def hold() -> None:
        async with world.db.transaction() as tx:
            await first(tx)
            locked.set()
            await go_on.wait()

    holding = asyncio.create_task(hold())
    await locked.wait()
    waiting = asyncio.ensure_future(second)
    await somebody_waits(world)
    assert not waiting.done()
    go_on.set()
    await holding
    return await waiting


async def test_a_statement_that_is_handled_while_the_person_is_erased_brings_nothing_back(
    world: World,
) -> None:
    """The statement's transaction has the row; the erasure waits for it, and erases what it wrote."""
    stated = Contact(wallet=WALLET, full_name=NAME, email=ADDRESS, stated_at=world.clock())
    ruling = await meeting(world, lambda tx: store.contacts.keep(tx, [stated]), erase(world.db))
    assert ruling.sentence == f"{WALLET} erased"
    assert await kept(world) == [(WALLET, None, None)]


async def test_an_erasure_that_is_under_way_wins_over_a_statement_that_waits_for_it(world: World) -> None:
    await world.stated(WALLET, full_name="Before")
    await meeting(
        world,
        lambda tx: persons.erase(tx, asked(), datetime.now(UTC)),
        world.stated(WALLET, full_name=NAME, email=ADDRESS),
    )
    assert await kept(world) == [(WALLET, None, None)]


async def test_two_erasures_at_once_are_one(world: World) -> None:
    await world.stated(WALLET, full_name=NAME)
    ruling = await meeting(
        world,
        lambda tx: persons.erase(tx, asked("student:s1"), datetime.now(UTC)),
        erase(world.db, asked("student:s1")),
    )
    assert ruling.sentence == f"{WALLET}, student:s1 erased already"
    assert len(await world.rows("SELECT * FROM erasure")) == 2


async def test_many_erasures_and_statements_at_once_end_erased_without_a_deadlock(world: World) -> None:
    people = [f"student:s{n}" for n in range(5)]
    work: list[Any] = [world.stated(person, full_name=f"{NAME} {n}") for n in range(4) for person in people]
    work[10:10] = [erase(world.db, asked(*reversed(people[1:]), wallet=people[0])) for _ in range(4)]
    await asyncio.gather(*work)
    assert {(name, email) for _, name, email in await kept(world)} == {(None, None)}
    assert len(await world.rows("SELECT * FROM erasure")) == 5


async def somebody_waits(world: World) -> None:
    """Return once a session waits for another's lock."""
    for _ in range(200):
        rows = await world.rows("SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
        if rows:
            return
        await asyncio.sleep(0.02)
    raise AssertionError("nobody waits")


async def test_no_constraint_lets_a_name_be_kept_elsewhere(world: World, owner_url: str) -> None:
    connection = await asyncpg.connect(owner_url, server_settings={"search_path": "payouts"})
    try:
        for attack in (
            "INSERT INTO contact (wallet, full_name, erased_at) VALUES ('student:x', 'Jo', now())",
            "INSERT INTO contact (wallet, full_name, stated_at) VALUES ('platform:x', 'Jo', now())",
        ):
            with pytest.raises(asyncpg.CheckViolationError):
                await connection.execute(attack)
    finally:
        await connection.close()


@pytest.mark.parametrize("service", [name for name in SERVICES if name != "payouts"])
async def test_no_other_service_reads_names(service: str, open_db: OpenDatabase) -> None:
    with pytest.raises(Exception, match="permission denied"):
        async with open_db(service).transaction() as tx:
            await tx.all("SELECT * FROM payouts_public.names")


async def test_a_record_of_people_that_cannot_be_read_leaves_nothing_in_its_letter(world: World) -> None:
    spoilt = record("contact.changed", f'{{"wallet": "{WALLET}", "full_name": "{NAME}"}}'.encode())
    await handlers.know_people(world.db, [spoilt], accounts=world.accounts)
    [letter] = await world.rows("SELECT value, headers::text AS headers, payload_hash FROM dead_letter")
    assert letter.value is None
    assert letter.payload_hash == sha256(spoilt.value or b"").digest()
    assert NAME not in letter.headers


@pytest.mark.parametrize(
    "body",
    [
        f"{NAME} is no JSON",
        f'{{"version": "{NAME.upper()}"}}',
        json.dumps({"version": "J\u00f8rn \u00d6st"}),
        '{"version": "J\u00f8rn \u00d6st"}',
    ],
)
async def test_letters_that_name_a_person_are_found_and_forgotten_for_good(world: World, body: str) -> None:
    spoilt = record("school.accepted", body.encode(), key="school")
    await handlers.configure_payees(world.db, [spoilt], accounts=world.accounts)
    async with world.db.transaction() as tx:
        assert await letters_telling.telling_of(tx, ["Somebody Else", ""]) == []
        [found] = await letters_telling.telling_of(tx, [NAME, "J\u00f8rn \u00d6st"])
        assert await dead_letters.forget(tx, [found], who="ann", why="erased") == [found]
        assert await dead_letters.forget(tx, [found], who="ann", why="again") == []
        assert await dead_letters.redrive(tx, [found], who="ann") == []
    await handlers.configure_payees(world.db, [spoilt], accounts=world.accounts)  # the topic is read again
    [letter] = await world.rows("SELECT value, key, state, attempts, history FROM dead_letter")
    assert (letter.value, letter.key, letter.state, letter.attempts) == (None, None, "discarded", 1)
    assert [step["what"] for step in letter.history] == ["refused", "forgotten"]
    assert await broken(world) == {}


async def test_nobody_without_a_login_says_where_mail_reaches_a_payee(world: World, owner_url: str) -> None:
    """Once people have logins, what is stated under the operator's user at the brokers alone is nobody's."""
    now = world.clock()
    told = ContactChanged(wallet=WALLET, full_name=NAME, email="thief@example.org", stated_at=now)
    sent = [
        record("contact.changed", told, ce_id=uuid7(), ce_source="hobbs/operator", key=WALLET)
        for _ in range(2)
    ]
    name = f"ann_{secrets.token_hex(4)}"
    password = await add_login(owner_url, name, "repairs")
    try:
        await handlers.know_people(world.db, [sent[0]], accounts=SETTINGS.accounts)
        assert await kept(world) == []
        letters = await world.rows("SELECT reason, value FROM dead_letter")
        assert [tuple(row) for row in letters] == [("not_vouched", None)]
        parts = urlsplit(owner_url)
        login = parts._replace(netloc=f"person_{name}:{password}@{parts.hostname}:{parts.port}")
        database = Database(urlunsplit(login), schema="payouts_public", pool_size=1)
        async with database.transaction() as tx:
            await vouch(tx, UUID(sent[1].headers["ce_id"]), (sent[1].value or b"") + b" ")
        await handlers.know_people(world.db, [sent[1]], accounts=SETTINGS.accounts)
        assert await kept(world) == [], "a word for another body"
        again = record("contact.changed", told, ce_id=uuid7(), ce_source="hobbs/operator", key=WALLET)
        async with database.transaction() as tx:
            await vouch(tx, UUID(again.headers["ce_id"]), again.value or b"")
        await database.close()
        await handlers.know_people(world.db, [again], accounts=SETTINGS.accounts)
        assert await kept(world) == [(WALLET, NAME, "thief@example.org")]
    finally:
        await remove_login(owner_url, name)
