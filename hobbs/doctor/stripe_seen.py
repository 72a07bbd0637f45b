"""Examines what payouts and the gateway see of Stripe: modes, addresses, versions, payloads. Needs no key.

Payouts publishes what it runs with, the gateway which kinds of events came (decisions 0195, 0196).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy.exc import DBAPIError

from fleet import stripe_keys
from fleet.settings import Settings
from fleet.stripe_keys import mode
from hobbs.doctor.findings import Finding, ok, warning, wrong
from hobbs.shell.connections import reading
from schemas.stripe_webhooks import API_VERSION

RUNS_FOR_S: Final = 300  # payouts says it each minute

_RUNS_WITH: Final = """
    SELECT livemode, key_livemode, api_base, api_version, seen_at,
           coalesce(seen_at > now() - make_interval(secs => :runs_for_s), false) AS runs
    FROM payouts_public.stripe_mode
"""
# A week: what was corrected is not told for ever.
_CAME: Final = """
    SELECT endpoint, verdict, livemode, reading, api_version, events, last_event_id, last_event_type,
           last_seen_at
    FROM gateway_public.webhook_sighting WHERE last_seen_at > now() - interval '7 days'
    ORDER BY endpoint, last_seen_at DESC
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunsWith:
    """What payouts runs with. livemode: of the database's money; null before the first start."""

    livemode: bool | None
    key_livemode: bool | None
    api_base: str | None
    api_version: str | None
    seen_at: datetime | None
    runs: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Came:
    """A kind of events that the gateway got, and the latest of it."""

    endpoint: str
    verdict: str
    livemode: bool
    reading: str
    api_version: str
    events: int
    last_event_id: str
    last_event_type: str
    last_seen_at: datetime

    def __str__(self) -> str:
        at = self.last_seen_at.isoformat(timespec="minutes")
        return f"{self.events} events, the last {self.last_event_id} ({self.last_event_type}) at {at}"


async def examine_stripe_seen(settings: Settings, *, livemode: bool, api_base: str) -> list[Finding]:
    """Compare what is seen with the mode and address that are set here."""
    findings = list(_address(api_base, livemode))
    try:
        async with reading(settings) as database, database.transaction() as tx:
            row = await tx.one(_RUNS_WITH, runs_for_s=RUNS_FOR_S)
            came = [Came(**kind._mapping) for kind in await tx.all(_CAME)]
    except (OSError, DBAPIError) as error:
        found = f"what payouts runs with cannot be read ({type(error).__name__})"
        return [*findings, warning("stripe", found, "see postgres above; hobbs migrate")]
    runs_with = RunsWith(**row._mapping)
    findings += _runs(runs_with, livemode, api_base)
    return findings + [finding for kind in came if (finding := _judged(kind, runs_with))]


def _address(api_base: str, livemode: bool) -> Iterator[Finding]:
    """Say it before a key is sent: where payouts with these settings would send it."""
    if refused := stripe_keys.refused_address(api_base, livemode=livemode):
        found = f"HOBBS_STRIPE_API_BASE in {mode(livemode)} mode: {refused}"
        yield wrong("stripe", found, "correct HOBBS_STRIPE_API_BASE or HOBBS_STRIPE_LIVEMODE")


def _runs(found: RunsWith, livemode: bool, api_base: str) -> Iterator[Finding]:
    if found.key_livemode is None or found.api_base is None:
        yield ok("stripe", "payouts has not started yet with a key")
        return
    ours, base = found.key_livemode, found.api_base
    when = "runs" if found.runs else f"ran, until {found.seen_at:%Y-%m-%dT%H:%M}Z,"
    told = f"payouts {when} with a {mode(ours)} key at {base}, API {found.api_version}"
    if refused := stripe_keys.refused_address(base, livemode=ours):
        yield wrong("stripe", f"{told}: {refused}", "restart payouts, which refuses it")
    elif ours is not livemode:
        fix = f"HOBBS_STRIPE_LIVEMODE={str(ours).lower()} for gateway, receivables and here, or the other key"
        yield wrong("stripe", f"{told}, but events of {mode(livemode)} mode are taken", fix)
    elif base.rstrip("/") != api_base.rstrip("/"):
        sentence = f"{told}, and HOBBS_STRIPE_API_BASE here is {stripe_keys.shown(api_base)}"
        yield warning("stripe", sentence, "give both the same setting")
    else:
        yield ok("stripe", told)
    if found.livemode is not None and found.livemode is not ours:
        sentence = f"the database holds {mode(found.livemode)}-mode money, and payouts has a {mode(ours)} key"
        fix = f"put a {mode(found.livemode)} key back, or give this deployment a new, empty database"
        yield wrong("stripe", sentence, fix)
    if found.api_version != API_VERSION:
        sentence = f"payouts speaks API {found.api_version}, and this release reads {API_VERSION}"
        yield warning("stripe", sentence, "install the pinned requirements: this is another stripe library")


def _judged(kind: Came, runs_with: RunsWith) -> Finding | None:
    """What is wrong with a kind of events, None when nothing is."""
    where = f"the {kind.endpoint} endpoint"
    if kind.verdict == "refused":
        return wrong("stripe", f"live events come to this test deployment at {where}: {kind}", _LIVE_HERE)
    if kind.verdict == "dropped":
        expected = kind.endpoint == "connect"  # Stripe sends them to live Connect endpoints by design
        found = f"test-mode events come to this live deployment at {where}: {kind}"
        return None if expected else wrong("stripe", found, _TEST_HERE)
    if runs_with.key_livemode is not None and kind.livemode is not runs_with.key_livemode:
        found = f"{where} takes {mode(kind.livemode)} events, and payouts' key is of the other mode: {kind}"
        return wrong(
            "stripe", found, "give gateway and receivables the HOBBS_STRIPE_LIVEMODE of payouts' key"
        )
    return _version(kind, where)


def _version(kind: Came, where: str) -> Finding | None:
    match kind.reading:
        case "older" | "newer":
            found = f"{where} sends API {kind.api_version}, whose objects may differ from {API_VERSION}'s"
            return wrong("stripe", f"{found}: {kind}", _NEW_ENDPOINT)
        case "same_release":
            found = f"{where} sends API {kind.api_version}, compatible with {API_VERSION}"
            return warning("stripe", found, _NEW_ENDPOINT)
        case "thin_unread":
            found = f"{where} gets thin events that no service acts on: {kind}"
            return warning("stripe", found, _SNAPSHOTS)
    return None


_LIVE_HERE: Final = (
    "in Stripe's Dashboard, live mode, take this deployment's address out of the endpoint; or make this "
    "deployment live: a live key, HOBBS_STRIPE_LIVEMODE=true, a new database"
)
_TEST_HERE: Final = "in Stripe's Dashboard, test mode, take this deployment's address out of the endpoint"
_SNAPSHOTS: Final = (
    "give this event destination the payload style Snapshot; Thin is read for types of v2.core.account only"
)
# An endpoint's version is chosen when it is made: the library's WebhookEndpointUpdateParams has none.
_NEW_ENDPOINT: Final = (
    f"make the endpoint anew with api_version {API_VERSION} and the same types, put its secret in front of "
    "the old one's, then delete the old endpoint (docs/operations/stripe.md)"
)
