"""A database is a shadow's or a live deployment's, and no worker takes one for the other."""

import asyncio
import secrets
import subprocess
import sys

import pytest
from pydantic import SecretStr

from fleet.database import Database
from fleet.migrate import owner_engine
from fleet.serving import PartEnded
from fleet.settings import Settings
from fleet.shadows import Mark, WrongDatabase, mark_of, settle_mark
from fleet.worker import Worker
from tests.conftest import OpenDatabase
from tests.support.databases import Cluster, empty, run_statements, service_url

MARK = Mark(topic_prefix="shadow.", live="", own_book=False)
OTHER = MARK._replace(own_book=True)


async def test_an_empty_database_is_marked_once_and_a_live_one_never(
    cluster: Cluster, database_url: str
) -> None:
    async with empty(cluster) as url:
        engine = owner_engine(url)
        assert await settle_mark(engine, None) is None
        assert await settle_mark(engine, MARK) == MARK
        assert await settle_mark(engine, MARK) == MARK
        assert await settle_mark(engine, None) == MARK
        with pytest.raises(WrongDatabase, match="make another"):
            await settle_mark(engine, OTHER)
        await engine.dispose()
    engine = owner_engine(database_url)
    with pytest.raises(WrongDatabase, match="live deployment's"):
        await settle_mark(engine, MARK)
    await engine.dispose()


async def test_a_mark_is_read_by_every_login(database_url: str, open_db: OpenDatabase) -> None:
    await mark(database_url)
    assert await mark_of(open_db("billing")) == MARK


@pytest.mark.parametrize(
    ("marked", "expected", "said"),
    [
        (True, None, "a shadow's"),
        (False, MARK, "no shadow's"),
        (True, OTHER, "and not with"),
    ],
)
async def test_a_worker_does_nothing_on_a_database_of_the_other_kind(
    database_url: str, kafka: str, marked: bool, expected: Mark | None, said: str
) -> None:
    if marked:
        await mark(database_url)
    settings = Settings(
        database_url=SecretStr(service_url(database_url, "ledger")),
        kafka_bootstrap=kafka,
        topic_prefix=f"{secrets.token_hex(4)}.",
    )
    worker, steps = Worker("ledger", settings), [0]

    async def step() -> int:
        steps[0] += 1
        return 0

    worker.loop("step", step)
    if expected is not None:
        worker.be_shadow(expected, ())
    with pytest.raises(PartEnded) as ended:
        await asyncio.wait_for(worker.work(), 60.0)
    assert isinstance(ended.value.__cause__, WrongDatabase)
    assert said in str(ended.value.__cause__)
    assert steps == [0]


def test_a_shadows_process_has_not_even_loaded_stripes_library() -> None:
    asked = "import sys, hobbs.shadow.work, hobbs.commands.work; sys.exit('stripe' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", asked], check=False).returncode == 0


async def mark(database_url: str) -> None:
    await run_statements(
        database_url, "CREATE SCHEMA hobbs_shadow", f"COMMENT ON SCHEMA hobbs_shadow IS '{MARK.written()}'"
    )
    database = Database(database_url, schema="public", pool_size=1)
    assert await mark_of(database) == MARK
    await database.close()
