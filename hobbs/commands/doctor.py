"""The command: every examination in turn; one that cannot be made is a finding itself."""

import asyncio
import os
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Annotated, Literal

import typer
from pydantic import SecretStr, ValidationError

from fleet.settings import Settings
from hobbs.doctor.accounts import examine_accounts
from hobbs.doctor.backups import examine_backups
from hobbs.doctor.brokers import examine_brokers
from hobbs.doctor.console import examine_console
from hobbs.doctor.deployed import examine_images, examine_prometheus, examine_rules
from hobbs.doctor.findings import Finding, State, ok, wrong
from hobbs.doctor.kafka import examine_kafka
from hobbs.doctor.logins import examine_logins
from hobbs.doctor.machine import examine_machine
from hobbs.doctor.movements import examine_movements
from hobbs.doctor.operations import examine_operations
from hobbs.doctor.postgres import examine_postgres
from hobbs.doctor.production import examine_production
from hobbs.doctor.reserve import examine_reserve
from hobbs.doctor.stripe import StripeAccess, examine_stripe
from hobbs.doctor.stripe_seen import examine_stripe_seen
from hobbs.doctor.time_zones import examine_time_zone
from hobbs.shell.connections import run, way_in, why, wrong_settings
from hobbs.shell.output import EXIT_FINDINGS, Output, OutputOption, show_rows
from services.payouts.domain.accounts import AccountPolicy, AccountsApi

EXAMINATION_TIMEOUT_S = 30.0


app = typer.Typer(no_args_is_help=True)


class DoctorSettings(Settings):
    """Everything an installation may be told; services hold their own parts of it."""

    stripe_secret_key: SecretStr | None = None
    stripe_api_base: str = "https://api.stripe.com"
    stripe_webhook_secrets: SecretStr = SecretStr("")
    stripe_connect_webhook_secrets: SecretStr = SecretStr("")
    stripe_livemode: bool = False
    stripe_accounts: AccountsApi = AccountsApi.V2
    stripe_country: str = "US"
    stripe_recipient_alone: bool = False
    attestation_keys: SecretStr = SecretStr("")
    publishers_keys: SecretStr = SecretStr("")
    console_login: Literal["oidc", "local"] = "oidc"
    prometheus_url: str = ""


@app.command("doctor")
def doctor(
    production: Annotated[
        bool,
        typer.Option(
            "--production", help="List only what is not fit for a live key, and what is not checked."
        ),
    ] = False,
    output: OutputOption = Output.table,
) -> None:
    """Look at Python, settings, Postgres, Kafka and Stripe; say what is wrong and its fix. Exit 1 if any is.

    Give it the settings the services have (the Stripe key and webhook secrets are looked at when set).
    """
    findings = run(examine())
    if production:
        unfit = [finding for finding in findings if finding.state is not State.ok]
        findings = [*unfit, *examine_settings_for_production(), *run(examine_installation())]
    show_rows([_row(finding) for finding in findings], output, columns=["area", "state", "found", "fix"])
    unfit_states = (State.warning, State.wrong) if production else (State.wrong,)
    if any(finding.state in unfit_states for finding in findings):
        raise typer.Exit(EXIT_FINDINGS)


def examine_settings_for_production() -> list[Finding]:
    """What of the settings is not fit for a live key; none when they cannot be read, which is said anyhow."""
    try:
        return examine_production(DoctorSettings(), os.environ)
    except (OSError, ValueError):
        return []


async def examine_installation() -> list[Finding]:
    """What besides the settings is not fit for a live key: backups, alerts, images, the brokers' rights."""
    try:
        settings = DoctorSettings()
    except (OSError, ValueError):
        return []
    findings = list(await _guarded("backups", lambda: examine_backups(settings)))
    findings += await _guarded("brokers", lambda: examine_brokers(settings))
    findings += await _guarded("logins", lambda: examine_logins(settings))
    findings += examine_rules()
    findings += await _guarded("alerts", lambda: examine_prometheus(settings.prometheus_url))
    return findings + examine_images()


async def examine() -> list[Finding]:
    """Make every examination that the settings allow."""
    findings = examine_machine()
    try:
        settings = DoctorSettings()
    except ValidationError as error:
        sentences = wrong_settings(error)
        fix = f"see .env.example; {way_in()}"
        return findings + [wrong("settings", sentence, fix) for sentence in sentences]
    except (OSError, ValueError) as error:
        fix = "write the secret into the file, readable for this user"
        return [*findings, wrong("settings", f"a HOBBS_*_FILE cannot be read: {error}", fix)]
    findings.append(ok("settings", "HOBBS_DATABASE_URL and HOBBS_KAFKA_BOOTSTRAP are set"))
    stripe = StripeAccess(
        secret_key=settings.stripe_secret_key,
        api_base=settings.stripe_api_base,
        webhook_secrets=settings.stripe_webhook_secrets,
        connect_webhook_secrets=settings.stripe_connect_webhook_secrets,
        livemode=settings.stripe_livemode,
    )
    findings += await _guarded("postgres", lambda: examine_postgres(settings))
    if not any(finding.area == "postgres" and finding.state is State.wrong for finding in findings):
        findings += await _guarded("time zone", lambda: examine_time_zone(settings))
        findings += await _guarded("stripe", lambda: examine_movements(settings))
        findings += await _guarded("stripe", lambda: examine_reserve(settings))
        findings += await _guarded("console", lambda: examine_console(settings))
    if any(finding.area == "payouts" for finding in findings):  # its tables are there and may be read
        findings += await _guarded("payouts", lambda: examine_operations(settings))
    findings += await _guarded("kafka", lambda: examine_kafka(settings))
    at_stripe = await _guarded("stripe", lambda: examine_stripe(stripe))
    findings += at_stripe
    usable = None if any(finding.state is State.wrong for finding in at_stripe) else stripe
    policy = AccountPolicy(
        api=settings.stripe_accounts,
        country=settings.stripe_country,
        recipient_alone=settings.stripe_recipient_alone,
    )
    findings += await _guarded("accounts", lambda: examine_accounts(settings, usable, policy))
    seen = partial(examine_stripe_seen, settings, livemode=stripe.livemode, api_base=stripe.api_base)
    findings += await _guarded("stripe", seen)
    return findings


async def _guarded(area: str, examination: Callable[[], Awaitable[Sequence[Finding]]]) -> Sequence[Finding]:
    try:
        async with asyncio.timeout(EXAMINATION_TIMEOUT_S):
            return await examination()
    except TimeoutError:
        return [
            wrong(area, f"no answer within {EXAMINATION_TIMEOUT_S:g} s", f"see whether {area} is overloaded")
        ]
    except Exception as error:  # whatever stops an examination is what the operator must hear
        return [wrong(area, f"cannot be examined: {why(error)}", "see docs/operations/README.md")]


def _row(finding: Finding) -> dict[str, str]:
    return {"area": finding.area, "state": finding.state.value, "found": finding.found, "fix": finding.fix}
