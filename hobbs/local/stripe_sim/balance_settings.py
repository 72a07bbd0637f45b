"""Balance settings of the platform or an account: payout schedule, minimum balances, debits of a bank.

An account's schedule and debits are those of its `settings.payouts`; the rest is kept here. Days are UTC.
Sources: docs.stripe.com/api/balance-settings, docs.stripe.com/payouts/minimum-balances-for-automatic-payouts,
docs.stripe.com/changelog/acacia/2024-12-18/payout-minimum-balance (the hold's and release's rows).
"""

from datetime import UTC, datetime, timedelta

from hobbs.local.stripe_sim import accounts, balances, errors, forms, platform_payouts
from hobbs.local.stripe_sim.events import emit
from hobbs.local.stripe_sim.world import Call, Doc, World

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday")
INTERVALS = ("daily", "manual", "monthly", "weekly")
DAY_S = 86_400


def _key(account: str) -> str:
    return f"balance_settings/{account}"


def _kept(world: World, account: str) -> Doc:
    """debit, interval, days, minimum, descriptor and delay, as last set."""
    default: Doc = {
        "debit": True,
        "interval": "daily" if account else "manual",
        "days": [],
        "minimum": None,
        "descriptor": None,
        "delay": None,
    }
    kept = default | (world.store.setting(_key(account)) or {})
    if account:
        payouts = accounts.required(world, account)["settings"]["payouts"]
        kept |= {"interval": payouts["schedule"]["interval"], "debit": payouts["debit_negative_balances"]}
        kept["delay"] = payouts["schedule"].get("delay_days")
    return kept


def retrieve(world: World, call: Call) -> Doc:
    return _shape(world, _kept(world, call.account), call.account)


def _shape(world: World, kept: Doc, account: str) -> Doc:
    schedule: Doc = {"interval": kept["interval"]}
    if kept["interval"] in ("weekly", "monthly"):
        schedule[f"{kept['interval']}_payout_days"] = kept["days"]
    enabled = not account or accounts.required(world, account)["payouts_enabled"]
    delay = kept["delay"]
    return {
        "object": "balance_settings",
        "payments": {
            "debit_negative_balances": kept["debit"],
            "payouts": {
                "minimum_balance_by_currency": kept["minimum"],
                "schedule": schedule,
                "statement_descriptor": kept["descriptor"],
                "status": "enabled" if enabled else "disabled",
            },
            "settlement_timing": {"delay_days": 2 if delay is None else delay, "start_of_day": None},
        },
    }


def update(world: World, call: Call) -> Doc:
    payments = forms.nested(call.params, "payments")
    payouts = forms.nested(payments, "payouts")
    for name in ("automatic_transfer_rules_by_currency",):
        if payouts.get(name):
            raise errors.not_simulated(name, f"payments[payouts][{name}]")
    kept = _kept(world, call.account)
    kept["debit"] = forms.boolean(payments, "debit_negative_balances", kept["debit"])
    kept |= _schedule(forms.nested(payouts, "schedule"), kept)
    if "minimum_balance_by_currency" in payouts:
        kept["minimum"] = _minimum(payouts["minimum_balance_by_currency"], kept["minimum"])
    if "statement_descriptor" in payouts:
        kept["descriptor"] = forms.text(payouts, "statement_descriptor")
    timing = forms.nested(payments, "settlement_timing")
    kept["delay"] = forms.integer(timing, "delay_days_override", kept["delay"], minimum=0)
    world.store.put_setting(_key(call.account), kept)
    if call.account:
        _write_account(world, kept, call.account)
    else:
        platform_payouts.begin(world, automatic=kept["interval"] != "manual")
    doc = _shape(world, kept, call.account)
    emit(world, "balance_settings.updated", doc, account=call.account)
    return doc


def _schedule(given: Doc, kept: Doc) -> Doc:
    interval = forms.choice(given, "interval", INTERVALS, kept["interval"])
    if interval not in ("weekly", "monthly"):
        return {"interval": interval, "days": []}
    name = f"{interval}_payout_days"
    days: list[int | str] = [*forms.strings(given, name)] or list(kept["days"])
    if not days:
        raise errors.missing_param(f"payments[payouts][schedule][{name}]")
    for day in days:
        right = day in WEEKDAYS if interval == "weekly" else str(day).isdigit() and 1 <= int(day) <= 31
        if not right:
            raise errors.invalid_param(f"payments[payouts][schedule][{name}]", f"Invalid payout day: {day}")
    return {"interval": interval, "days": days if interval == "weekly" else [int(day) for day in days]}


def _minimum(given: object, current: Doc | None) -> Doc | None:
    if not isinstance(given, dict):
        return None
    wanted = {currency: forms.integer(given, currency, minimum=0) for currency in given}
    merged = {**(current or {}), **wanted}
    return {currency: amount for currency, amount in merged.items() if amount} or None


def _write_account(world: World, kept: Doc, account: str) -> None:
    doc = accounts.required(world, account)
    payouts = doc["settings"]["payouts"]
    payouts["debit_negative_balances"] = kept["debit"]
    payouts["schedule"]["interval"] = kept["interval"]
    if kept["delay"] is not None:
        payouts["schedule"]["delay_days"] = kept["delay"]
    world.store.save(doc)


# What payouts.py asks


def is_manual(world: World, account: str) -> bool:
    """Whether Stripe pays nothing out by itself; so it is for the platform until someone changes it."""
    return bool(_kept(world, account)["interval"] == "manual")


def keep_back(world: World, account: str, currency: str, amount: int) -> None:
    """A row that holds the minimum balance out of a payout (below zero), or gives it back after it."""
    if amount:
        kind = "hold" if amount < 0 else "release"
        type = f"payout_minimum_balance_{kind}"
        balances.post(world, type=type, account=account, currency=currency, amount=amount, source=None)


def minimum_of(world: World, account: str, currency: str) -> int:
    """What automatic payouts leave on the balance, in minor units."""
    return int((_kept(world, account)["minimum"] or {}).get(currency, 0))


def wait_s(world: World, account: str) -> float:
    """Seconds until the next day on which the schedule pays out; 0 on such a day."""
    kept = _kept(world, account)
    if not kept["days"]:
        return 0.0
    today = datetime.fromtimestamp(world.clock.now(), UTC)
    for ahead in range(32):
        day = today + timedelta(days=ahead)
        if _is_payout_day(kept, day):
            return float(ahead * DAY_S)
    return 0.0


def _is_payout_day(kept: Doc, day: datetime) -> bool:
    """A month without the day pays out on its last one."""
    if kept["interval"] == "weekly":
        return day.strftime("%A").lower() in kept["days"]
    last = (day + timedelta(days=1)).day == 1
    return day.day in kept["days"] or (last and any(wanted > day.day for wanted in kept["days"]))
