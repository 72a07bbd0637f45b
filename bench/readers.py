"""How long a reader of the ledger waits: a separate process that queries as psql or a dashboard would.

It reads the entries that growth.py writes.
"""

import asyncio
import json
import os
import random
import sys
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import asyncpg
import uvloop

from bench.journals import Statement, bare
from bench.servers import Deployment
from services.ledger.desk import reads

QUERY_EVERY_S = 0.01
ASKED_BEFORE = 10
PAST_ENTRIES, PAST_DAYS = 10_000_000, 730
STUDENTS, INSTRUCTORS = 20_000, 1_000
NOTHING = "SELECT 1"
READERS_URL = "HOBBS_BENCH_READERS_URL"

Waits = dict[str, list[float]]  # question: ms of each answer


async def read_during(deployment: Deployment, posting: Awaitable[None]) -> Waits:
    """Query from another process while `posting` runs: in this one a query would wait for the producer."""
    reader = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bench.readers"),
        env={**os.environ, READERS_URL: deployment.fleet.database_url("ledger")},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    await posting
    output, _ = await reader.communicate(b"")
    waits: Waits = json.loads(output)
    return waits


async def query_until_stdin_ends() -> Waits:
    """The main function of the reader's process."""
    ended = asyncio.create_task(asyncio.to_thread(sys.stdin.read))
    return await query_until(ended, os.environ[READERS_URL])


async def query_until(ended: asyncio.Task[str], url: str) -> Waits:
    """Ask each question in turn, every few milliseconds, until `ended`; returns the ms of each answer."""
    waits: Waits = {name: [] for name in QUESTIONS}
    dice = random.Random(7)
    connection = await asyncpg.connect(url, server_settings={"search_path": "ledger"})
    for question in (
        *QUESTIONS.values(),
    ) * ASKED_BEFORE:  # so that the statements are planned, as on a pool's connection
        sql, params = question(dice)
        await connection.fetch(sql, *params)
    while not ended.done():
        for name, question in QUESTIONS.items():
            sql, params = question(dice)
            began = time.perf_counter()
            await connection.fetch(sql, *params)
            waits[name].append((time.perf_counter() - began) * 1000)
            await asyncio.sleep(QUERY_EVERY_S)
    await connection.close()
    return waits


def ask_balance(dice: random.Random) -> Statement:
    return bare(reads.balances.OF_ONE, {"wallet": any_wallet(dice), "kind": None})


def ask_page(dice: random.Random) -> Statement:
    """Fifty lines of the platform's statement, at a random place in its history."""
    before = dice.randrange(100, PAST_ENTRIES // 3)
    place = {"wallet": "platform:school", "currency": "USD", "before": before, "after": 0, "most": 50}
    return bare(reads.statements.BACKWARDS, place)


def ask_history(dice: random.Random) -> Statement:
    """A wallet's balance at an instant of the past two years, as known at a later one."""
    at = datetime.now(UTC) - timedelta(days=dice.uniform(0, PAST_DAYS))
    known = None if dice.random() < 0.5 else at + timedelta(days=dice.uniform(0, 30))
    instants = {"wallet": any_wallet(dice), "kind": None, "occurred_by": at, "known_by": known}
    return bare(reads.balances.AT_OF_ONE, instants)


def ask_nothing(dice: random.Random) -> Statement:
    return "SELECT 1", ()


QUESTIONS: dict[str, Callable[[random.Random], Statement]] = {
    "balance": ask_balance,
    "statement page": ask_page,
    "history": ask_history,
    NOTHING: ask_nothing,
}


def any_wallet(dice: random.Random) -> str:
    """A wallet with millions of entries, some thousands, or some hundreds."""
    instructor, student = dice.randrange(INSTRUCTORS), dice.randrange(STUDENTS)
    return dice.choice(["platform:school", f"instructor:past-{instructor}", f"student:past-{student}"])


def percentile(found: list[float], share: float) -> float:
    return sorted(found)[min(int(len(found) * share), len(found) - 1)]


if __name__ == "__main__":
    json.dump(uvloop.run(query_until_stdin_ends()), sys.stdout)
