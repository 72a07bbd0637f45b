"""Composition root of the console: the web application beside the copies of both decision topics."""

import gc
import logging
from collections.abc import Sequence
from datetime import datetime, timedelta

from pydantic import ValidationError

from console import metrics, store
from console.context import Console
from console.erasing import erase
from console.issuing import issue, overdue
from console.settings import ConsoleSettings
from console.web import build_web, templates
from fleet.database import Database
from fleet.decisions import COMMON_ACTIONS, REQUESTED, TAKEN, Action, take_decisions
from fleet.envelope import Record
from fleet.worker import Worker
from schemas.decisions import DecisionRequested, DecisionTaken

HOLDER_ROLE = "hobbs_holder"
FORGET_EVERY = timedelta(hours=1)
MEASURE_S = 15.0
READ_SCHOOL_EVERY_S = 20.0  # more often than a page would have to (context.SCHOOL_FOR_S)
ISSUE_EVERY = timedelta(minutes=10)

_log = logging.getLogger("console")


def build(settings: ConsoleSettings | None = None) -> Worker:
    """Put the process together; `python -m console` runs it."""
    settings = settings or ConsoleSettings()
    worker = Worker("console", settings)
    holders = Database(
        settings.database_url.get_secret_value(),
        schema="console_public",
        role=HOLDER_ROLE,
        pool_size=settings.database_pool_size,
    )
    console = Console(settings=settings, db=worker.database, holders=holders, templates=templates())
    worker.serve(build_web(console), settings.console_host, settings.console_port)
    worker.on_stop(holders.close)
    worker.on_stop(console.lookout.close)

    async def requested(batch: Sequence[Record]) -> None:
        await copy_requested(worker.database, batch)

    async def taken(batch: Sequence[Record]) -> None:
        await copy_taken(worker.database, batch)

    async def forget() -> None:
        async with worker.database.transaction() as tx:
            await store.sessions.forget_old(tx)

    async def measured() -> None:
        await measure(worker.database, console.clock(), idle=timedelta(minutes=settings.console_idle_minutes))

    async def issue_due() -> None:
        await issue(worker.database, console.clock())

    async def read_school() -> None:
        await console.read_school()

    worker.consume(REQUESTED, requested, every_s=0)
    worker.consume(TAKEN, taken, every_s=0)
    worker.take_redrives()
    worker.every("forget", FORGET_EVERY.total_seconds(), forget)
    worker.every("read_school", READ_SCHOOL_EVERY_S, read_school)
    worker.every("issue_statements", ISSUE_EVERY.total_seconds(), issue_due)
    worker.every("measure_console", MEASURE_S, measured)
    return worker


def keep_collector_off() -> None:
    """Keep the cyclic collector off what is loaded: else each full collection stops all pages for 0.2 s."""
    gc.collect()
    gc.freeze()


async def measure(db: Database, now: datetime, *, idle: timedelta) -> None:
    """Show how many sessions live, which decisions wait for an answer, and whether statements are overdue."""
    async with db.transaction() as tx:
        waiting, oldest_s = await store.acts.unanswered(tx)
        metrics.SESSIONS.set(await store.sessions.living(tx, idle=idle))
    metrics.WAITING.set(waiting)
    metrics.OLDEST_WAITING.set(oldest_s)
    metrics.STATEMENTS_OVERDUE.set((await overdue(db, now)).total_seconds())


async def copy_requested(db: Database, batch: Sequence[Record]) -> None:
    """Copy what was asked, then take what is about the console's own dead letters and questions."""
    async with db.transaction() as tx:
        await store.decisions.copy_asked(tx, [one for record in batch if (one := _asked(record))])
    await take_decisions(db, {**COMMON_ACTIONS, "erase": Action(judge=erase)}, batch)


async def copy_taken(db: Database, batch: Sequence[Record]) -> None:
    """Copy what was answered."""
    async with db.transaction() as tx:
        await store.decisions.copy_taken(tx, [one for record in batch if (one := _taken(record))])


def _asked(record: Record) -> DecisionRequested | None:
    """A decision; None for what is none, which whoever owns the key keeps as a dead letter."""
    try:
        asked = DecisionRequested.model_validate_json(record.value or b"")
    except ValidationError:
        return None
    return asked if record.headers.get("ce_id") == str(asked.decision_id) else None


def _taken(record: Record) -> DecisionTaken | None:
    try:
        return DecisionTaken.model_validate_json(record.value or b"")
    except ValidationError:
        _log.warning("an answer cannot be read", extra={"offset": record.offset})
        return None
