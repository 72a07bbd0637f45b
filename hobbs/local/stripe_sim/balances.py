"""Money at Stripe: balance transactions, per-account balances, and when pending funds become available."""

from hobbs.local.stripe_sim import (
    connect_reserves,
    errors,
    jobs,
    lists,
    platform_payouts,
    reserved_balance,
    settlement,
)
from hobbs.local.stripe_sim.events import emit
from hobbs.local.stripe_sim.identifiers import new_id
from hobbs.local.stripe_sim.world import Call, Doc, World

# balance_transaction.type -> reporting_category, from docs.stripe.com/reports/reporting-categories
CATEGORIES = {
    "charge": "charge",
    "payment": "charge",
    "refund": "refund",
    "refund_failure": "refund_failure",
    "payment_failure_refund": "charge_failure",
    "payment_refund": "refund",
    "transfer": "transfer",
    "transfer_refund": "transfer_reversal",
    "payout": "payout",
    "payout_cancel": "payout_reversal",
    "payout_failure": "payout_reversal",
    "topup": "topup",
    "stripe_fee": "fee",
    "topup_reversal": "topup_reversal",
    "payout_minimum_balance_hold": "payout_minimum_balance_hold",
    "payout_minimum_balance_release": "payout_minimum_balance_release",
    "reserve_hold": "risk_reserved_funds",
    "reserve_release": "risk_reserved_funds",
    "reserve_transaction": "risk_reserved_funds",
    "reserved_funds": "risk_reserved_funds",
}
NET_MAX = 1 << 53


def post(
    world: World,
    *,
    type: str,
    account: str,
    currency: str,
    amount: int,
    source: str | None,
    fee: int = 0,
    fee_description: str = "Stripe processing fees",
    available_on: int | None = None,
    description: str | None = None,
    category: str | None = None,
    exchange_rate: float | None = None,
) -> Doc:
    """Record one balance transaction and move the account's balance by its net.

    A currency that the account does not hold is converted into its own; raises StripeError without a rate.
    """
    settle(world)
    if exchange_rate is None:
        money = settlement.settled(world, account, currency, amount)
        if money.rate is not None:
            fee = settlement.settled(world, account, currency, fee).amount
        currency, amount, exchange_rate = money.currency, money.amount, money.rate
    due = world.now if available_on is None else available_on
    pending = due > world.now
    net = amount - fee
    assert abs(net) < NET_MAX
    doc = world.store.insert(
        {
            "id": new_id("txn"),
            "object": "balance_transaction",
            "amount": amount,
            "available_on": due,
            "balance_type": "payments",
            "created": world.now,
            "currency": currency,
            "description": description,
            "exchange_rate": exchange_rate,
            "fee": fee,
            "fee_details": _fee_details(fee, currency, fee_description),
            "net": net,
            "reporting_category": category or CATEGORIES[type],
            "source": source,
            "status": "pending" if pending else "available",
            "type": type,
        },
        account,
    )
    if pending:
        _hold(world, doc, account)
    else:
        _make_available(world, doc["id"], account, currency, net)
    return doc


def _fee_details(fee: int, currency: str, description: str) -> list[Doc]:
    if fee == 0:
        return []
    detail = {"amount": fee, "application": None, "currency": currency, "description": description}
    return [detail | {"type": "stripe_fee"}]


def _hold(world: World, doc: Doc, account: str) -> None:
    world.store.write(
        "INSERT INTO pending_funds VALUES (:id, :account, :currency, :net, :available_on)",
        id=doc["id"],
        account=account,
        currency=doc["currency"],
        net=doc["net"],
        available_on=doc["available_on"],
    )


def _make_available(world: World, transaction_id: str, account: str, currency: str, net: int) -> None:
    row = world.store.row(
        "INSERT INTO balance VALUES (:account, :currency, :net)"
        " ON CONFLICT (account, currency) DO UPDATE SET available = available + excluded.available"
        " RETURNING available",
        account=account,
        currency=currency,
        net=net,
    )
    assert row is not None
    if net > 0 and _refund_waits(world, account, currency):
        jobs.schedule(world, "refunds_wait", f"{account}/{currency}", 0)
    if account and min(row[0], row[0] - net) < 0:
        _reserve(world, currency)
    if not account and not platform_payouts.is_automatic(world):
        return
    if account and net > 0 and world.settings.pending_reversals:
        jobs.schedule(world, "pending_reversals", f"{account}/{currency}", 0.0)
    world.store.write(
        "INSERT INTO unswept VALUES (:account, :currency, :id)",
        account=account,
        currency=currency,
        id=transaction_id,
    )
    if net > 0:
        jobs.schedule(
            world, "automatic_payout", f"{account}/{currency}", world.settings.automatic_payout_after_s
        )


def _reserve(world: World, currency: str) -> None:
    """Reserve the platform's money for what accounts owe, or give back what they no longer owe."""
    owed, reserved = connect_reserves.owed(world, currency), connect_reserves.reserved(world, currency)
    if owed == reserved:
        return
    connect_reserves.keep(world, currency, owed)
    post(
        world,
        type="reserve_transaction",
        account="",
        currency=currency,
        amount=reserved - owed,
        source=None,
        category="connect_reserved_funds",
        description="Connect reserve for negative balances of connected accounts",
    )


def _refund_waits(world: World, account: str, currency: str) -> bool:
    return next(world.store.oldest_with("refund.waits", currency, account, after=0), None) is not None


def settle(world: World) -> None:
    """Make pending funds available that are due, each once.

    A payee who owes less gives back what is reserved of the platform's, and posting that settles what is left
    of the due: what is gone when its turn comes here is available already.
    """
    due = world.store.rows(
        "SELECT transaction_id, account, currency, net FROM pending_funds WHERE available_on <= :now"
        " ORDER BY available_on, transaction_id LIMIT 10000",
        now=world.now,
    )
    for transaction_id, account, currency, net in due:
        if not world.store.write("DELETE FROM pending_funds WHERE transaction_id = :id", id=transaction_id):
            continue
        _make_available(world, transaction_id, account, currency, net)
        doc = world.store.find(transaction_id)
        assert doc is not None
        world.store.save(doc | {"status": "available"})
    for account in {row[1] for row in due}:
        emit(world, "balance.available", balance(world, account), account=account)


def available(world: World, account: str, currency: str) -> int:
    settle(world)
    row = world.store.row(
        "SELECT available FROM balance WHERE account = :account AND currency = :currency",
        account=account,
        currency=currency,
    )
    return int(row[0]) if row else 0


def require(world: World, account: str, currency: str, amount: int, message: str | None = None) -> None:
    """Raise balance_insufficient unless the account's available funds cover `amount`."""
    if available(world, account, currency) < amount:
        raise errors.balance_insufficient(message)


def balance(world: World, account: str) -> Doc:
    """Stripe's balance object for the platform ('') or a connected account."""
    settled = dict(
        world.store.rows("SELECT currency, available FROM balance WHERE account = :account", account=account)
    )
    held = dict(
        world.store.rows(
            "SELECT currency, sum(net) FROM pending_funds WHERE account = :account GROUP BY currency",
            account=account,
        )
    )
    currencies = sorted({*settled, *held}) or ["usd"]
    doc: Doc = {
        "object": "balance",
        "available": [_money(currency, settled.get(currency, 0)) for currency in currencies],
        "livemode": False,
        "pending": [_money(currency, held.get(currency, 0)) for currency in currencies],
        "refund_and_dispute_prefunding": {"available": [], "pending": []},
    }
    if account:
        doc["instant_available"] = [
            _instant(world, currency, settled.get(currency, 0)) for currency in currencies
        ]
    else:
        doc["connect_reserved"] = [
            {"amount": connect_reserves.reserved(world, currency), "currency": currency}
            for currency in currencies
        ]
    return doc


def _money(currency: str, amount: int) -> Doc:
    return {"amount": amount, "currency": currency, "source_types": {"card": amount}}


def _instant(world: World, currency: str, amount: int) -> Doc:
    return _money(currency, max(amount, 0)) | {"net_available": []}


def instant_fee(world: World, amount: int) -> int:
    """The fee of an instant payout in minor units: a percentage, rounded half-up, with a minimum."""
    settings = world.settings
    return max((amount * settings.instant_fee_basis_points + 5_000) // 10_000, settings.instant_fee_min)


# Endpoints


def retrieve_balance(world: World, call: Call) -> Doc:
    settle(world)
    return balance(world, call.account) | reserved_balance.shown(world, call.account)


def retrieve_transaction(world: World, call: Call) -> Doc:
    doc = world.store.get("balance_transaction", call.ids["id"], call.account)
    if doc is None:
        raise errors.no_such("balance transaction", call.ids["id"])
    return doc


def list_transactions(world: World, call: Call) -> Doc:
    """Filter `payout` works for automatic payouts only, as at Stripe."""
    settle(world)
    payout_id = call.params.pop("payout", None)
    if payout_id is None:
        return lists.listing(world, call, "balance_transaction")
    payout = world.store.get("payout", payout_id, call.account)
    if payout is None:
        raise errors.no_such("payout", payout_id, "payout", status=400)
    if not payout["automatic"]:
        raise errors.refused(
            "Balance transaction history can only be filtered on automatic transfers, not manual.",
            param="payout",
        )
    return lists.listing(world, call, "balance_transaction", extra=("balance_transaction.payout", payout_id))
