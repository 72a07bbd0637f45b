"""What Stripe shows of connected accounts: one list call for many, and what is asked of each beside it."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil
from typing import Final

from services.payouts import wire
from services.payouts.domain.answers import StripeAnswer, StripeVerdict, classify
from services.payouts.domain.endpoints import Endpoint
from services.payouts.domain.odd_objects import OddObject
from services.payouts.domain.payees import DISCONNECTED, AccountStatus
from services.payouts.domain.payouts import SeenPayout
from services.payouts.domain.rereads import Reread
from services.payouts.stripe.client import PAGE, StripeClient
from services.payouts.stripe.pacer import Pace

_FOUND: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountRead:
    """What Stripe shows of a connected account. `read_well`: kind -> ids of what was odd before, perhaps."""

    status: AccountStatus
    payouts: tuple[SeenPayout, ...] = ()
    reversed_amounts: Mapping[str, int] = field(default_factory=dict)
    read_well: tuple[tuple[str, tuple[str, ...]], ...] = ()
    odd: tuple[OddObject, ...] = ()


async def list_accounts(
    client: StripeClient, pace: Pace, wanted: Sequence[Reread], among: int
) -> Mapping[str, StripeAnswer]:
    """Account -> its answer, by list calls; empty when they would not spare half of the single ones.

    among: how many accounts there are. A list that is refused is the answer for all. An account that no page
    shows is left out: it is asked for by itself.
    """
    missing = {reread.object_id for reread in wanted}
    pages = ceil(among / PAGE) or 1
    if len(missing) < 2 * pages:
        return {}
    found: dict[str, StripeAnswer] = {}
    after: str | None = None
    for _ in range(pages):
        listed = await pace.read(Endpoint.ACCOUNTS, _page(client, after))
        if classify(listed) is not StripeVerdict.DONE:
            return {**found, **dict.fromkeys(missing, listed)}
        things = [thing for thing in listed.body.get("data") or () if isinstance(thing, Mapping)]
        shown = {str(thing.get("id")): thing for thing in things}
        found |= {i: StripeAnswer(status=_FOUND, body=shown[i]) for i in missing & shown.keys()}
        missing -= shown.keys()
        after = str(things[-1].get("id")) if things else None
        if not missing or after is None or not listed.body.get("has_more"):
            break
    return found


def _page(client: StripeClient, after: str | None) -> Callable[[], Awaitable[StripeAnswer]]:
    return lambda: client.accounts_page(after)


def account_read(
    reread: Reread,
    account: StripeAnswer,
    balance: StripeAnswer,
    payouts: StripeAnswer,
    transfers: StripeAnswer,
) -> AccountRead:
    """Read each object of the four answers; those that are not as documented are told apart."""
    objects, about = wire.stripe_objects, reread.object_id
    seen, odd_payouts = objects.read_each(
        "payout", payouts.body.get("data"), lambda thing: objects.seen_payout(thing, about), about
    )
    listed, odd_transfers = objects.read_each(
        "transfer", transfers.body.get("data"), objects.reversed_amount, about
    )
    return AccountRead(
        status=objects.account_status(account.body, balance.body, about),
        payouts=tuple(seen),
        reversed_amounts={transfer: amount for transfer, amount in listed if amount > 0},
        read_well=(
            ("payout", tuple(payout.stripe_payout_id for payout in seen)),
            ("transfer", tuple(transfer for transfer, _ in listed)),
        ),
        odd=(*odd_payouts, *odd_transfers, *objects.odd_balance(balance.body, about)),
    )


def lost_account(reread: Reread) -> AccountStatus:
    """The status of an account that Stripe no longer shows us: closed, or removed from this platform."""
    return AccountStatus(
        stripe_account=reread.object_id,
        ready=False,
        details_submitted=False,
        charges_enabled=False,
        payouts_enabled=False,
        requirements=(),
        disabled_reason=DISCONNECTED,
        balance_negative=False,
    )
