"""One season: a school's weeks by chance, and at the end of each day what the services and the books say."""

import contextlib
import random
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
from tests.season.accounts import BOOK_LIMIT, SOLO_LIMIT, TERMS, Account
from tests.season.asking import BETWEEN, FROM, MINIMUM, STEPS, UNTIL, Asking
from tests.season.banking import CHEQUE_FEE
from tests.season.charges import DEBIT_FAILS, DEBIT_SUCCEEDS, Charging
from tests.season.clock import Clock
from tests.season.deciding import ALONE
from tests.season.limits import POLICY, Moving
from tests.season.played import ZONE
from tests.season.plot import Season
from tests.season.stage import Stage
from tests.support.databases import service_url

BEGINS: Final = date(2031, 3, 3)  # a Monday; in the week after it the school's clocks are changed
HOURS: Final = (8, 10, 13, 17, 21)
WITH_A_CARD: Final = 0.9  # of the students, from the first day on
FUNDS: Final = 100_000_00  # at Stripe, so that it can give back whatever a bank asks for


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a season found. differences: sentences about what is not as the books have it."""

    seed: int
    acts: int
    kinds: Mapping[str, int]
    charges: Mapping[str, int]
    steps: int
    rises: int
    falls: int
    differences: list[str]


async def run_season(
    seed: int, owner_url: str, api_base: str, secret_key: str, *, days: int, students: int, acts: int
) -> Report:
    """Play a season in a migrated database and an emptied simulator. acts: in each of a day's instants."""
    chance = random.Random(f"season {seed}")
    async with _stage(owner_url, api_base, secret_key, chance) as stage:
        season = await _begun(stage, chance, students)
        for day in range(days):
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
            rises=sum(move.after > move.before for move in moved),
            falls=sum(move.after < move.before for move in moved),
            differences=season.differences,
        )


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
    season = Season(stage=stage, chance=chance, holidays=holidays)
    policy = {
        "limit": BOOK_LIMIT,
        "limit_solo": SOLO_LIMIT,
        "hold_hours": 6,
        "terms": "net",
        "terms_days": TERMS.days,
        "allowed_by_one_up_to": 1_000_000_00,
        "given_by_one_up_to": ALONE,
        "bounced_cheque_fee": CHEQUE_FEE,
        "cheques_count": "at_receipt",
        **POLICY,
        "dunning_steps": [
            {"name": name, "action": action}
            | ({"days_overdue": days} if days else {})
            | ({"balance": balance} if balance else {})
            for name, days, balance, action in STEPS
        ],
        "dunning_minimum": MINIMUM,
        "dunning_days_between": BETWEEN,
        "dunning_from_hour": FROM,
        "dunning_until_hour": UNTIL,
        "dunning_holidays": sorted(day.isoformat() for day in holidays),
    }
    names = [f"s{number:02}" for number in range(1, students + 1)]
    cards: list[dict[str, Any]] = [
        {"kind": "credit", "key": "credit", "new": policy},
        *({"kind": "student", "key": name, "new": {}} for name in names),
    ]
    await stage.at(_at(BEGINS, 7))
    stage.world.control.fund(FUNDS)
    await stage.say(configured(1, [*CHANGES, *cards]))
    for name in names:
        charging = Charging(account=Account(name=name))
        moving = Moving(charging=charging, begins=BEGINS)
        season.students[name] = Asking(charging=charging, moving=moving, holidays=holidays)
    declined, *others = season.students.values()
    await season.begin_declined(declined)
    await season.fly(declined)
    for one in others:
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
            (row["cause"], row["from_limit"], row["to_limit"])
            for row in await season.stage.owner.fetch(
                "SELECT cause, from_limit, to_limit FROM receivables.limit_change WHERE student = $1"
                " ORDER BY number",
                name,
            )
        ]
        _say(season, name, "limits", moved, [(m.cause, m.before, m.after) for m in account.moved])


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
