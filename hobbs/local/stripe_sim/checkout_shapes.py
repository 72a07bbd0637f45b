"""The fields of a Checkout session, as docs.stripe.com/api/checkout/sessions/object has them."""

from hobbs.local.stripe_sim import forms
from hobbs.local.stripe_sim.identifiers import new_id, random_text
from hobbs.local.stripe_sim.world import Doc, World

NULLS = (
    "adaptive_pricing",
    "after_expiration",
    "allow_promotion_codes",
    "billing_address_collection",
    "client_secret",
    "collected_information",
    "consent",
    "consent_collection",
    "currency_conversion",
    "customer_account",
    "customer_details",
    "discounts",
    "invoice",
    "invoice_creation",
    "optional_items",
    "origin_context",
    "payment_intent",
    "payment_link",
    "payment_method_configuration_details",
    "permissions",
    "recovered_from",
    "saved_payment_method_options",
    "setup_intent",
    "shipping_address_collection",
    "shipping_cost",
    "subscription",
    "wallet_options",
)
TEXTS = (
    "cancel_url",
    "client_reference_id",
    "customer",
    "customer_email",
    "locale",
    "submit_type",
    "success_url",
)


def session_shape(world: World, params: Doc, mode: str, *, currency: str | None, total: int) -> Doc:
    """A new open session; what it is for, offers and leads to is filled in by checkout.py."""
    session_id = f"cs_test_{random_text(58)}"
    payment = mode == "payment"
    default_creation = None if forms.text(params, "customer") else "if_required"
    return {
        **dict.fromkeys(NULLS),
        "id": session_id,
        "object": "checkout.session",
        "amount_subtotal": total if payment else None,
        "amount_total": total if payment else None,
        "automatic_tax": {"enabled": False, "liability": None, "provider": None, "status": None},
        "created": world.now,
        "currency": currency,
        "custom_fields": [],
        "custom_text": dict.fromkeys(
            ("after_submit", "shipping_address", "submit", "terms_of_service_acceptance")
        ),
        "customer_creation": forms.text(params, "customer_creation") or default_creation,
        "livemode": False,
        "metadata": forms.metadata(params),
        "mode": mode,
        "payment_method_collection": "if_required" if payment else "always",
        "payment_method_options": {},
        "payment_status": "unpaid" if payment else "no_payment_required",
        "phone_number_collection": {"enabled": False},
        "shipping_options": [],
        "status": "open",
        "total_details": ({"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0} if payment else None),
        "ui_mode": "hosted_page",
        "url": f"{world.public_url}/c/pay/{session_id}",
        **{name: forms.text(params, name) for name in TEXTS},
    }


def customer_details(email: str | None, name: str | None) -> Doc:
    """What the payer said about themselves on the page."""
    nothing = ("address", "business_name", "individual_name", "phone")
    return {**dict.fromkeys(nothing), "email": email, "name": name, "tax_exempt": "none", "tax_ids": []}


def link_id() -> str:
    return new_id("plink")
