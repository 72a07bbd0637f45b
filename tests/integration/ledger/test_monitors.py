"""Monitors: what crosses, what is told of it, and what a set, changed or removed monitor says."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from fleet.database import Database
from fleet.envelope import Record
from schemas.monitors import BalanceCrossed
from services.ledger.desk import decisions, reads
from services.ledger.domain.holds import RefusedCommand
from services.ledger.handlers import change_limits, expire_holds
from tests.integration.ledger.books import ask, only, requested, told
from tests.integration.ledger.test_holds import hold, limit, order
from tests.integration.ledger.test_reverts_and_groups import group, grouped, reverted, undo
from tests.integration.ledger.watching import CROSSED, STUDENT, crossings, heard, low, unwatch, watch


def paid(name: str, amount: int) -> Record:
    """A journal that moves the student's balance by `amount`."""
    return requested(f"payment:{name}", (("external:bank", -amount), (STUDENT, amount)))


def run(*amounts: int, start: int = 0) -> list[Record]:
    return [paid(str(start + n), amount) for n, amount in enumerate(amounts)]


@pytest.fixture
async def watched(ledger: Database) -> Database:
    """The student has 1000, and `low` tells when that is below 500."""
    await ask(ledger, paid("opening", 1000))
    await watch(ledger, low(500))
    return ledger


async def test_a_crossing_is_told_once_and_coming_back_once_more(watched: Database) -> None:
    for record in run(-400, -101, -100, +100, +1, +1, +500):
        await ask(watched, record)
    assert await heard(watched) == [(True, 499, "journal"), (False, 500, "journal")]


async def test_what_is_told_is_complete(watched: Database) -> None:
    await watch(watched, low(500, memo="ask for a top-up", recovers_at=600))
    await order(watched, hold(amount=10))
    events = await ask(watched, paid("1", -600))
    posted, event = only(events, "journal.posted"), only(events, CROSSED)
    assert event.key == STUDENT
    assert set(event.body) == set(BalanceCrossed.model_fields)
    said = dict(event.body)
    assert datetime.now(UTC) - datetime.fromisoformat(said.pop("crossed_at")) < timedelta(minutes=1)
    assert said == {
        "monitor": "low",
        "crossing": 1,
        "wallet": STUDENT,
        "currency": "USD",
        "watches": "available",
        "comparison": "below",
        "threshold": 500,
        "recovers_at": 600,
        "beyond": True,
        "direction": "fell",
        "because": "journal",
        "balance": 390,
        "posted_balance": 400,
        "pending_balance": 10,
        "available_balance": 390,
        "version": 2,
        "journal_id": posted.body["journal_id"],
        "hold": None,
        "memo": "ask for a top-up",
    }


@pytest.mark.parametrize(
    ("comparison", "amounts", "expected"),
    [
        ("below", (-500, -1, +1), [(True, 499), (False, 500)]),
        ("at_most", (-499, -1, +1), [(True, 500), (False, 501)]),
        ("above", (+500, +1, -1), [(True, 1501), (False, 1500)]),
        ("at_least", (+499, +1, -1), [(True, 1500), (False, 1499)]),
    ],
)
async def test_each_comparison_crosses_at_its_own_minor_unit(
    ledger: Database, comparison: str, amounts: Sequence[int], expected: Sequence[tuple[bool, int]]
) -> None:
    await ask(ledger, paid("opening", 1000))
    threshold = 500 if comparison in ("below", "at_most") else 1500
    await watch(ledger, low(threshold, comparison=comparison))
    await ask(ledger, *run(*amounts))
    assert [(beyond, balance) for beyond, balance, _ in await heard(ledger)] == list(expected)
    first = "fell" if comparison in ("below", "at_most") else "rose"
    back = "rose" if first == "fell" else "fell"
    assert [one.direction for one in await crossings(ledger)] == [first, back]


@pytest.mark.parametrize("batch", [1, 2, 5, 20])
async def test_what_is_told_does_not_depend_on_what_is_posted_together(watched: Database, batch: int) -> None:
    records = run(-600, +200, -50, -51, +1, +900, -902, +901, -2000, +3000)
    for start in range(0, len(records), batch):
        await ask(watched, *records[start : start + batch])
    balances = [400, 600, 499, 500, 498, 1399, -601, 2399]
    assert await heard(watched) == [(n % 2 == 0, b, "journal") for n, b in enumerate(balances)]
    sources = [1, 2, 4, 5, 7, 8, 9, 10]
    async with watched.transaction() as tx:
        found = await reads.monitors.list_crossings(tx, monitor="low", most=100)
    assert [one.source for one in found] == [f"payment:{n - 1}" for n in sources]
    assert [one.version for one in found] == [n + 1 for n in sources]


async def test_between_two_entries_of_one_journal_nothing_is_crossed(watched: Database) -> None:
    legs = ((STUDENT, -900), (STUDENT, +850), ("external:bank", 50))
    await ask(watched, requested("swap:1", legs), requested("swap:2", legs))
    assert await heard(watched) == []
    await ask(watched, requested("swap:3", ((STUDENT, +900), (STUDENT, -1301), ("external:bank", 401))))
    assert await heard(watched) == [(True, 499, "journal")]


async def test_around_a_threshold_with_a_distance_only_real_recoveries_count(watched: Database) -> None:
    await watch(watched, low(500, recovers_at=600))
    await ask(watched, *run(-501, +1, -1, +100, -100, +101, -100, -1, -1, +200))
    assert [(beyond, balance) for beyond, balance, _ in await heard(watched)] == [
        (True, 499),
        (False, 600),
        (True, 499),
        (False, 698),
    ]


async def test_holds_cross_what_is_available_and_what_is_pending(watched: Database) -> None:
    await watch(watched, low(600, monitor="kept", watches="pending", comparison="at_least"))
    await watch(watched, low(500, monitor="books", watches="posted"))
    await order(watched, hold(name="a", amount=500))
    await order(watched, hold(name="b", amount=100))
    assert (await heard(watched), await heard(watched, "kept")) == (
        [(True, 400, "hold")],
        [(True, 600, "hold")],
    )
    [event] = await crossings(watched)
    assert (event.hold, event.journal_id, event.direction) == ("b", None, "fell")
    await order(watched, hold("void", "a"))
    assert (await heard(watched))[1:] == [(False, 900, "hold")]
    assert (await heard(watched, "kept"))[1:] == [(False, 100, "hold")]
    assert await heard(watched, "books") == []


async def test_a_hold_that_is_posted_is_one_step_with_its_journal(watched: Database) -> None:
    """In between the money is available for an instant nobody can see."""
    await order(watched, hold(amount=700))
    await order(watched, hold("post", amount=600))
    assert await heard(watched) == [(True, 300, "hold")]
    await watch(watched, low(400, monitor="kept", watches="pending", comparison="above"))
    await order(watched, hold(name="b", amount=401), hold("post", "b", amount=1))
    assert await heard(watched, "kept") == [(True, 401, "hold"), (False, 0, "journal")]


async def test_a_hold_that_runs_out_is_told(watched: Database, owner: asyncpg.Connection) -> None:
    soon = datetime.now(UTC) + timedelta(seconds=1.5)
    await order(watched, hold(amount=501, expires_at=soon))
    await owner.execute("SELECT pg_sleep_until($1)", soon + timedelta(milliseconds=20))
    await expire_holds(watched)
    assert await heard(watched) == [(True, 499, "hold"), (False, 1000, "hold")]


async def test_holds_that_end_in_one_statement_are_told_one_after_the_other(
    watched: Database, owner: asyncpg.Connection
) -> None:
    await order(watched, *(hold(name=f"h{n}", amount=200) for n in range(4)))
    await owner.execute("UPDATE hold SET state = 'expired', closed_at = clock_timestamp()")
    assert await heard(watched) == [(True, 400, "hold"), (False, 600, "hold")]
    assert [one.hold for one in await crossings(watched)] == ["h2", "h1"]


async def test_reverts_groups_and_what_a_dba_posts_are_told(
    watched: Database, owner: asyncpg.Connection
) -> None:
    await ask(watched, paid("1", -600))
    await reverted(watched, undo("payment:1"))
    await grouped(watched, group(*run(-300, -300, +50, start=2)))
    await owner.execute("SET ROLE hobbs_ledger")
    legs = '[{"wallet": "student:s-1", "amount": 700}, {"wallet": "external:bank", "amount": -700}]'
    await owner.execute("SELECT post_journal_with_locks(uuidv7(), 'manual', '1', 'USD', $1)", legs)
    await owner.execute("SELECT revert_journal('manual:1')")
    told_ = [(beyond, balance) for beyond, balance, _ in await heard(watched)]
    assert told_ == [(True, 400), (False, 1000), (True, 400), (False, 1150), (True, 450)]


async def test_a_refused_journal_tells_nothing(watched: Database) -> None:
    await change_limits(watched, [limit(0)])
    await ask(watched, paid("1", -1001), requested("bad:1", ((STUDENT, -900), ("external:bank", 901))))
    await grouped(watched, group(paid("2", -600), paid("3", -600)))
    assert await heard(watched) == []


async def test_other_wallets_and_other_currencies_tell_nothing(watched: Database) -> None:
    await ask(
        watched,
        requested("a", (("student:s-2", -5000), ("external:bank", 5000))),
        requested("b", ((STUDENT, -5000), ("external:bank", 5000)), currency="EUR"),
    )
    assert await heard(watched, None) == []
    euros = [requested(f"e{n}", ((STUDENT, 9999), ("external:bank", -9999)), currency="EUR") for n in (1, 2)]
    await ask(watched, euros[0], paid("1", -600), euros[1], paid("2", -1))
    assert await heard(watched, None) == [(True, 400, "journal")]


async def test_each_of_several_monitors_tells_for_itself(watched: Database) -> None:
    for threshold in (200, 400, 600, 800):
        await watch(watched, low(threshold, monitor=f"low {threshold}"))
    await watch(
        watched, low(100, monitor="bank", wallet="external:bank", comparison="above", watches="posted")
    )
    await ask(watched, *run(-450, -450, +300), paid("bank", -801))
    said = [(one.monitor, one.beyond) for one in await crossings(watched, None)]
    assert [one for one in said if one[0] != "bank"] == [
        ("low 600", True),
        ("low 800", True),
        ("low", True),
        ("low 200", True),
        ("low 400", True),
        ("low 200", False),
        ("low 400", False),
        ("low 200", True),
        ("low 400", True),
    ]
    assert ("bank", True) in said


async def test_a_monitor_set_on_a_balance_that_is_beyond_says_so_once(ledger: Database) -> None:
    await ask(ledger, paid("opening", 100))
    now = await watch(ledger, low(500))
    assert (now.repeated, now.monitor.beyond, now.monitor.crossings) == (False, True, 1)
    again = await watch(ledger, low(500))
    assert (again.repeated, again.monitor.crossings) == (True, 1)
    await ask(ledger, paid("1", -1), paid("2", +1000))
    assert await heard(ledger) == [(True, 100, "setting"), (False, 1099, "journal")]
    assert [one.direction for one in await crossings(ledger)] == [None, "rose"]


async def test_a_changed_threshold_says_only_what_changed(watched: Database) -> None:
    steps = [
        (900, []),  # 1000 is above both
        (1001, [True]),
        (2000, []),  # beyond before and after
        (1000, [False]),
    ]
    for threshold, expected in steps:
        before = len(await heard(watched))
        await watch(watched, low(threshold))
        assert [beyond for beyond, _, _ in (await heard(watched))[before:]] == expected
    assert [one.threshold for one in await crossings(watched)] == [1001, 1000]
    await watch(watched, low(1001))
    await watch(watched, low(900, recovers_at=1500))  # 1000 is in between: as before
    assert [beyond for beyond, _, _ in await heard(watched)] == [True, False, True]


async def test_a_removed_monitor_says_that_it_is_over_and_then_nothing(watched: Database) -> None:
    await ask(watched, paid("1", -600))
    assert await unwatch(watched) is True
    await ask(watched, paid("2", +5000), paid("3", -5000))
    assert await unwatch(watched) is False
    assert await heard(watched) == [(True, 400, "journal"), (False, 400, "removal")]
    await watch(watched, low(300, wallet="student:s-2"))  # the name is free, for any wallet
    assert [one.wallet for one in await crossings(watched)] == [STUDENT, STUDENT, "student:s-2"]


async def test_a_removed_monitor_that_was_not_beyond_says_nothing(watched: Database) -> None:
    await unwatch(watched)
    await ask(watched, paid("1", -600))
    assert await heard(watched) == []


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"wallet": "student:s-2"}, "monitor_keeps_what_it_watches"),
        ({"currency": "EUR"}, "monitor_keeps_what_it_watches"),
        ({"watches": "posted"}, "monitor_keeps_what_it_watches"),
        ({"comparison": "above"}, "monitor_keeps_what_it_watches"),
        ({"recovers_at": 499}, "monitor_recovers_on_the_near_side"),
        ({"monitor": "high", "comparison": "above", "recovers_at": 501}, "monitor_recovers_on_the_near_side"),
        ({"monitor": ""}, "monitor_name_is_printable"),
        ({"monitor": "a\nb"}, "monitor_name_is_printable"),
        ({"monitor": "x", "recovers_at": 10**15 + 1}, "setting_fits_the_ledger"),
        ({"monitor": "x", "wallet": "pilot:s-1"}, "unknown_wallet_kind"),
        ({"monitor": "x", "currency": "ZZZ"}, "unknown_currency"),
        ({"monitor": "x", "watches": "credit"}, "monitor_watches_a_balance_there_is"),
        ({"monitor": "x", "comparison": "equal"}, "monitor_comparison_is_known"),
    ],
)
async def test_what_makes_no_sense_is_refused_and_changes_nothing(
    watched: Database, change: dict[str, object], reason: str
) -> None:
    async with watched.transaction() as tx:
        before = await reads.monitors.list_monitors(tx)
        refused = await decisions.set_monitor(tx, low(500, **change))
        assert await reads.monitors.list_monitors(tx) == before
    assert isinstance(refused, RefusedCommand)
    assert refused.reason == reason


async def test_a_preview_says_what_would_be_and_leaves_no_trace(watched: Database) -> None:
    events = await told(watched)
    async with watched.transaction() as tx:
        foreseen = await decisions.preview_monitor(tx, low(2000, monitor="x", wallet=STUDENT))
        assert await reads.monitors.list_monitors(tx, monitor="x") == []
    assert not isinstance(foreseen, RefusedCommand)
    assert (foreseen.repeated, foreseen.monitor.balance, foreseen.monitor.beyond) == (False, 1000, True)
    assert await told(watched) == events
