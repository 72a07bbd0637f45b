"""Where a platform may send money, and under which service agreement an account has to be.

Sources: docs.stripe.com/connect/service-agreement-types (recipient: cross-border, no card_payments,
transfers take 24 h more), docs.stripe.com/connect/cross-border-payouts (regions),
github.com/Layr-Labs/d-inference/pull/498 (accounts abroad under the full agreement never receive a
transfer). Wordings are from memory.
"""

from hobbs.local.stripe_sim import errors
from hobbs.local.stripe_sim.world import Doc, World

RECIPIENT_WAITS_S = 24 * 3600
# Money moves freely among these under the full agreement; elsewhere only within one country.
EEA = ["AT", "BE", "BG", "HR", "CY", "CZ", "DK", "EE", "FI", "FR", "DE", "GR", "HU", "IE", "IS", "IT"]
EEA += ["LI", "LV", "LT", "LU", "MT", "NL", "NO", "PL", "PT", "RO", "SK", "SI", "ES", "SE"]
REGION = frozenset({"US", "CA", "GB", "CH", *EEA})


def is_within_region(platform: str, country: str) -> bool:
    return platform == country or {platform, country} <= REGION


def check_creation(world: World, country: str, agreement: str | None, capabilities: set[str]) -> None:
    """Refuse an account that cannot be under this agreement. agreement: full or recipient."""
    platform = world.settings.platform_country
    if agreement != "recipient":
        return
    if country == platform:
        raise errors.refused(
            f"The recipient ToS agreement is not supported for platforms in {platform} creating accounts in "
            f"{country}. See https://stripe.com/docs/connect/cross-border-payouts for more details.",
            param="tos_acceptance[service_agreement]",
        )
    if "card_payments" in capabilities:
        raise errors.refused(
            "You cannot request the `card_payments` capability for accounts under the recipient service "
            "agreement. See https://stripe.com/docs/connect/service-agreement-types.",
            param="capabilities[card_payments]",
        )


def check_destination(world: World, account: Doc) -> None:
    """Refuse a transfer to another region, unless the account is under the recipient agreement."""
    if is_recipient(account) or is_within_region(world.settings.platform_country, account["country"]):
        return
    raise errors.refused(
        f"Funds can't be sent to accounts located in {account['country']} because it's restricted outside of "
        "your platform's region. For more details, see: "
        "https://stripe.com/docs/connect/account-capabilities#transfers-cross-border",
        param="destination",
    )


def is_recipient(account: Doc) -> bool:
    return bool(account.get("tos_acceptance", {}).get("service_agreement") == "recipient")


def available_on(world: World, account: str, ordinary: int | None) -> int | None:
    """When a transfer is available at its destination: a day later under the recipient agreement."""
    doc = world.store.get("account", account)
    if doc is None or not is_recipient(doc):
        return ordinary
    return max(ordinary or 0, world.now) + RECIPIENT_WAITS_S


def check_instant(account: Doc) -> None:
    """Refuse an instant payout under the recipient agreement."""
    if is_recipient(account):
        raise errors.refused(
            "Instant Payouts are not supported for this account.", "instant_payouts_unsupported"
        )
