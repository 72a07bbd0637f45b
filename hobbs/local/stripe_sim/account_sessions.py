"""Account sessions: the secret with which Stripe's embedded components show one account.

Source: docs.stripe.com/api/account_sessions. Only the secret is simulated, no component.
"""

from hobbs.local.stripe_sim import accounts, errors, forms
from hobbs.local.stripe_sim.identifiers import random_text
from hobbs.local.stripe_sim.world import Call, Doc, World

LIVES_S = 3_600
ACCOUNT = {"disable_stripe_user_authentication": False, "external_account_collection": True}
DISPUTES = {
    "destination_on_behalf_of_charge_management": False,
    "dispute_management": True,
    "refund_management": True,
    "smart_disputes_management": True,
}
PAYMENTS = {**DISPUTES, "capture_payments": True}
PAYOUTS = {**ACCOUNT, "edit_payout_schedule": True, "instant_payouts": True, "standard_payouts": True}
FINANCIAL = {**ACCOUNT, "send_money": False, "transfer_balance": False}
CARDS = {
    "card_management": True,
    "card_spend_dispute_management": False,
    "cardholder_management": False,
    "spend_control_management": False,
}
FEATURES: dict[str, dict[str, bool]] = {
    "account_management": ACCOUNT,
    "account_onboarding": ACCOUNT,
    "balance_report": {},
    "balances": PAYOUTS,
    "disputes_list": {**DISPUTES, "capture_payments": True},
    "documents": {},
    "financial_account": FINANCIAL,
    "financial_account_transactions": {"card_spend_dispute_management": False},
    "instant_payouts_promotion": {**ACCOUNT, "instant_payouts": True},
    "issuing_card": CARDS,
    "issuing_cards_list": {**CARDS, "disable_stripe_user_authentication": False},
    "notification_banner": ACCOUNT,
    "payment_details": PAYMENTS,
    "payment_disputes": DISPUTES,
    "payment_method_settings": {"disable_stripe_user_authentication": False},
    "payments": PAYMENTS,
    "payout_details": {},
    "payout_reconciliation_report": {},
    "payouts": PAYOUTS,
    "payouts_list": {},
    "tax_registrations": {},
    "tax_settings": {},
}
"""Component, and its features with their defaults."""


def create(world: World, call: Call) -> Doc:
    account = forms.required_text(call.params, "account")
    accounts.required(world, account)
    wanted = forms.nested(call.params, "components")
    if not wanted:
        raise errors.missing_param("components")
    return {
        "object": "account_session",
        "account": account,
        "client_secret": f"accs_secret__{random_text(40)}",
        "components": {name: _component(name, forms.nested(wanted, name)) for name in FEATURES},
        "expires_at": world.now + LIVES_S,
        "livemode": False,
    }


def _component(name: str, given: Doc) -> Doc:
    features = forms.nested(given, "features")
    chosen = {key: forms.boolean(features, key, default) for key, default in FEATURES[name].items()}
    return {"enabled": forms.boolean(given, "enabled"), "features": chosen}
