"""`hobbs cutover check`: what is missing is said, item by item, and what is there is not."""

import json
import secrets
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from fleet.database import Database
from fleet.envelope import Message, first_cause
from fleet.kafka_client import TopicPlan, create_topics, publish_once
from fleet.settings import Settings
from hobbs.cli import assemble
from hobbs.cutover import restores
from hobbs.cutover.items import MET, MISSING, Evidence, read_items
from hobbs.cutover.webhooks import WANTED
from hobbs.shadow import log
from hobbs.shadow.report import Report
from services.billing.handlers import bill_flights, configure_school
from services.ledger.desk.openings import ACTIONS
from tests.conftest import OpenDatabase
from tests.integration.billing.given import CHANGES, completed, configured
from tests.integration.ops.conftest import Hobbs
from tests.integration.reserves.comparisons import DAY, NOON, compared, given, journal, line
from tests.support.decisions import answered, decision

POLICIES = [
    {"kind": "reserve", "key": "reserve", "new": {}},
    {"kind": "credit", "key": "credit", "new": {}},
]


async def states(owner: Database, *, days: int = 1, today: date = DAY, **told: Any) -> dict[str, str]:
    evidence = Evidence(**told)
    now = datetime.combine(today, time(12), UTC)
    async with owner.transaction() as tx:
        items = await read_items(tx, days=days, now=now, today=today, evidence=evidence)
    return {item.item: item.state for item in items}


async def opening(ledger: Database, action: str, lines: list[list[object]] | None = None) -> None:
    given_ = {"as_of": "2026-06-01"}
    if lines is not None:
        given_ |= {"occurred_at": "2026-06-01T00:00:00-05:00", "lines": lines}  # type: ignore[dict-item]
    asked = decision("ledger", action, "opening:2026-06-01", given_, who="ann", why="moving in")
    assert (await answered(ledger, ACTIONS, asked)).outcome == "done"


async def test_of_a_new_deployment_everything_but_refusals_is_missing(hobbs: Hobbs) -> None:
    result = await hobbs("cutover", "check", "-o", "json")
    assert result.exit_code == 1
    found = {row["item"]: row["state"] for row in json.loads(result.stdout)}
    assert [item for item, state in found.items() if state == MET] == ["no flight is refused"]
    assert "14 of 15 are missing" in result.stderr
    for row in json.loads(result.stdout):
        assert row["state"] == MET or is_a_command(row["way_out"]), row


def is_a_command(way_out: str) -> bool:
    """Whether the command line has it; a word that is no command is an argument."""
    words = way_out.split()
    if words[0] != "hobbs":
        return words[:2] == ["stripe", "trigger"]
    command: Any = get_command(assemble([words[1]]))
    for word in words[1:]:
        if not hasattr(command, "commands"):
            return True
        command = command.commands.get(word)
    return command is not None


async def test_an_opening_counts_once_it_is_at_zero_and_signed(
    open_db: OpenDatabase, owner: Database
) -> None:
    ledger = open_db("ledger")
    wanted = ("the opening is at zero", "the opening is signed")

    async def seen() -> list[str]:
        found = await states(owner)
        return [found[name] for name in wanted]

    await opening(ledger, "load_opening", [["bank", "", "", "USD", 3800]])
    assert await seen() == [MISSING, MISSING]
    await opening(ledger, "load_opening", [["school", "", "", "USD", 3800]])
    assert await seen() == [MET, MISSING]
    await opening(ledger, "sign_opening")
    assert await seen() == [MET, MET]
    await opening(ledger, "reopen_opening")
    assert await seen() == [MET, MISSING]


async def test_a_flight_of_before_the_day_that_is_charged_here_is_counted_until_it_is_signed_with(
    open_db: OpenDatabase, owner: Database, hobbs: Hobbs
) -> None:
    """The old software may have charged it, and an open item may be its bill: nobody here can know."""
    ledger, billing = open_db("ledger"), open_db("billing")
    what = "each flight is on one side of the opening's day"
    await configure_school(billing, [configured(1, CHANGES)])
    elsewhere = {"hobbs_out": "1240.0", "hobbs_in": "1241.3"}
    await bill_flights(billing, [completed(flight_id="F0", billed_by="old", **elsewhere)])
    assert (await states(owner))[what] == MISSING, "nothing was loaded"
    await opening(ledger, "load_opening", [["student_item", "student-01", "F9", "USD", 100]])
    await opening(ledger, "load_opening", [["school", "", "", "USD", 100]])
    assert (await states(owner))[what] == MET
    assert "F0" not in (await hobbs("opening", "show")).stderr

    await bill_flights(billing, [completed(flight_id="F1")])  # late by its scheduler
    later = {"date": "2026-06-01", "departed_at": "2026-06-01T15:10:00Z", "arrived_at": None}
    unread = {"hobbs_out": None, "hobbs_in": None}
    await bill_flights(billing, [completed(flight_id="F2", billed_by="old", **later, **unread)])
    assert (await states(owner))[what] == MISSING
    said = (await hobbs("opening", "show", "--as-of", "2026-06-01")).stderr
    assert "1 flight of before 2026-06-01 is charged here (361.51 USD; F1 is one): in the books twice" in said
    assert "1 flight from 2026-06-01 on is here as billed elsewhere (F2 is one)" in said
    await opening(ledger, "sign_opening")
    assert (await states(owner))[what] == MET, "who signed has seen them"

    await bill_flights(billing, [completed(flight_id="F9", **later, **unread)])
    assert (await states(owner))[what] == MISSING, "it came after the signature"
    said = (await hobbs("opening", "show")).stderr
    assert "1 flight is charged here and an open item of the opening by the same number" in said
    await opening(ledger, "reopen_opening")
    await opening(ledger, "sign_opening")
    assert (await states(owner))[what] == MET


async def test_policies_and_refused_flights_are_read_from_the_book(
    open_db: OpenDatabase, owner: Database
) -> None:
    billing = open_db("billing")
    await configure_school(billing, [configured(1, [*CHANGES, *POLICIES])])
    await bill_flights(billing, [completed(flight_id="F1")])
    before = await states(owner)
    assert [before[name] for name in ("a policy on credit", "a policy on the reserve")] == [MET, MET]
    assert before["no flight is refused"] == MET
    await bill_flights(billing, [completed(flight_id="F2", instructor="instructor-99")])
    assert (await states(owner))["no flight is refused"] == MISSING


async def test_each_of_the_last_dates_was_compared_and_nothing_of_it_is_open(
    open_db: OpenDatabase, owner: Database
) -> None:
    reserves = open_db("reserves")
    await given(
        reserves, line("t1", 485, fee=15), journal("charge:src_t1", 500), journal("charge-fee:t1", -15)
    )
    await compared(reserves)
    after = DAY + timedelta(days=1)
    assert (await states(owner, today=after))["1 dates without drift"] == MET
    assert (await states(owner, days=2, today=after))["2 dates without drift"] == MISSING
    await given(reserves, line("lost", 300))
    await compared(reserves, now=NOON + timedelta(days=10))
    assert (await states(owner, today=after))["1 dates without drift"] == MISSING


async def test_the_comparison_with_the_old_system_is_signed(
    owner: Database, hobbs: Hobbs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    what = "the comparison with the old system is signed"
    assert (await states(owner))[what] == MISSING
    file, now = tmp_path / "shadow.jsonl", datetime.now(UTC)
    log.note(file, Report(rules=[], today=now.date(), most=0, flights=1), faulty=0, now=now)
    assert log.signed(file, days=1, now=now, who="ann", why="seen").signed
    result = await hobbs("cutover", "check", "--shadow-log", str(file), "-o", "json")
    found = {row["item"]: row["found"] for row in json.loads(result.stdout)}
    assert found[what] == f"{now.date()} by ann"
    assert (await hobbs("cutover", "check", "--shadow-log", str(tmp_path / "none"))).exit_code == 2


async def test_every_student_has_a_limit_and_who_is_paid_or_flown_a_rate(
    open_db: OpenDatabase, owner: Database
) -> None:
    billing = open_db("billing")
    limits, rates = "every student has a limit", "every instructor has a rate"
    prices = "every aircraft has a rate"
    unpaid = {
        "kind": "instructor",
        "key": "instructor-02",
        "new": {"flight_per_hour": 0, "ground_per_hour": 0},
    }
    await configure_school(billing, [configured(1, [*CHANGES, unpaid])])
    before = await states(owner)
    assert (before[limits], before[rates], before[prices]) == (MISSING, MISSING, MET)
    own = {"kind": "credit_limit", "key": "student-01", "new": {"limit": 50_000, "until": str(DAY)}}
    paid = unpaid | {"new": {"flight_per_hour": 4500, "ground_per_hour": 4000}}
    lent = {"kind": "aircraft", "key": "N1", "new": {"model": "owned", "meter": "none", "rate_per_hour": 0}}
    await configure_school(billing, [configured(2, [own, paid, lent])])
    after = await states(owner)
    assert (after[limits], after[rates], after[prices]) == (MET, MET, MISSING)
    assert (await states(owner, today=DAY + timedelta(days=1)))[limits] == MISSING
    everybody = {"kind": "credit", "key": "credit", "new": {"limit": 10_000}}
    await configure_school(billing, [configured(3, [everybody])])
    assert (await states(owner, today=DAY + timedelta(days=1)))[limits] == MET
    unlimited = {"kind": "credit_limit", "key": "student-01", "new": {}}
    await configure_school(billing, [configured(4, [unlimited])])
    assert (await states(owner))[limits] == MISSING


async def test_a_restore_counts_that_agreed_within_three_months(owner: Database, tmp_path: Path) -> None:
    what, file, now = (
        "a backup was restored once",
        tmp_path / "restore.jsonl",
        datetime.combine(DAY, time(12), UTC),
    )
    restores.note(file, now=now - timedelta(days=1), agreed=False)
    assert restores.last_agreed(file) is None
    restores.note(file, now=now - timedelta(days=91), agreed=True)
    assert (await states(owner, restored_at=restores.last_agreed(file)))[what] == MISSING
    restores.note(file, now=now - timedelta(days=89), agreed=True)
    assert (await states(owner, restored_at=restores.last_agreed(file)))[what] == MET
    file.write_text("{}\n")
    with pytest.raises(ValueError, match="line 1"):
        restores.last_agreed(file)


async def test_kinds_of_webhooks_that_never_came_are_named(owner: Database) -> None:
    what = "every kind of webhook came once"
    assert (await states(owner))[what] == MISSING
    assert (await states(owner, webhooks_missing=["charge.failed"]))[what] == MISSING
    assert (await states(owner, webhooks_missing=[]))[what] == MET


async def test_which_kinds_came_is_read_from_the_topic(
    kafka: str, hobbs: Hobbs, monkeypatch: pytest.MonkeyPatch
) -> None:
    prefix = f"{secrets.token_hex(4)}."
    monkeypatch.setenv("HOBBS_KAFKA_BOOTSTRAP", kafka)
    monkeypatch.setenv("HOBBS_TOPIC_PREFIX", prefix)
    given_ = {"database_url": "", "kafka_bootstrap": kafka, "topic_prefix": prefix}
    settings = Settings.model_validate(given_)
    await create_topics(settings, [TopicPlan(name="stripe.webhook", partitions=3, retention_ms=-1)])
    kinds = sorted(WANTED - {"charge.failed", "topup.succeeded"})
    bodies = [f'{{"id": "evt_{n}", "type": "{kind}"}}'.encode() for n, kind in enumerate(kinds)]
    messages = [
        Message(topic="stripe.webhook", key=str(n), event=body, cause=first_cause())
        for n, body in enumerate([*bodies, b"no JSON"])
    ]
    await publish_once(settings, messages, service="gateway")
    result = await hobbs("cutover", "check", "-o", "json")
    found = {row["item"]: row["found"] for row in json.loads(result.stdout)}
    assert found["every kind of webhook came once"] == "2 did not: charge.failed, topup.succeeded"
