"""A database is restored from a backup; Kafka and Stripe go on: nothing is lost, nothing is paid twice."""

import asyncio
import secrets
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from hobbs.cli import assemble
from hobbs.demo.figures import Figures, Row
from hobbs.demo.school import FLIGHTS_FILE, publish_flights
from hobbs.demo.story import Story
from hobbs.demo.verdict import check_books
from hobbs.doctor.findings import Finding
from hobbs.doctor.restore import examine_restore
from hobbs.local.fleet_processes import Fleet, stop_services
from hobbs.local.running_fleet import RunningFleet, create_topics, operator_settings
from tests.crash.looks import Looks
from tests.support.backups import back_up, restore, set_offsets, start
from tests.support.fleets import PARTITIONS, Silent, delete_topics, outcome
from tests.support.stripe import StripeSim

FLIGHTS, SOME_FLIGHTS = 16, 6
GRACE_IS_OVER = """
    WITH missed AS (UPDATE payouts.missed_event SET noted_at = '-infinity' RETURNING event_id)
    UPDATE payouts.timer SET due_at = now() WHERE name = 'recover_events' AND EXISTS (SELECT FROM missed)
    RETURNING name
"""


async def test_a_restored_deployment_ends_as_if_nothing_had_happened(
    tmp_path: Path,
    fleet: RunningFleet,
    figures: Figures,
    stripe_sim: StripeSim,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Two ages of backups, with offsets ahead of the database and at the beginning; then no Kafka."""
    empty, in_traffic = tmp_path / "empty", tmp_path / "in_traffic"
    since = datetime.now(UTC)
    flights = tmp_path / "flights.csv"
    flights.write_text("".join(FLIGHTS_FILE.read_text().splitlines(keepends=True)[: FLIGHTS + 1]))
    story = Story(fleet.fleet, figures, Silent(), flights=flights)
    await back_up(fleet.fleet, empty)
    await story.open_school()
    flying = asyncio.create_task(story.take_off())
    while (await figures.progress()).billed < SOME_FLIGHTS:  # noqa: ASYNC110 - another process's state
        await asyncio.sleep(0.05)
    await back_up(fleet.fleet, in_traffic)
    await flying
    await story.settle()
    await story.pay()
    undisturbed = await outcome(figures)
    assert len(undisturbed["bills"]) == FLIGHTS

    for backup, offsets in ((in_traffic, None), (empty, 0.0)):
        await restore(fleet, backup)
        if offsets is not None:
            await set_offsets(fleet.fleet, offsets)
        said = await found(fleet, since)
        assert any("the database is older than the offsets" in s for s in said) == (offsets != 0.0)
        assert any("journals that were posted are not in the ledger" in s for s in said)
        stripe_sim.admin.post("clock", json={"advance_s": timedelta(days=2).total_seconds()})
        await start(fleet)
        await read_again(fleet, since, story)
        await story.settle()
        await looked(figures, story)
        ended = await outcome(figures)
        assert [verdict for verdict in await check_books(fleet.fleet, figures) if not verdict.holds] == []
        said = await found(fleet, since)
        assert [s for s in said if "older" in s or "not in the ledger" in s or "not adopted" in s] == []
        for table, rows in undisturbed.items():
            more = [row for row in ended[table] if row not in rows]
            less = [row for row in rows if row not in ended[table]]
            assert ended[table] == rows, (backup.name, table, {"only here": more, "only undisturbed": less})
    await restore(fleet, in_traffic)
    await without_kafka(fleet, flights, undisturbed, tmp_path / "topics", monkeypatch)
    await figures.rows("TRUNCATE billing.topic_position")  # as a backup of the release before has none
    assert any("does not say how far it is" in s for s in await found(fleet, since))


async def read_again(fleet: RunningFleet, since: datetime, story: Story) -> None:
    """Until each service is where its group was: what lies between is read again, and is no lag."""

    async def caught_up() -> bool:
        return not any("the database is older than the offsets" in said for said in await found(fleet, since))

    await story.until(caught_up, "records to be read again")


async def looked(figures: Figures, story: Story) -> None:
    """Until timers looked: a payment that came before its student was known is given to them by one."""
    looks = Looks(figures)

    async def nothing_left() -> bool:
        return not await looks.left()

    await story.until(nothing_left, "looks of timers")
    await story.settle()


async def without_kafka(
    running: RunningFleet,
    flights: Path,
    undisturbed: dict[str, list[Row]],
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Kafka is lost in the middle of the traffic, and docs/operations/kafka.md is done with stopped services.

    Another prefix is another Kafka: no topic, no group, no offset. What is kept for ever was kept in files.
    """
    kept = await typed(running.fleet, monkeypatch, "kafka", "keep", str(folder))
    assert kept.exit_code == 0, kept.output
    monkeypatch.setenv("HOBBS_OWNER_DATABASE_URL", running.fleet.owner_url)
    command = ("kafka", "put-back", "--why", "the disk is gone", "--yes")
    refused = await typed(running.fleet, monkeypatch, *command)
    assert (refused.exit_code, "it was not lost" in refused.stderr) == (1, True)
    anew = RunningFleet(
        fleet=replace(running.fleet, topic_prefix=f"{secrets.token_hex(4)}."), services=running.services
    )
    lost = await typed(anew.fleet, monkeypatch, *command)
    assert (lost.exit_code, "hobbs migrate makes them" in lost.stderr) == (1, True)
    await create_topics(anew.fleet.kafka_bootstrap, anew.fleet.topic_prefix, partitions_most=PARTITIONS)
    assert any("Kafka lost records" in one.fix for one in await examined(anew))
    filled = await typed(anew.fleet, monkeypatch, "kafka", "fill", str(folder))
    assert filled.exit_code == 0, filled.output
    put_back = await typed(anew.fleet, monkeypatch, *command)
    assert put_back.exit_code == 0, put_back.output
    async with Figures(anew.fleet) as figures:
        await start(anew)
        await asyncio.to_thread(publish_flights, anew.fleet, flights)
        story = Story(anew.fleet, figures, Silent(), flights=flights)

        async def as_undisturbed() -> bool:
            await figures.rows(GRACE_IS_OVER)
            return await outcome(figures) == undisturbed

        await story.until(as_undisturbed, "differences")
        await story.settle()
        assert [verdict for verdict in await check_books(anew.fleet, figures) if not verdict.holds] == []
        assert await as_undisturbed()
    rebuilt = await typed(anew.fleet, monkeypatch, "rebuild", "billing")
    assert rebuilt.exit_code == 0, rebuilt.output
    stop_services(anew.services.values())
    # What was answered before and after is there twice, which a test of published events knows nothing of.
    await delete_topics(anew.fleet.kafka_bootstrap, anew.fleet.topic_prefix)


async def typed(fleet: Fleet, monkeypatch: pytest.MonkeyPatch, *words: str) -> Result:
    """Type a command as the operator of this fleet."""
    for name, value in fleet.environment("operator").items():
        monkeypatch.setenv(name, value)
    return await asyncio.to_thread(CliRunner().invoke, assemble([words[0]]), words)


async def found(running: RunningFleet, since: datetime) -> list[str]:
    """What `hobbs restore check` says."""
    return [finding.found for finding in await examined(running, since)]


async def examined(running: RunningFleet, since: datetime | None = None) -> list[Finding]:
    return await examine_restore(operator_settings(running.fleet), since)
