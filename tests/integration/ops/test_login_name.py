"""Commands run as a uid without a name, as in a container."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest

from fleet.database import Database
from services.gateway.desk.decisions import ACTIONS
from tests.support.databases import service_url
from tests.support.deciders import deciding

ROOT = Path(__file__).resolve().parents[3]
# The command is imported first: its sources may lie where only root reads.
AS_NOBODY = """
import os, sys
from hobbs.cli import assemble
command = assemble(["flights"])
os.setuid(54321)
command(["flights", "keys", "create", "scheduler"])
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may run a command as another user")
async def test_a_key_is_made_by_a_user_without_a_name(kafka: str, database_url: str) -> None:
    environment = {"HOBBS_DATABASE_URL": service_url(database_url, "operator"), "PYTHONPATH": str(ROOT)}
    environment |= {"HOBBS_KAFKA_BOOTSTRAP": kafka, "HOME": "/", "PYTHONDONTWRITEBYTECODE": "1"}
    async with deciding(kafka, database_url, {"gateway": ACTIONS}) as prefix:
        made = await asyncio.to_thread(
            subprocess.run,
            [sys.executable, "-c", AS_NOBODY],
            env=environment | {"HOBBS_TOPIC_PREFIX": prefix},
            cwd="/",
            capture_output=True,
            text=True,
            check=False,
        )
    assert (made.returncode, "Traceback" in made.stderr) == (0, False), made.stderr
    database = Database(service_url(database_url, "gateway"), schema="gateway", pool_size=1)
    async with database.transaction() as tx:
        assert [row.created_by for row in await tx.all("SELECT created_by FROM api_key")] == ["operator"]
    await database.close()


def test_the_name_is_asked_for_in_one_place() -> None:
    asking = [p.name for p in (ROOT / "hobbs").rglob("*.py") if "getpass" in p.read_text(encoding="utf-8")]
    assert asking == ["login_name.py"]
