"""Calls to Stripe, each one HTTP exchange outside any transaction. Only this module imports its library.

The library's retries are off: the answer table decides whether a call is repeated. An error, a timeout and an
unreadable answer are returned as a `StripeAnswer`; only a bug raises.
"""

import asyncio
import re
import ssl
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from math import ceil
from typing import Any

import httpx
import stripe

from fleet.database import forbid_in_transaction
from fleet.stripe_keys import is_stripe, livemode_of, refused_address
from fleet.stripe_limits import endpoint_of
from services.payouts.domain.accounts import AccountsApi, api_of
from services.payouts.domain.answers import StripeAnswer, StripeVerdict, classify
from services.payouts.domain.modes import OTHER_MODE, is_of_other_mode
from services.payouts.domain.operations import Kind, Operation
from services.payouts.domain.outcomes import CLOCK_SKEW
from services.payouts.stripe.parameters import parameters_of
from services.payouts.stripe.pools import Pools

PAGES_MAX = 50
PAGE = 100
POOL = 8
_SECRET = re.compile(r"\b[rs]k_(?:test|live)_\w+")

Params = Mapping[str, Any]
Asked = Callable[[str], None]
Turn = Callable[[], Awaitable[None]]


class StripeClient:
    """The platform's account at Stripe, called with one secret key. `asked` hears each call's endpoint.

    instead: an answer that every call gets while none may be made; None: they are made.
    """

    def __init__(
        self,
        secret_key: str,
        *,
        api_base: str,
        timeout_s: float,
        connections: int = 100,
        asked: Asked = lambda endpoint: None,
    ) -> None:
        self.livemode = livemode_of(secret_key) or False
        if refused := refused_address(api_base, livemode=self.livemode):
            raise ValueError(refused)
        self.instead: StripeAnswer | None = None
        self._timeout_s = timeout_s
        # A proxy of the environment gets a tunnel to Stripe: TLS ends at Stripe, by the certificates that its
        # library brings. A simulator on this machine is never called through one.
        self._http = _Http(timeout_s, connections, asked, trust_env=is_stripe(api_base))
        self._client = stripe.StripeClient(
            secret_key,
            base_addresses=_bases(api_base),
            max_network_retries=0,
            http_client=self._http,
        )

    @property
    def api_version(self) -> str:
        """The version of Stripe's API that the library asks for and reads."""
        return str(stripe.api_version)

    async def close(self) -> None:
        await self._http.close_async()  # type: ignore[no-untyped-call]

    async def perform(self, operation: Operation) -> StripeAnswer:
        """Request an operation's effect, with its frozen parameters and its generation's key."""
        v1 = self._client.v1
        params: Any = parameters_of(operation)
        options: Any = {"idempotency_key": operation.idempotency_key}
        match operation.kind:
            case Kind.TRANSFER:
                return await self._ask(lambda: v1.transfers.create_async(params, options))
            case Kind.REVERSAL:
                transfer = str(operation.parent_id)
                return await self._ask(lambda: v1.transfers.reversals.create_async(transfer, params, options))
            case Kind.REFUND:
                return await self._ask(lambda: v1.refunds.create_async(params, options))
            case Kind.CHARGE:
                return await self._ask(lambda: v1.payment_intents.create_async(params, options))
            case Kind.INSTANT_PAYOUT:
                options["stripe_account"] = operation.stripe_account
                return await self._ask(lambda: v1.payouts.create_async(params, options))
            case Kind.ACCOUNT if api_of(operation.params) is AccountsApi.V2:
                return await self._ask(lambda: self._client.v2.core.accounts.create_async(params, options))
            case Kind.ACCOUNT:
                return await self._ask(lambda: v1.accounts.create_async(params, options))

    async def look_up(self, operation: Operation, next_turn: Turn | None = None) -> StripeAnswer:
        """List what an operation may have made since it was first sent; `body["data"]` has all pages.

        `next_turn` is awaited before each page but the first.
        """
        v1 = self._client.v1
        since = {"created": {"gte": int((operation.first_sent_at - CLOCK_SKEW).timestamp())}}
        match operation.kind:
            case Kind.TRANSFER:
                wanted = since | {"destination": operation.params["destination"]}
                return await self._all_pages(v1.transfers.list_async, wanted, next_turn)
            case Kind.REVERSAL:
                return await self.reversals_of(str(operation.parent_id), next_turn)
            case Kind.REFUND:
                return await self.refunds_of(str(operation.parent_id), next_turn)
            case Kind.CHARGE:
                wanted = since | {"customer": operation.params["customer"]}
                return await self._all_pages(v1.payment_intents.list_async, wanted, next_turn)
            case Kind.INSTANT_PAYOUT:
                payouts = partial(v1.payouts.list_async, options={"stripe_account": operation.stripe_account})
                return await self._all_pages(payouts, since, next_turn)
            case Kind.ACCOUNT if api_of(operation.params) is AccountsApi.V2:
                return await self._all_v2_accounts(next_turn)
            case Kind.ACCOUNT:
                return await self._all_pages(v1.accounts.list_async, since, next_turn)

    async def account(self, account: str) -> StripeAnswer:
        return await self._ask(lambda: self._client.v1.accounts.retrieve_async(account))

    async def balance(self, account: str | None = None) -> StripeAnswer:
        """The balance of the platform or of an account. It gets an `id`, which Stripe gives to all else."""
        options: Any = {"stripe_account": account} if account else {}
        answer = await self._ask(lambda: self._client.v1.balance.retrieve_async(options=options))
        return _with_id(answer, "balance")

    async def payouts_of(self, account: str) -> StripeAnswer:
        """The latest 100 payouts of a connected account."""
        params: Any = {"limit": PAGE}
        options: Any = {"stripe_account": account}
        answer = await self._ask(lambda: self._client.v1.payouts.list_async(params, options))
        return _with_id(answer, "payouts")

    async def transfers_to(self, account: str) -> StripeAnswer:
        """The latest 100 transfers to a connected account."""
        params: Any = {"limit": PAGE, "destination": account}
        return _with_id(await self._ask(lambda: self._client.v1.transfers.list_async(params)), "transfers")

    async def transfers_page(self, since: datetime | None, after: str | None) -> StripeAnswer:
        """One page of all transfers made since then, newest first; `after`: the last one before it."""
        params: Any = {"limit": PAGE} | ({"created": {"gte": int(since.timestamp())}} if since else {})
        params |= {"starting_after": after} if after else {}
        return _with_id(await self._ask(lambda: self._client.v1.transfers.list_async(params)), "transfers")

    async def accounts_page(self, after: str | None) -> StripeAnswer:
        """One page of the connected accounts, newest first; `after`: the last one before it."""
        params: Any = {"limit": PAGE} | ({"starting_after": after} if after else {})
        return _with_id(await self._ask(lambda: self._client.v1.accounts.list_async(params)), "accounts")

    async def v2_accounts_page(self, next_page: str | None) -> StripeAnswer:
        """One page of the accounts that API v2 lists; `next_page`: the path that the page before named."""
        if next_page is None:
            params: Any = {"limit": PAGE}
            answer = await self._ask(lambda: self._client.v2.core.accounts.list_async(params))
        else:
            answer = await self._ask(lambda: self._client.raw_request_async("get", next_page))
        return _with_id(answer, "accounts")

    async def _all_v2_accounts(self, next_turn: Turn | None = None) -> StripeAnswer:
        """All accounts that API v2 lists: it lists by no time, and v1's list may lack them."""
        found: list[Any] = []
        next_page: str | None = None
        for number in range(PAGES_MAX):
            if number and next_turn is not None:
                await next_turn()
            answer = await self.v2_accounts_page(next_page)
            if answer.status is None or not 200 <= answer.status < 300:
                return answer
            listed, following = answer.body.get("data"), answer.body.get("next_page_url")
            if not isinstance(listed, list):
                return StripeAnswer(status=None, problem="a list at Stripe has no data")
            found += listed
            if not isinstance(following, str):
                return _with_id(replace(answer, body={"data": found}), "list")
            next_page = following
        return StripeAnswer(status=None, problem=f"a list at Stripe has more than {PAGES_MAX * PAGE} objects")

    async def charge(self, charge: str) -> StripeAnswer:
        """A charge with its balance transaction expanded."""
        params: Any = {"expand": ["balance_transaction"]}
        return await self._ask(lambda: self._client.v1.charges.retrieve_async(charge, params))

    async def payout(self, payout: str, account: str) -> StripeAnswer:
        """A connected account's payout with its balance transaction expanded."""
        params: Any = {"expand": ["balance_transaction"]}
        options: Any = {"stripe_account": account}
        return await self._ask(lambda: self._client.v1.payouts.retrieve_async(payout, params, options))

    async def reversals_of(self, transfer: str, next_turn: Turn | None = None) -> StripeAnswer:
        """Every reversal of a transfer; `body["data"]` has all pages."""
        reversals = partial(self._client.v1.transfers.reversals.list_async, transfer)
        return await self._all_pages(reversals, {}, next_turn)

    async def refunds_of(self, charge: str, next_turn: Turn | None = None) -> StripeAnswer:
        """Every refund of a card payment; `body["data"]` has all pages."""
        return await self._all_pages(self._client.v1.refunds.list_async, {"charge": charge}, next_turn)

    async def refunds_since(self, since: datetime, next_turn: Turn) -> StripeAnswer:
        """Every refund of the platform made since then; `body["data"]` has all pages."""
        wanted = {"created": {"gte": int(since.timestamp())}}
        return await self._all_pages(self._client.v1.refunds.list_async, wanted, next_turn)

    async def events(self, types: Sequence[str], since: datetime, after: str | None) -> StripeAnswer:
        """One page of the platform's own events since then, newest first; `after`: the last one before it."""
        params: Any = {"types": list(types), "created": {"gte": int(since.timestamp())}, "limit": PAGE}
        params |= {"starting_after": after} if after else {}
        return _with_id(await self._ask(lambda: self._client.v1.events.list_async(params)), "events")

    async def balance_transactions(self, since: datetime | None, after: str | None) -> StripeAnswer:
        """One page of the platform's balance transactions, newest first; `after`: the last one before it."""
        params: Any = {"limit": PAGE} | ({"created": {"gte": int(since.timestamp())}} if since else {})
        params |= {"starting_after": after} if after else {}
        rows = self._client.v1.balance_transactions
        return _with_id(await self._ask(lambda: rows.list_async(params)), "balance_transactions")

    async def onboarding_link(
        self, account: str, *, return_url: str, refresh_url: str, api: AccountsApi
    ) -> StripeAnswer:
        urls = {"return_url": return_url, "refresh_url": refresh_url}
        v1: Any = {"account": account, "type": "account_onboarding", **urls}
        v2: Any = {"account": account, "use_case": {"type": "account_onboarding", "account_onboarding": urls}}
        return await self._by_either(
            api,
            lambda: self._client.v1.account_links.create_async(v1),
            lambda: self._client.v2.core.account_links.create_async(v2),
        )

    async def mark_account(self, account: str, metadata: Mapping[str, str], api: AccountsApi) -> StripeAnswer:
        """Add to an account's metadata; what is there under other names stays."""
        params: Any = {"metadata": dict(metadata)}
        return await self._by_either(
            api,
            lambda: self._client.v1.accounts.update_async(account, params),
            lambda: self._client.v2.core.accounts.update_async(account, params),
        )

    async def _by_either(
        self, api: AccountsApi, v1: Callable[[], Awaitable[Any]], v2: Callable[[], Awaitable[Any]]
    ) -> StripeAnswer:
        """Ask by the API that makes our accounts, and by the other one when that refuses the account.

        Only for requests that may be repeated: which API made an account is not known of one that was
        adopted.
        """
        first, second = (v2, v1) if api is AccountsApi.V2 else (v1, v2)
        answer = _with_id(await self._ask(first), "answer")
        if classify(answer) is not StripeVerdict.REFUSED:
            return answer
        other = _with_id(await self._ask(second), "answer")
        return other if classify(other) is StripeVerdict.DONE else answer

    async def make_customer(self, params: Params, key: str) -> StripeAnswer:
        """Make a customer; asked for again under the same key within a day, it is the same one."""
        told: Any = dict(params)
        return await self._ask(lambda: self._client.v1.customers.create_async(told, {"idempotency_key": key}))

    async def customer(self, customer: str) -> StripeAnswer:
        return await self._ask(lambda: self._client.v1.customers.retrieve_async(customer))

    async def mark_customer(self, customer: str, metadata: Mapping[str, str]) -> StripeAnswer:
        params: Any = {"metadata": dict(metadata)}
        return await self._ask(lambda: self._client.v1.customers.update_async(customer, params))

    async def checkout(self, params: Params) -> StripeAnswer:
        """A page of Stripe's where somebody pays, or saves a payment method."""
        told: Any = dict(params)
        return await self._ask(lambda: self._client.v1.checkout.sessions.create_async(told))

    async def pages_of(self, customer: str, since: datetime) -> StripeAnswer:
        """A customer's pages made since then, each payment intent with them."""
        wanted = {"customer": customer, "created": {"gte": int(since.timestamp())}}
        wanted["expand"] = ["data.payment_intent"]
        return await self._all_pages(self._client.v1.checkout.sessions.list_async, wanted)

    async def close_page(self, page: str) -> StripeAnswer:
        return await self._ask(lambda: self._client.v1.checkout.sessions.expire_async(page))

    async def dashboard_link(self, account: str) -> StripeAnswer:
        link = await self._ask(lambda: self._client.v1.accounts.login_links.create_async(account))
        return _with_id(link, "link")

    async def _all_pages(
        self, ask: Callable[[Any], Awaitable[Any]], wanted: Params, next_turn: Turn | None = None
    ) -> StripeAnswer:
        """Read all pages of a list. An error on any page is the answer; so is a list of more than 5,000."""
        found: list[Any] = []
        after: dict[str, str] = {}
        for number in range(PAGES_MAX):
            if number and next_turn is not None:
                await next_turn()
            page = {**wanted, **after, "limit": PAGE}
            answer = await self._ask(lambda page=page: ask(page))  # type: ignore[misc]
            if answer.status is None or not 200 <= answer.status < 300:
                return answer
            listed = answer.body.get("data")
            if not isinstance(listed, list):
                return StripeAnswer(status=None, problem="a list at Stripe has no data")
            found += listed
            if not answer.body.get("has_more"):
                return _with_id(replace(answer, body={"data": found}), "list")
            last = listed[-1].get("id") if listed and isinstance(listed[-1], Mapping) else None
            if not isinstance(last, str):
                return StripeAnswer(status=None, problem="a page at Stripe does not end with an object")
            after = {"starting_after": last}
        return StripeAnswer(status=None, problem=f"a list at Stripe has more than {PAGES_MAX * PAGE} objects")

    async def _ask(self, call: Callable[[], Awaitable[Any]]) -> StripeAnswer:
        forbid_in_transaction("a call to Stripe")
        if self.instead is not None:
            return self.instead
        try:
            # The library's timeout counts from byte to byte; this one bounds the whole exchange.
            async with asyncio.timeout(self._timeout_s):
                return _done(await call(), self.livemode)
        except stripe.APIConnectionError as error:
            return StripeAnswer(
                status=None, problem=f"no answer from Stripe: {type(error.__cause__).__name__}"
            )
        except stripe.StripeError as error:
            return _answer_of(error)
        except TimeoutError:
            return StripeAnswer(status=None, problem=f"no answer within {self._timeout_s:g} s")
        except (ValueError, UnicodeError) as error:
            return StripeAnswer(status=None, problem=f"an unreadable answer: {type(error).__name__}")


def _done(thing: Any, livemode: bool) -> StripeAnswer:
    response: Any = thing if isinstance(thing, stripe.StripeResponse) else thing.last_response
    if is_of_other_mode(response.data, livemode):
        problem = OTHER_MODE[livemode]
        return StripeAnswer(status=None, request_id=response.request_id, problem=problem, wrong_mode=True)
    return StripeAnswer(status=response.code, body=response.data, request_id=response.request_id)


def _answer_of(error: stripe.StripeError) -> StripeAnswer:
    told = error.json_body.get("error") if isinstance(error.json_body, Mapping) else None
    message = _SECRET.sub("the key", str(error.user_message or type(error).__name__))
    body = {"error": {**told, "message": message}} if isinstance(told, Mapping) else {}
    return StripeAnswer(
        status=error.http_status,
        body=body,
        request_id=error.request_id,
        problem=message,
        limited_by=_limited_by(error),
    )


def _limited_by(error: stripe.StripeError) -> str | None:
    headers = {str(name).lower(): str(value) for name, value in (error.headers or {}).items()}
    return headers.get("stripe-rate-limited-reason")


def _with_id(answer: StripeAnswer, name: str) -> StripeAnswer:
    if answer.status is None or not 200 <= answer.status < 300:
        return answer
    return replace(answer, body={"id": name, **answer.body})


class _Http(stripe.HTTPXClient):
    """An HTTP client with more connections than the library's 20, so that a busy relay opens few new ones.

    Every call passes here, so here they are counted.
    """

    def __init__(self, timeout_s: float, connections: int, asked: Asked, *, trust_env: bool) -> None:
        super().__init__(timeout=timeout_s)
        self._asked = asked
        verify = ssl.create_default_context(cafile=stripe.ca_bundle_path)
        limits = httpx.Limits(max_connections=2 * POOL, max_keepalive_connections=POOL)
        self._client_async = Pools(
            [
                httpx.AsyncClient(verify=verify, limits=limits, trust_env=trust_env)
                for _ in range(ceil(connections / POOL))
            ]
        )

    def _get_request_args_kwargs(self, method: str, url: str, headers: Any, post_data: Any) -> Any:
        self._asked(endpoint_of(method, url))
        args, options = super()._get_request_args_kwargs(method, url, headers, post_data)
        options["content"] = options.pop("data") or None  # httpx deprecates text as form data
        return args, options


def _bases(api_base: str) -> Any:
    """Where each kind of call goes: all to the simulator, or each to its own of Stripe's addresses."""
    if is_stripe(api_base):
        return {"api": api_base}
    return dict.fromkeys(("api", "connect", "files", "meter_events"), api_base)
