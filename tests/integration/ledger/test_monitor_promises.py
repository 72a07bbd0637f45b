"""A crossing is told exactly once: whoever is at it at the same time, whatever dies, whoever asks again."""

import asyncio
import random

import asyncpg
import pytest

from fleet import faults
from fleet.database import Database
from fleet.envelope import Record
from services.ledger.desk import reads
from services.ledger.handlers import change_holds, post_journals
from tests.integration.ledger.books import ask, journals, letters, requested, told
from tests.integration.ledger.test_concurrency import until_waiting, wallet_id
from tests.integration.ledger.test_holds import hold
from tests.integration.ledger.watching import CROSSED, STUDENT, crossings, heard, low, unwatch, watch
from tests.support.invariants import broken_invariants

SCHOOL = "platform:school"
WORKERS, BATCHES, JOURNALS = 4, 6, 30


def paid(name: str, amount: int, wallet: str = STUDENT) -> Record:
    return requested(f"payment:{name}", ((wallet, amount), ("external:bank", -amount)))


async def expected(owner: asyncpg.Connection, wallet: str, threshold: int) -> list[tuple[bool, int, int]]:
    """(beyond, balance, version) of each crossing of a `below` monitor, walked along the statement."""
    rows = await owner.fetch(
        "SELECT balance_after, version FROM ledger_public.entries WHERE address = $1 ORDER BY version", wallet
    )
    walked: list[tuple[bool, int, int]] = []
    beyond = False
    for row in rows:
        if (row["balance_after"] < threshold) != beyond:
            beyond = not beyond
            walked.append((beyond, row["balance_after"], row["version"]))
    return walked


async def test_workers_at_once_tell_exactly_what_the_running_balances_say(
    ledger: Database, owner: asyncpg.Connection
) -> None:
    chance = random.Random(8)
    wallets = [STUDENT, SCHOOL, "student:s-2"]
    for wallet in wallets:
        await watch(ledger, low(-5, monitor=wallet, wallet=wallet, watches="posted"))
    batches = [
        [
            # Of each wallet's journals two and two take and give the same: each pair crosses and comes back.
            paid(f"{b}-{n}", (-1) ** (n // 3 + 1) * (20 + (b + n // 6) % 20), wallets[n % 3])
            for n in range(JOURNALS)
        ]
        for b in range(WORKERS * BATCHES)
    ]
    everything = list(range(WORKERS * BATCHES))

    async def work(mine: list[int]) -> None:
        for b in mine:
            await post_journals(ledger, batches[b])

    plans = [everything[w::WORKERS] for w in range(WORKERS)]
    zombie = chance.sample(everything, 6)  # a worker that was thought dead replays what others are at
    await asyncio.gather(*(work(plan) for plan in plans), work(zombie))
    assert len(await journals(ledger)) == WORKERS * BATCHES * JOURNALS
    for wallet in wallets:
        found = [(one.beyond, one.balance, one.version) for one in await crossings(ledger, wallet)]
        assert found == await expected(owner, wallet, -5)
        assert len(found) == WORKERS * BATCHES * JOURNALS // 3


async def test_holds_and_journals_at_once_leave_each_monitor_where_its_balance_is(ledger: Database) -> None:
    """The invariants, checked after every test, say so; here they get something to say."""
    await watch(ledger, low(0))
    await watch(ledger, low(2, monitor="kept", watches="pending", comparison="above"))
    for n in range(12):
        await asyncio.gather(
            change_holds(ledger, [hold(name=f"a{n}", amount=2), hold(name=f"b{n}", amount=1)]),
            post_journals(ledger, [paid(f"{n}-{k}", (-1) ** k * 2) for k in range(6)]),
        )
        await asyncio.gather(
            change_holds(ledger, [hold("void", f"a{n}"), hold("post", f"b{n}", to_wallet="platform:school")]),
            post_journals(ledger, [paid(f"more {n}", 1)]),
        )
    assert [one.crossing for one in await crossings(ledger, "kept")] == list(range(1, 25))
    assert len(await crossings(ledger)) >= 10


async def test_redelivered_and_asked_again_a_journal_tells_its_crossing_once(ledger: Database) -> None:
    await watch(ledger, low(0))
    record, again = paid("1", -1), paid("1", -1)
    for batch in ([record], [record], [record, again], [again]):
        await ask(ledger, *batch)
    assert await heard(ledger) == [(True, -1, "journal")]
    assert len({event.event_id for event in await told(ledger) if event.topic == CROSSED}) == 1


async def test_a_hold_asked_for_again_tells_its_crossing_once(ledger: Database) -> None:
    await watch(ledger, low(0))
    for command in (hold(), hold(), hold("void"), hold("void")):
        await change_holds(ledger, [command])
    assert [beyond for beyond, _, _ in await heard(ledger)] == [True, False]


@pytest.mark.parametrize("point", ["ledger.journals_written", "outbox.staged", "transaction.before_commit"])
async def test_a_worker_that_dies_before_its_commit_has_told_nothing(
    ledger: Database, monkeypatch: pytest.MonkeyPatch, point: str
) -> None:
    await watch(ledger, low(0))
    batch = [paid("1", -1), paid("2", +1), paid("3", -1)]
    with monkeypatch.context() as patched:
        patched.setattr(faults, "_plan", faults.Plan(faults.parse_plan(f"{point}=raise@1"), None))
        with pytest.raises(faults.InjectedFault):
            await post_journals(ledger, batch)
    assert await heard(ledger) == []
    await post_journals(ledger, batch)
    await post_journals(ledger, batch)
    assert [beyond for beyond, _, _ in await heard(ledger)] == [True, False, True]


async def test_a_batch_that_is_halved_tells_each_crossing_once(
    ledger: Database, owner: asyncpg.Connection
) -> None:
    """The first tries are rolled back to their savepoints, with all they told."""
    await owner.execute("ALTER TABLE journal ADD CONSTRAINT memo_is_not_cursed CHECK (memo <> 'cursed')")
    await watch(ledger, low(0))
    cursed = requested("payment:cursed", ((STUDENT, -100), ("external:bank", 100)), memo="cursed")
    await ask(ledger, paid("1", -1), paid("2", +1), cursed, paid("3", -1), paid("4", +1))
    assert await letters(ledger) == [("memo_is_not_cursed", "payment:cursed")]
    assert [beyond for beyond, _, _ in await heard(ledger)] == [True, False, True, False]


async def test_a_monitor_set_while_a_batch_is_under_way_misses_nothing(
    ledger: Database, owner: asyncpg.Connection
) -> None:
    """Whoever comes second at the wallet's lock sees what the first one left."""
    await ask(ledger, paid("opening", 100))
    async with owner.transaction():
        await owner.execute("SELECT acquire_wallet_lock($1)", await wallet_id(owner, STUDENT))
        posting = asyncio.create_task(post_journals(ledger, [paid("1", -90)]))
        await until_waiting(owner)
        setting = asyncio.create_task(watch(ledger, low(50)))
        await until_waiting(owner, sessions=2)
    await asyncio.gather(posting, setting)
    assert [(beyond, balance) for beyond, balance, _ in await heard(ledger)] == [(True, 10)]


async def test_a_monitor_set_and_removed_all_the_time_never_stops_posting(ledger: Database) -> None:
    async def come_and_go() -> None:
        for n in range(25):
            await watch(ledger, low(0 if n % 2 else 1))
            if n % 5 == 4:
                await unwatch(ledger)

    async def post(worker: int) -> None:
        for n in range(25):
            await post_journals(ledger, [paid(f"{worker}-{n}-{k}", (-1) ** (n + k)) for k in range(3)])

    await asyncio.gather(come_and_go(), post(1), post(2))
    assert len(await journals(ledger)) == 150
    by_life: dict[int, list[bool]] = {}
    async with ledger.transaction() as tx:
        rows = await tx.all("SELECT monitor_id, beyond FROM ledger_public.crossings ORDER BY monitor_id, nr")
        assert await reads.monitors.list_monitors(tx) == []
    for row in rows:
        by_life.setdefault(row.monitor_id, []).append(row.beyond)
    assert all(life == [n % 2 == 0 for n in range(len(life))] for life in by_life.values())
    assert all(len(life) % 2 == 0 for life in by_life.values())  # removed: nobody waits for the end of it


async def test_a_transaction_that_cannot_see_a_monitor_cannot_cross_it(
    ledger: Database, owner: asyncpg.Connection
) -> None:
    """A DBA's repeatable read keeps the picture of its first statement: then the journal is refused."""
    await ask(ledger, paid("opening", 1))
    legs = '[{"wallet": "student:s-1", "amount": -9}, {"wallet": "external:bank", "amount": 9}]'
    await owner.execute("BEGIN ISOLATION LEVEL REPEATABLE READ; TABLE monitor")
    await watch(ledger, low(0))
    with pytest.raises(asyncpg.SerializationError):
        await owner.execute("SELECT post_journal_with_locks(uuidv7(), 'manual', '1', 'USD', $1)", legs)
    await owner.execute("ROLLBACK")
    assert await heard(ledger) == []


async def test_two_who_set_one_name_at_once_make_one_monitor(ledger: Database) -> None:
    await ask(ledger, paid("opening", 1))
    both = await asyncio.gather(watch(ledger, low(5)), watch(ledger, low(5)))
    assert sorted(one.repeated for one in both) == [False, True]
    assert await heard(ledger) == [(True, 1, "setting")]


@pytest.mark.parametrize(
    ("statement", "rule"),
    [
        ("UPDATE monitor SET threshold = 0", "monitor_follows_its_settings"),
        ("UPDATE monitor SET name = 'other'", "monitor_follows_its_settings"),
        ("DELETE FROM monitor", "monitor_is_append_only"),
        ("DELETE FROM monitor_setting", "monitor_setting_is_append_only"),
        ("UPDATE monitor_setting SET set_by = 'nobody'", "monitor_setting_is_append_only"),
        ("UPDATE crossing SET posted = 0", "crossing_is_append_only"),
        ("DELETE FROM crossing", "crossing_is_append_only"),
        ("TRUNCATE crossing", "crossing_is_append_only"),
        ("INSERT INTO crossing SELECT * FROM crossing", "crossing_follows_the_balance"),
        (
            "INSERT INTO monitor (name, wallet_id, currency, watches, comparison, threshold, recovers_at)"
            " SELECT 'x', wallet_id, currency, watches, comparison, threshold, recovers_at FROM monitor",
            "monitor_starts_without_threshold",
        ),
    ],
)
async def test_not_even_the_owner_changes_what_was_told_or_how_it_was_judged(
    ledger: Database, owner: asyncpg.Connection, statement: str, rule: str
) -> None:
    await watch(ledger, low(1))
    with pytest.raises(asyncpg.CheckViolationError) as caught:
        await owner.execute("SET session_replication_role = replica;" + statement)
    assert caught.value.constraint_name == rule


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO monitor_setting (monitor_id, threshold, recovers_at) VALUES (1, 0, 0)",
        "INSERT INTO monitor (name, wallet_id, currency, watches, comparison)"
        " VALUES ('x', 1, 'USD', 'posted', 'below')",
        "INSERT INTO crossing SELECT * FROM crossing",
        "SELECT tell_crossings('{}', 'journal')",
        "ALTER TABLE entry DISABLE TRIGGER entries_cross_thresholds",
    ],
)
async def test_the_worker_sets_monitors_by_their_function_only(
    ledger: Database, owner: asyncpg.Connection, statement: str
) -> None:
    await watch(ledger, low(1))
    await owner.execute("SET SESSION AUTHORIZATION hobbs_ledger")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await owner.execute(statement)


@pytest.mark.parametrize("view", ["monitors", "crossings"])
async def test_readers_see_monitors_and_crossings_and_holders_do_not(
    ledger: Database, owner: asyncpg.Connection, view: str
) -> None:
    await watch(ledger, low(1))
    await owner.execute("SET ROLE hobbs_finance")
    assert len(await owner.fetch(f"TABLE ledger_public.{view}")) == 1
    await owner.execute("SET ROLE hobbs_student")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await owner.execute(f"TABLE ledger_public.{view}")


async def test_a_monitor_whose_trigger_was_off_is_found_by_the_invariants(
    ledger: Database, owner: asyncpg.Connection
) -> None:
    await watch(ledger, low(0))
    await owner.execute("ALTER TABLE entry DISABLE TRIGGER entries_cross_thresholds")
    await ask(ledger, paid("1", -1))
    assert set(await broken_invariants(ledger)) == {"monitors_agree_with_their_balance"}
    await owner.execute("ALTER TABLE entry ENABLE ALWAYS TRIGGER entries_cross_thresholds")
    await watch(ledger, low(1))  # judged anew
    assert await heard(ledger) == [(True, -1, "setting")]
