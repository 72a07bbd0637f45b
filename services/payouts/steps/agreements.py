"""Note under which agreement payees are, and tell finance what of the school's book it does not allow."""

from collections.abc import Collection, Mapping

from fleet import outbox
from fleet.cause import Cause
from fleet.database import Tx
from services.payouts import store, wire
from services.payouts.domain.accounts import AccountPolicy, Agreement, agreement_of, conflict


async def expect(tx: Tx, wallets: Collection[str], policy: AccountPolicy, trace: Cause) -> None:
    """Take the agreement of payees without an account from their countries; they are locked."""
    cards = await store.agreements.cards(tx, wallets)
    await _note(
        tx,
        {
            card.wallet: card.agreement if card.has_account else agreement_of(card.country, policy.country)
            for card in cards
        },
        trace,
    )


async def note(tx: Tx, wallet: str, agreement: Agreement, trace: Cause) -> None:
    """Take the agreement of a payee from what Stripe shows of its account; the payee is locked."""
    await _note(tx, {wallet: agreement}, trace)


async def _note(tx: Tx, agreements: Mapping[str, Agreement], trace: Cause) -> None:
    cards = await store.agreements.cards(tx, agreements)
    conflicts = {c.wallet: conflict(agreements[c.wallet], instant=c.instant) for c in cards}
    news = await store.agreements.write(tx, agreements, conflicts)
    await outbox.stage(
        tx,
        [
            wire.notifications.finance_notification("payee_conflict", wallet, f"{wallet}: {sentence}", trace)
            for wallet, sentence in news.items()
        ],
    )
