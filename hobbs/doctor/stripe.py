"""Examines Stripe: the key's form and mode, whether Stripe accepts it, webhook secrets. Creates nothing."""

import time
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Final

import httpx
from pydantic import SecretStr

from fleet import stripe_keys
from hobbs.doctor.findings import Finding, not_checked, ok, warning, wrong

TIMEOUT_S: Final = 10.0
SKEW_S_MAX: Final = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class StripeAccess:
    """The installation's settings of its Stripe account."""

    secret_key: SecretStr | None
    api_base: str
    webhook_secrets: SecretStr
    connect_webhook_secrets: SecretStr
    livemode: bool


async def examine_stripe(access: StripeAccess) -> list[Finding]:
    findings = _webhook_secrets(access)
    if access.secret_key is None:
        fix = "to check it too: set HOBBS_STRIPE_SECRET_KEY, as payouts has it"
        return [*findings, not_checked("stripe", "the secret key, which is not set here", fix)]
    key = access.secret_key.get_secret_value()
    shape = _shape(key, access)
    findings.append(shape)
    return findings if shape.state.value == "WRONG" else [*findings, *await _ask(key, access.api_base)]


def _shape(key: str, access: StripeAccess) -> Finding:
    livemode = stripe_keys.livemode_of(key)
    place = stripe_keys.shown(access.api_base)
    if livemode is None:
        return wrong(
            "stripe", "the secret key is neither sk_ nor rk_, test nor live", "copy it from the Dashboard"
        )
    mode = stripe_keys.mode(livemode)
    if refused := stripe_keys.refused_address(access.api_base, livemode=livemode):
        fix = "unset HOBBS_STRIPE_API_BASE, or use a test key and a simulator on this machine"
        return wrong("stripe", refused, fix)
    if livemode != access.livemode:
        fix = f"set HOBBS_STRIPE_LIVEMODE={str(livemode).lower()} for the gateway, or use the other key"
        return wrong("stripe", f"a {mode} key, but webhooks of the other mode are accepted", fix)
    return ok("stripe", f"a {mode} key for {place}")


async def _ask(key: str, base: str) -> list[Finding]:
    """Read the balance: the cheapest request that proves that the key is valid."""
    try:
        proxied = stripe_keys.is_stripe(base)  # a simulator on this machine is not behind a proxy
        async with httpx.AsyncClient(timeout=TIMEOUT_S, trust_env=proxied) as client:
            answer = await client.get(f"{base.rstrip('/')}/v1/balance", auth=(key, ""))
    except httpx.HTTPError as error:
        fix = "allow HTTPS to it, or correct HOBBS_STRIPE_API_BASE"
        return [wrong("stripe", f"{base}: no answer ({type(error).__name__})", fix)]
    return [_answer(answer, base), *_clock(answer)]


def _answer(answer: httpx.Response, base: str) -> Finding:
    if answer.status_code in (401, 403):
        return wrong(
            "stripe", f"{base} refuses the key ({answer.status_code})", "roll the key in the Dashboard"
        )
    if not answer.is_success:
        return warning(
            "stripe", f"{base} answered {answer.status_code}", "look at Stripe's status page; try again"
        )
    return ok("stripe", f"{base} accepts the key")


def _clock(answer: httpx.Response) -> list[Finding]:
    date = answer.headers.get("date")
    if date is None:
        return []
    skew = parsedate_to_datetime(date).timestamp() - time.time()
    if abs(skew) <= SKEW_S_MAX:
        return []
    return [
        wrong(
            "stripe", f"its clock is {skew:+.0f} s from ours", "set this clock with NTP: webhooks look stale"
        )
    ]


def _webhook_secrets(access: StripeAccess) -> list[Finding]:
    findings = []
    for name, setting in (
        ("HOBBS_STRIPE_WEBHOOK_SECRETS", access.webhook_secrets),
        ("HOBBS_STRIPE_CONNECT_WEBHOOK_SECRETS", access.connect_webhook_secrets),
    ):
        secrets = [part.strip() for part in setting.get_secret_value().split(",") if part.strip()]
        if not secrets:
            fix = f"to check it too: set {name} (or {name}_FILE), as the gateway has it"
            findings.append(not_checked("stripe", f"{name}, which is not set here", fix))
        elif not all(secret.startswith("whsec_") for secret in secrets):
            fix = "copy the endpoint's signing secret from the Dashboard"
            findings.append(wrong("stripe", f"{name} does not look like whsec_…", fix))
        else:
            findings.append(ok("stripe", f"{name}: {len(secrets)} secrets"))
    return findings
