"""Judge the reserve by what is known now; publish the gate and the health when they are others."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from fleet import outbox
from fleet.database import Tx
from fleet.faults import fault_point
from fleet.zones import local_date
from services.reserves import store, wire
from services.reserves.domain.alerts import alert_of
from services.reserves.domain.health import OFF, UNKNOWN, Judgement, judge
from services.reserves.domain.policy import Policy
from services.reserves.domain.positions import owed
from services.reserves.wire.reserve_records import BookRead


async def follow_book(tx: Tx, versions: Sequence[BookRead], now: datetime) -> None:
    """Keep what versions of the school's book say of the reserve, and judge by it."""
    if not versions:
        return
    named = [(read.version, *read.school) for read in versions if read.school is not None]
    await store.policy.follow_school(
        tx, version=max(read.version for read in versions), named=max(named, default=None)
    )
    await store.policy.keep(tx, [(read.version, day, card) for read in versions for day, card in read.cards])
    await judge_reserve(tx, now)


async def judge_reserve(tx: Tx, now: datetime) -> None:
    """Judge the school's reserve. A currency that has no reserve any more has its gate taken away."""
    zone, currency = await store.policy.school(tx)
    today = local_date(now, zone)
    policy = None if currency is None else await store.policy.in_force(tx, today)
    last = await store.health.lock_judgements(tx)
    for gone, row in last.items():
        if (policy is None or gone != currency) and row.gate != OFF:
            await _take_away(tx, gone, row, now)
    if policy is not None and currency is not None:
        await _judge(tx, currency, policy, last.get(currency), today, now)


async def _judge(tx: Tx, currency: str, policy: Policy, last: Any, today: date, now: datetime) -> None:
    balance = await store.health.balance(tx, currency)
    judged = judge(
        policy,
        balance,
        owed(await store.positions.owed(tx, currency)),
        await store.positions.paid(tx, currency, today, policy.payout_days_measured),
        gate=OFF if last is None else last.gate,
        now=now,
        opened=await store.alerts.opened(tx, currency, now),
        let_out=0 if balance is None else await store.health.let_out(tx, balance),
    )
    await store.alerts.stand(tx, currency, alert_of(judged, read=balance is not None), now)
    gate = _gate(currency, policy, judged, 0 if balance is None else balance.number)
    await _write(tx, currency, judged, gate, last, now)


async def _write(
    tx: Tx, currency: str, judged: Judgement, gate: dict[str, Any] | None, last: Any, now: datetime
) -> None:
    """Without a balance that is believed there is no gate to publish: the last one ends by itself."""
    number = 0 if last is None else last.number
    published = {} if last is None else last.published
    if gate is not None and _document(gate) != published:
        # By the clock, so that after a restore no number comes twice.
        number, published = max(number + 1, int(now.timestamp() * 1000)), _document(gate)
        await outbox.stage(tx, [wire.reserve_messages.gate_message(gate, number, now)])
    was = UNKNOWN if last is None else last.health
    if judged.health != was:
        await outbox.stage(tx, [wire.reserve_messages.changed_message(currency, was, judged, now)])
    await store.health.save(
        tx,
        currency,
        judged,
        number=number,
        balance_number=published.get("balance_number", 0),
        published=published,
        now=now,
    )
    await fault_point("reserves.judged")


def _gate(currency: str, policy: Policy, judged: Judgement, balance_number: int) -> dict[str, Any] | None:
    if judged.ceiling is None or judged.valid_until is None:
        return None
    return {
        "currency": currency,
        "state": judged.gate,
        "ceiling": judged.ceiling,
        "balance_number": balance_number,
        "exempt_below": policy.exempt_below,
        "exempt_wallets": list(policy.exempt_wallets),
        "sentence": judged.gate_sentence,
        "valid_until": judged.valid_until,
        "when_over": policy.when_stale,
    }


def _document(gate: dict[str, Any]) -> dict[str, Any]:
    """The gate as it is kept, to be compared with the next."""
    return gate | {"valid_until": gate["valid_until"].isoformat()}


async def _take_away(tx: Tx, currency: str, last: Any, now: datetime) -> None:
    await store.alerts.stand(tx, currency, None, now)
    sentence = "the school's book keeps no reserve"
    judged = Judgement(
        health=UNKNOWN,
        gate=OFF,
        free=0,
        minimum=0,
        ceiling=0,
        blocks_transfers=False,
        terms=(),
        sentence=sentence,
        valid_until=None,
    )
    gate = {
        "currency": currency,
        "state": OFF,
        "ceiling": 0,
        "balance_number": 0,
        "exempt_below": 0,
        "exempt_wallets": [],
        "sentence": sentence,
        "valid_until": now,
        "when_over": "open",
    }
    await _write(tx, currency, judged, gate, last, now)
