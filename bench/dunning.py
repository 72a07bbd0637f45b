"""A school-wide run of dunning: every student has overdue bills, and a step is due for each.

Items are written by SQL as the consumer would have kept them; then the worker's job runs in a process of its
own, as the service's login: once with a step due for everybody, and once more with nothing left to do.
STUDENTS in the environment says how many (100,000), each with ten open items.
"""

import asyncio
import json
import os
import subprocess
import sys
import time
from typing import Final

import asyncpg

from bench.figures import Figure, at_most
from bench.processes import footprint
from bench.servers import Deployment, deployed
from fleet.database import Database
from hobbs.local.stack import Stack
from services.receivables.handlers import dun

STUDENTS: Final = int(os.environ.get("STUDENTS", "100000"))
OPEN: Final = 10
WITHIN_S: Final = 30
MEMORY_MIB: Final = 300
ASKED: Final = "SELECT count(*) FROM receivables.outbox WHERE topic = 'dunning.requested'"
_SCHOOL: Final = """
    UPDATE receivables.school SET currency = 'USD', time_zone = 'America/New_York', named_version = 1,
        read_version = 1
"""
_POLICY: Final = """
    INSERT INTO receivables.credit_policy (effective_from, version, policy)
    VALUES ('2000-01-01', 1, CAST($1::text AS jsonb))
"""
POLICY: Final = {
    "dunning_steps": [{"name": "first", "action": "remind", "days_overdue": 1}],
    "dunning_from_hour": 0,
    "dunning_until_hour": 24,
    "dunning_on_weekends": True,
}
_ACCOUNTS: Final = """
    INSERT INTO receivables.account (student, currency, balance)
    SELECT 's' || n, 'USD', -100 * $2::integer FROM generate_series(1, $1::integer) AS n
"""
_ITEMS: Final = """
    INSERT INTO receivables.item (student, currency, document, amount, open, booked_on, due_on)
    SELECT 's' || n, 'USD', 'flight:F' || n || '-' || k, -100, -100, current_date - 11 * k,
           current_date - 11 * k
    FROM generate_series(1, $1::integer) AS n, generate_series(1, $2::integer) AS k
"""
# The least that could be done: who owes what of which bills, in one statement and without a decision.
_PLAIN: Final = """
    CREATE TABLE plain AS
    SELECT student, -sum(open) AS total, min(due_on) AS oldest_due,
           jsonb_agg(jsonb_build_array(document, due_on, -open) ORDER BY due_on, document) AS bills
    FROM receivables.item WHERE open < 0 AND due_on < current_date GROUP BY student
"""
_WALLETS: Final = """
    INSERT INTO ledger.wallet (address) SELECT 'student:s' || n FROM generate_series(1, $1::integer) AS n
"""
_BALANCES: Final = """
    INSERT INTO ledger.balance (wallet_id, currency, amount)
    SELECT id, 'USD', $1::integer FROM ledger.wallet WHERE kind = 'student'
"""


async def measure(stack: Stack) -> list[Figure]:
    """Seconds and peak memory of a run that asks everybody, and seconds of one that asks nobody."""
    async with deployed(stack) as deployment:
        owner = await deployment.connect()
        try:
            await _given(owner)
            began = time.monotonic()
            await owner.execute(_PLAIN)
            plain_s = time.monotonic() - began
            first_s, peak = await asyncio.to_thread(_run, deployment)
            asked = await owner.fetchval(ASKED)
            if asked != STUDENTS:
                raise RuntimeError(f"{asked} of {STUDENTS} students were asked")
            again_s, _ = await asyncio.to_thread(_run, deployment)
            if await owner.fetchval(ASKED) != asked:
                raise RuntimeError("somebody was asked twice")
        finally:
            await owner.close()
    of = f"{STUDENTS:,} students with {STUDENTS * OPEN:,} open items"
    return [
        Figure(
            name=f"dunning of {of}, a step for each",
            value=first_s,
            unit="s",
            limit=at_most(WITHIN_S),
            baseline=("one statement that writes each student's sum and bills, s", plain_s),
        ),
        Figure(name="peak memory of the process", value=peak, unit="MiB", limit=at_most(MEMORY_MIB)),
        Figure(name="the same with nothing to do", value=again_s, unit="s", note="a look of the timer"),
    ]


async def _given(owner: asyncpg.Connection) -> None:
    await owner.execute(_ACCOUNTS, STUDENTS, OPEN)
    await owner.execute(_ITEMS, STUDENTS, OPEN)
    await owner.execute(_SCHOOL)
    await owner.execute(_POLICY, json.dumps(POLICY))
    await owner.execute(_WALLETS, STUDENTS)
    await owner.execute("ALTER TABLE ledger.balance DISABLE TRIGGER USER")  # a balance begins at zero
    await owner.execute(_BALANCES, -100 * OPEN)
    await owner.execute("ALTER TABLE ledger.balance ENABLE TRIGGER USER")
    for table in ("receivables.item", "receivables.account", "ledger.wallet", "ledger.balance"):
        await owner.execute(f"VACUUM ANALYZE {table}")


def _run(deployment: Deployment) -> tuple[float, float]:
    """Run the job once in a process of its own: its seconds and its peak memory in MiB."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("HOBBS_")}
    environment |= deployment.fleet.environment("receivables")
    command = [sys.executable, "-m", "bench.dunning"]
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    seconds, peak = ran.stdout.split()
    return float(seconds), float(peak)


async def _dun() -> None:
    database = Database(os.environ["HOBBS_DATABASE_URL"], schema="receivables", pool_size=2)
    began = time.monotonic()
    await dun(database)
    took = time.monotonic() - began
    sys.stdout.write(f"{took} {footprint(os.getpid()).peak}\n")
    await database.close()


if __name__ == "__main__":
    asyncio.run(_dun())
