"""One season: a school's weeks by chance, and at the end of each day what the services and the books say."""

import contextlib
import random
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final

import asyncpg
import stripe

from fleet.database import Database
from fleet.invariants import service_invariants
from fleet.zones import time_zone
from hobbs.local.stripe_sim.control import Control
from schemas.services import SERVICES
from services.payouts.stripe.client import StripeClient
from services.receivables.desk import reads
from services.receivables.desk.reads import open_items
from tests.integration.billing.given import CHANGES, configured
from tests.integration.payouts.world import World
from tests.season.accounts import Account, Moved
from tests.season.asking import Asking
from tests.season.charges import DEBIT_FAILS, DEBIT_SUCCEEDS, Charging
from tests.season.clock import Clock
from tests.season.limits import Manner, Moving
from tests.season.played import ZONE
from tests.season.plot import Season
from tests.season.school import OTHER, credit_card
from tests.season.stage import Stage
from tests.support.databases import service_url

BEGINS: Final = date(2031, 3, 3)  # a Monday; in the week after it the school's clocks are changed
HOURS: Final = (8, 10, 13, 17, 21)
WITH_A_CARD: Final = 0.9  # of the students, from the first day on
MOVES: Final = ("rises, automatic", "rises, in_force", "falls, automatic", "falls, in_force")  # each comes
CAREFUL: Final = 1  # of the students: no card, all paid by hand, and known to the school for months
KNOWN: Final = timedelta(days=60)
FUNDS: Final = 100_000_00  # at Stripe, so that it can give back whatever a bank asks for


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a season found. differences: sentences about what is not as the books have it."""

    seed: int
    acts: int
    kinds: Mapping[str, int]
    charges: Mapping[str, int]
    steps: int
    moved: Counter[str]
    differences: list[str]


async def run_season(
    seed: int, owner_url: str, api_base: str, secret_key: str, *, days: int, students: int, acts: int
) -> Report:
    """Play a season in a migrated database and an emptied simulator. acts: in each of a day's instants."""
    chance = random.Random(f"season {seed}")
    async with _stage(owner_url, api_base, secret_key, chance) as stage:
        season = await _begun(stage, chance, students)
        for day in range(days):
            if day == days // 2:
                await season.at(_at(BEGINS + timedelta(days=day), 6))
                await season.change_manner()
            await _play(season, BEGINS + timedelta(days=day), acts)
            if season.differences:
                break
        else:
            await _compare_end(season)
        charges = [charge for one in season.students.values() for charge in one.charging.charges]
        moved = [move for one in season.students.values() for move in one.charging.account.moved]
        return Report(
            seed=seed,
            acts=len(season.acts),
            kinds={kind: season.acts.count(kind) for kind in sorted(set(season.acts))},
            charges={
                state: sum(charge.state == state for charge in charges)
                for state in sorted({charge.state for charge in charges})
            },
            steps=sum(len(one.told) for one in season.students.values()),
            moved=Counter(_kind(move) for move in moved),
            differences=season.differences,
        )


def _kind(move: Moved) -> str:
    way = "rises" if move.rises else "falls"
    return f"{way}, {'automatic' if move.alone else move.state}"


@contextlib.asynccontextmanager
async def _stage(
    owner_url: str, api_base: str, secret_key: str, chance: random.Random
) -> AsyncIterator[Stage]:
    databases = {
        service: Database(service_url(owner_url, service), schema=service, pool_size=3)
        for service in SERVICES
    }
    client = StripeClient(secret_key, api_base=api_base, timeout_s=5.0)
    http = stripe.RequestsClient(timeout=10)
    api = stripe.StripeClient(secret_key, base_addresses={"api": api_base}, http_client=http)
    owner = await asyncpg.connect(owner_url)
    try:
        with Control(api_base) as control:
            control.set(
                ach_fails_after_s=DEBIT_FAILS.total_seconds(),
                ach_succeeds_after_s=DEBIT_SUCCEEDS.total_seconds(),
                rate_limits="off",
            )
            clock = Clock(owner, control)
            await clock.begin()
            world = World(
                db=databases["payouts"],
                ledger=databases["ledger"],
                client=client,
                control=control,
                clock=clock,  # type: ignore[arg-type]
            )
            yield Stage(db=databases, owner=owner, world=world, clock=clock, stripe=api, chance=chance)
    finally:
        await owner.close()
        await client.close()
        http.close()  # type: ignore[no-untyped-call]
        for database in databases.values():
            await database.close()


async def _begun(stage: Stage, chance: random.Random, students: int) -> Season:
    """The school's book, its students, and the first instant."""
    holidays = frozenset(BEGINS + timedelta(days=n) for n in chance.sample(range(3, 40), 6))
    manner = Manner(since=BEGINS, raises=chance.choice(sorted(OTHER)), falls=chance.choice(sorted(OTHER)))
    season = Season(stage=stage, chance=chance, holidays=holidays, manner=manner)
    names = [f"s{number:02}" for number in range(1, students + 1)]
    cards: list[dict[str, Any]] = [
        {"kind": "credit", "key": "credit", "new": credit_card(manner, holidays)},
        *({"kind": "student", "key": name, "new": {}} for name in names),
    ]
    await stage.at(_at(BEGINS, 7))
    stage.world.control.fund(FUNDS)
    await stage.say(configured(1, [*CHANGES, *cards]))
    for name in names:
        charging = Charging(account=Account(name=name))
        moving = Moving(charging=charging, manner=manner)
        season.students[name] = Asking(charging=charging, moving=moving, holidays=holidays)
    declined, *others = season.students.values()
    await season.begin_declined(declined)
    await season.fly(declined)
    for one in others[-CAREFUL:]:
        await season.begin_known(one, _at(BEGINS - KNOWN, 12))
    for one in others[:-CAREFUL]:
        if chance.random() < WITH_A_CARD:
            await season.choose(one)
            await season.save_method(one)
    return season


def _at(day: date, hour: int, minute: int = 0) -> datetime:
    return datetime.combine(day, time(hour, minute), time_zone(ZONE)).astimezone(UTC)


async def _play(season: Season, day: date, acts: int) -> None:
    chance = season.chance
    for hour in sorted(chance.sample(HOURS, 2)):
        minute = chance.randrange(10)
        await season.at(_at(day, hour, minute))
        await season.timers()
        for _ in range(acts):
            minute += chance.randint(1, 4)
            await season.at(_at(day, hour, minute))
            await season.act()
            if season.differences:
                return
        await _compare(season)


async def _compare(season: Season) -> None:
    """What each student's account, charges and requests are, and should be; and that nothing was refused."""
    db = season.stage.db["receivables"]
    for service in SERVICES:
        letters = await season.stage.owner.fetch(f"SELECT topic, sentence FROM {service}.dead_letter")  # noqa: S608
        _say(season, service, "dead letters", [tuple(letter) for letter in letters], [])
    for name, one in season.students.items():
        account = one.charging.account
        async with db.transaction() as tx:
            stands = await reads.credits(tx, season.now, student=name)
            aged = await open_items.ageing(tx, season.now, student=name)
            items = await open_items.items(tx, season.now, student=name)
        keys = ("posted", "pending", "disputed", "credit_limit")
        found = {key: stands[0][key] for key in keys} if stands else {}
        wanted: dict[str, int | None] = {
            "posted": account.balance,
            "pending": account.pending,
            "disputed": account.under_dispute,
        }
        wanted["credit_limit"] = account.own(season.day)
        _say(season, name, "account", found, wanted)
        columns = ("not_due", "days_1_30", "days_31_60", "days_61_90", "over_90", "credit")
        ages = {key: aged[0][key] for key in columns if aged[0][key]} if aged else {}
        _say(season, name, "ageing", ages, account.ageing(season.day))
        bills = {row["document"]: row["open"] for row in items if row["open"] < 0}
        _say(season, name, "open bills", bills, {n: left for n, left in account.open().items() if left < 0})
        charges = [
            (row["cause"], row["amount"], row["state"])
            for row in await season.stage.owner.fetch(
                "SELECT cause, amount, state FROM receivables.auto_charge WHERE student = $1"
                " ORDER BY decided_at",
                name,
            )
        ]
        _say(season, name, "charges", charges, [(c.cause, c.amount, c.state) for c in one.charging.charges])
        steps = [
            (row["run"], row["step"], row["total"])
            for row in await season.stage.owner.fetch(
                "SELECT run, step, total FROM receivables.dunning_history"
                " WHERE student = $1 AND what = 'step' ORDER BY place",
                name,
            )
        ]
        _say(season, name, "steps", steps, one.told)
        moved = [
            (row["cause"], row["from_limit"], row["to_limit"], row["state"])
            for row in await season.stage.owner.fetch(
                "SELECT cause, from_limit, to_limit, state FROM receivables.limit_change WHERE student = $1"
                " ORDER BY number",
                name,
            )
        ]
        _say(season, name, "limits", moved, [(m.cause, m.before, m.after, m.state) for m in account.moved])


def _say(season: Season, name: str, what: str, found: object, wanted: object) -> None:
    if found != wanted:
        last = f" after {season.acts[-1]}" if season.acts else ""
        season.differences.append(
            f"{season.local:%a %m-%d %H:%M}{last}: {what} of {name}: {found}, expected {wanted}"
        )


async def _compare_end(season: Season) -> None:
    """Charges at the simulator, journals of the ledger, and every service's invariants."""
    taken: dict[str, list[int]] = {name: [] for name in season.students}
    for effect in season.stage.world.control.effects(kind="charge"):
        taken[effect["metadata"]["hobbs_student"]].append(int(effect["amount"]))
    for name, one in season.students.items():
        by_method = [charge.amount for charge in one.charging.charges if charge.taken]
        by_link = [paid for student, paid in season.links if student == name]
        _say(season, name, "charges at Stripe", sorted(taken[name]), sorted([*by_method, *by_link]))
    for service in SERVICES:
        async with season.stage.db[service].transaction() as tx:
            for invariant in service_invariants(service):
                if rows := await tx.all(invariant.sql.replace(":", r"\:")):
                    season.differences.append(f"{service}: {invariant.name}: {rows[:3]}")
