"""Whether a platform may make an account through v1, and with these capabilities.

Sources: docs.stripe.com/connect/accounts-v2/account-creation (v1 is closed to new Connect platforms; a
switch of the Dashboard opens it), public repositories that quote the answers in 2026 (the sentences below),
and docs.stripe.com/connect/service-agreement-types.
"""

from hobbs.local.stripe_sim import agreements, errors, forms
from hobbs.local.stripe_sim.world import Doc, World

CLOSED = (
    "Stripe no longer recommends Accounts v1 for new Connect integrations. Create connected accounts with "
    "POST /v2/core/accounts instead. If you are required to use Accounts v1, enable Accounts v1 support in "
    "the Dashboard: https://dashboard.stripe.com/settings/developers/api-policies/feat_accounts_v1_support"
)
TRANSFERS_ALONE = (
    "Your platform needs approval for accounts to have requested the `transfers` capability without the "
    "`card_payments` capability. If you would like to request transfers without card_payments, please "
    "contact us via https://support.stripe.com/contact."
)


def check(world: World, params: Doc, capabilities: set[str]) -> None:
    """Raise StripeError when Stripe would refuse such an account."""
    if not world.settings.v1_accounts:
        raise errors.refused(CLOSED)
    alone = "transfers" in capabilities and "card_payments" not in capabilities
    if alone and not world.settings.transfers_alone_approved:
        raise errors.refused(TRANSFERS_ALONE)
    country = (forms.text(params, "country") or world.settings.platform_country).upper()
    agreement = forms.nested(params, "tos_acceptance").get("service_agreement")
    agreements.check_creation(world, country, agreement, capabilities)


def tos_acceptance(params: Doc) -> Doc:
    """The agreement that a new account will be under; `service_agreement` only when it was asked for."""
    asked = forms.nested(params, "tos_acceptance").get("service_agreement")
    return {"date": None, "ip": None, "user_agent": None} | ({"service_agreement": asked} if asked else {})
