"""What a reader waits for the books: a process of its own that asks as psql or a dashboard would.

The past it asks about is the one that growth.py writes.
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

Waits = dict[str, list[float]]  # question: how long each answer took, ms


async def read_during(deployment: Deployment, posting: Awaitable[None]) -> Waits:
    """Ask from a process of its own, as a reader would: in this one it would wait for the producer."""
    reader = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bench.readers"),
        env={**os.environ, READERS_URL: deployment.fleet.database_url("ledger")},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    await posting
    told, _ = await reader.communicate(b"")
    waits: Waits = json.loads(told)
    return waits


async def answer_until_told() -> Waits:
    """The reader's process: ask until standard input ends."""
    told = asyncio.create_task(asyncio.to_thread(sys.stdin.read))
    return await read_until(told, os.environ[READERS_URL])


async def read_until(told: asyncio.Task[str], url: str) -> Waits:
    """Ask each question in turn, every few milliseconds, until told; how long each took, ms."""
    waits: Waits = {name: [] for name in QUESTIONS}
    dice = random.Random(7)
    connection = await asyncpg.connect(url, server_settings={"search_path": "ledger"})
    for question in (*QUESTIONS.values(),) * ASKED_BEFORE:  # as a pool's connection has been: plans are made
        sql, params = question(dice)
        await connection.fetch(sql, *params)
    while not told.done():
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
    """Fifty lines of the platform's statement, anywhere in its history."""
    before = dice.randrange(100, PAST_ENTRIES // 3)
    place = {"wallet": "platform:school", "currency": "USD", "before": before, "after": 0, "most": 50}
    return bare(reads.statements.BACKWARDS, place)


def ask_history(dice: random.Random) -> Statement:
    """What a wallet held at an instant of the past two years, as known by another one after it."""
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
    """One with millions of entries, some thousands, or some hundreds."""
    instructor, student = dice.randrange(INSTRUCTORS), dice.randrange(STUDENTS)
    return dice.choice(["platform:school", f"instructor:past-{instructor}", f"student:past-{student}"])


def percentile(found: list[float], share: float) -> float:
    return sorted(found)[min(int(len(found) * share), len(found) - 1)]


if __name__ == "__main__":
    json.dump(uvloop.run(answer_until_told()), sys.stdout)
