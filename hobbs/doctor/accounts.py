"""Examines how payees' accounts are made: the settings, what Stripe says to them, what it refused. Makes
none.

Stripe tells by no read whether it would make an account. So this compares the platform's country, reads one
page of the accounts of API v2, and shows what Stripe answered when payouts asked.
"""

from typing import Any, Final

import httpx
from asyncpg import PostgresError
from sqlalchemy.exc import DBAPIError

from fleet.settings import Settings
from hobbs.doctor.findings import Finding, ok, warning, wrong
from hobbs.doctor.stripe import TIMEOUT_S, StripeAccess
from hobbs.shell.connections import acting_as
from schemas.stripe_webhooks import API_VERSION
from services.payouts.desk import reads
from services.payouts.domain.accounts import AccountPolicy, AccountsApi
from services.payouts.domain.operations import Kind
from services.payouts.domain.refusals import advice

AREA: Final = "accounts"


async def examine_accounts(
    settings: Settings, access: StripeAccess | None, policy: AccountPolicy
) -> list[Finding]:
    """What was refused and what conflicts, by the database; what Stripe says, when it may be asked.

    access: None when the key may not be used.
    """
    findings = [_setting(policy), *await _recorded(settings)]
    if access is not None and access.secret_key is not None:
        findings += await _at_stripe(access.secret_key.get_secret_value(), access.api_base, policy)
    return findings


def _setting(policy: AccountPolicy) -> Finding:
    beside = "transfers alone" if policy.recipient_alone else "card_payments beside transfers"
    found = f"made through API {policy.api}, with {beside}, by a platform in {policy.country}"
    if policy.api is AccountsApi.V1:
        fix = (
            "only for platforms that have v1: Stripe closed it to new ones; else unset HOBBS_STRIPE_ACCOUNTS"
        )
        return warning(AREA, found, fix)
    return ok(AREA, found)


async def _recorded(settings: Settings) -> list[Finding]:
    async with acting_as(settings, "payouts") as database:
        try:
            async with database.transaction() as tx:
                refused, conflicts = await reads.refused_accounts(tx), await reads.conflicts(tx)
        except (DBAPIError, PostgresError):
            return []  # no right or no table: what examines PostgreSQL says it, with its fix
    findings = [_refused(refused)] if refused else []
    if conflicts:
        found = f"{_many(conflicts, 'conflict')}: {conflicts[0]['wallet']}: {conflicts[0]['conflict']}"
        findings.append(warning(AREA, found, "correct the payee's card and apply the school's book"))
    return findings


def _refused(rows: list[dict[str, Any]]) -> Finding:
    first = rows[0]
    said = str(first["sentence"])
    found = f"{_many(rows, 'account refused')} (API {first['api']}): {first['wallet']}: {said}"
    return wrong(AREA, found, advice(Kind.ACCOUNT, str(first["reason"]), said).todo)


def _many(rows: list[dict[str, Any]], what: str) -> str:
    return f"{len(rows)} {what}{'' if len(rows) == 1 else 's'}"


async def _at_stripe(key: str, base: str, policy: AccountPolicy) -> list[Finding]:
    headers = {"Stripe-Version": API_VERSION}
    try:
        async with httpx.AsyncClient(timeout=TIMEOUT_S, auth=(key, ""), headers=headers) as client:
            own = await client.get(f"{base.rstrip('/')}/v1/account")
            listed = await client.get(f"{base.rstrip('/')}/v2/core/accounts", params={"limit": "1"})
    except httpx.HTTPError:
        return []  # the examination of Stripe says it
    return [*_country(own, policy), *_listed(listed, policy)]


def _country(own: httpx.Response, policy: AccountPolicy) -> list[Finding]:
    if not own.is_success:
        fix = f"see in Stripe's dashboard that the account is in {policy.country}"
        return [warning(AREA, "the key may not read the platform's country", fix)]
    country = own.json().get("country")
    if country == policy.country:
        return [ok(AREA, f"the platform is in {country}, as HOBBS_STRIPE_COUNTRY says")]
    fix = f"set HOBBS_STRIPE_COUNTRY={country} for payouts: payees' agreements follow from it"
    return [wrong(AREA, f"the platform is in {country}, HOBBS_STRIPE_COUNTRY says {policy.country}", fix)]


def _listed(listed: httpx.Response, policy: AccountPolicy) -> list[Finding]:
    if policy.api is not AccountsApi.V2:
        return []
    if listed.is_success:
        return [ok(AREA, "Stripe's API v2 lists accounts to this key")]
    fix = (
        "give the restricted key write access to Accounts v2, or set HOBBS_STRIPE_ACCOUNTS=v1 on a platform "
        "that has v1"
    )
    return [wrong(AREA, f"Stripe's API v2 lists no accounts to this key ({listed.status_code})", fix)]
