"""Take accounts that exist at Stripe for payees: read, marked with the payee, then written (decision 0191).

None is made, and no money moves. It is read first, with no transaction open; what a restore needs to find
it again is written into its metadata at Stripe; then one transaction gives up the requests for another
account and takes this one.
"""

from collections.abc import Callable
from datetime import datetime

from fleet.database import Database, Tx
from fleet.envelope import first_cause
from services.payouts import store
from services.payouts.domain.accounts import AccountsApi
from services.payouts.domain.answers import StripeVerdict, classify
from services.payouts.domain.existing_accounts import AdoptionRequest, foreign, marks
from services.payouts.domain.rereads import RereadKind, RereadRequest
from services.payouts.steps import payments
from services.payouts.stripe.client import StripeClient


async def adopt_accounts(
    db: Database, client: StripeClient, api: AccountsApi, clock: Callable[[], datetime]
) -> int:
    """Take the accounts that people named, or note why not; how many there were."""
    async with db.transaction() as tx:
        requests = await store.account_adoptions.open_requests(tx)
    for request in requests:
        problem = await _read(client, api, request)
        async with db.transaction() as tx:
            problem = problem or await _take(tx, request, clock())
            await store.account_adoptions.answer(tx, request.id, problem, clock())
    return len(requests)


async def _read(client: StripeClient, api: AccountsApi, request: AdoptionRequest) -> str | None:
    """Read an account and mark it as the payee's; what is wrong with it, None when nothing is."""
    answer = await client.account(request.stripe_account)
    if classify(answer) is not StripeVerdict.DONE:
        return f"Stripe does not show {request.stripe_account} to this platform: {answer.sentence}"
    if problem := foreign(request, answer.body):
        return problem
    missing = marks(request, answer.body)
    if not missing:
        return None
    marked = await client.mark_account(request.stripe_account, missing, api)
    if classify(marked) is not StripeVerdict.DONE:
        return f"{request.stripe_account} cannot be marked as the payee's: {marked.sentence}"
    return None


async def _take(tx: Tx, request: AdoptionRequest, now: datetime) -> str | None:
    """Write the account as the payee's, in the caller's transaction; why not, None when it is."""
    account = request.stripe_account
    [payee] = await store.payees.lock(tx, [request.wallet])
    if payee.stripe_account == account:
        return None
    if payee.stripe_account is not None:
        return f"{request.wallet} has {payee.stripe_account} already"
    if other := await store.payees.wallet_of_account(tx, account):
        return f"{account} is the account of {other}"
    sentence = f"{account} was adopted instead"
    if state := await store.account_adoptions.cancel_requests(tx, request.wallet, sentence, now):
        return (
            f"a request for another account is {state}: wait for it, or decide on it with "
            "`hobbs transfers payees unpark`"
        )
    await store.payees.open_accounts(tx, {request.wallet: account})
    read = RereadRequest(kind=RereadKind.ACCOUNT, object_id=account, trace=first_cause(), after=now)
    await store.rereads.request(tx, [read], now)
    await payments.pay(tx, [request.wallet], now)
    return None
