"""A database is restored from a backup; Kafka and Stripe go on: nothing is lost, nothing is paid twice."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

from hobbs.demo.figures import Figures
from hobbs.demo.school import FLIGHTS_FILE
from hobbs.demo.story import Story
from hobbs.demo.verdict import check_books
from hobbs.doctor.restore import examine_restore
from hobbs.local.running_fleet import RunningFleet, operator_settings
from tests.support.backups import back_up, restore, set_offsets, start
from tests.support.fleets import Silent, outcome
from tests.support.stripe import StripeSim

FLIGHTS, SOME_FLIGHTS = 16, 6


async def test_a_restored_deployment_ends_as_if_nothing_had_happened(
    tmp_path: Path, fleet: RunningFleet, figures: Figures, stripe_sim: StripeSim
) -> None:
    """Three ages of backups, with offsets ahead of the database, half way, and at the beginning."""
    empty, opened, in_traffic = (tmp_path / name for name in ("empty", "opened", "in_traffic"))
    since = datetime.now(UTC)
    flights = tmp_path / "flights.csv"
    flights.write_text("".join(FLIGHTS_FILE.read_text().splitlines(keepends=True)[: FLIGHTS + 1]))
    story = Story(fleet.fleet, figures, Silent(), flights=flights)
    await back_up(fleet.fleet, empty)
    await story.open_school()
    await back_up(fleet.fleet, opened)
    flying = asyncio.create_task(story.take_off())
    while (await figures.progress()).billed < SOME_FLIGHTS:  # noqa: ASYNC110 - another process's state
        await asyncio.sleep(0.05)
    await back_up(fleet.fleet, in_traffic)
    await flying
    await story.settle()
    await story.pay()
    undisturbed = await outcome(figures)
    assert len(undisturbed["bills"]) == FLIGHTS

    for backup, offsets in ((in_traffic, None), (opened, 0.5), (empty, 0.0)):
        await restore(fleet, backup)
        if offsets is not None:
            await set_offsets(fleet.fleet, offsets)
        said = await found(fleet, since)
        assert any("the database is older than the offsets" in s for s in said) == (offsets != 0.0)
        assert any("journals that were posted are not in the ledger" in s for s in said)
        stripe_sim.admin.post("clock", json={"advance_s": timedelta(days=2).total_seconds()})
        await start(fleet)
        await story.settle()
        ended = await outcome(figures)
        assert [verdict for verdict in await check_books(fleet.fleet, figures) if not verdict.holds] == []
        said = await found(fleet, since)
        assert [s for s in said if "older" in s or "not in the ledger" in s or "not adopted" in s] == []
        for table, rows in undisturbed.items():
            more = [row for row in ended[table] if row not in rows]
            less = [row for row in rows if row not in ended[table]]
            assert ended[table] == rows, (backup.name, table, {"only here": more, "only undisturbed": less})
    await figures.rows("TRUNCATE billing.topic_position")  # as a backup of the release before has none
    assert any("does not say how far it is" in s for s in await found(fleet, since))


async def found(running: RunningFleet, since: datetime) -> list[str]:
    """What `hobbs restore check` says."""
    return [finding.found for finding in await examine_restore(operator_settings(running.fleet), since)]
