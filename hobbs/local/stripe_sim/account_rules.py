"""What Stripe checks about a connected account, and parts that every account has.

Sources: docs.stripe.com/api/accounts/delete (a live account goes when all balances are zero; the sentence is
quoted in gitlab.com/minds/engine/issues/798; a test-mode account at Stripe can be deleted at any time, here
the live rule holds), docs.stripe.com/api/accounts/create (country, default_currency), the refusals of a
country as quoted in public repositories of 2026 ("Country 'ZZ' is unknown"; country_unsupported "… is not
currently supported by Stripe"). How Stripe refuses a reversal from an account that is gone is from memory.
"""

from typing import Any

from hobbs.local.stripe_sim import errors, forms, lists
from hobbs.local.stripe_sim.countries import CURRENCY_OF, UNSUPPORTED
from hobbs.local.stripe_sim.identifiers import new_id
from hobbs.local.stripe_sim.parameters import parameters
from hobbs.local.stripe_sim.world import Doc, World

PLATFORM_BANK = "ba_simulated0platform0bank"


def country(params: Doc) -> str:
    """The account's country, the United States when none is given. Raises StripeError for others."""
    given = forms.text(params, "country") or "US"
    code = given.upper()
    if code in CURRENCY_OF:
        return code
    if code in UNSUPPORTED:
        raise errors.invalid_param(
            "country", f"{code} is not currently supported by Stripe.", "country_unsupported"
        )
    raise errors.invalid_param("country", f"Country '{given}' is unknown")


def default_currency(params: Doc, of_country: str) -> str:
    if "default_currency" not in params:
        return CURRENCY_OF[of_country]
    return forms.currency({"currency": params["default_currency"]})


def capability(name: str) -> str:
    """The name of a capability that exists. Raises StripeError for another."""
    [shape] = parameters("account_create").values["capabilities"].objects
    if name not in shape.values:
        raise errors.no_such("capability", name, "capability")
    return name


def refuse_deletion(world: World, account_id: str) -> None:
    """Raise StripeError while the account holds or owes money."""
    rows = world.store.rows(
        "SELECT currency FROM balance WHERE account = :account AND available <> 0"
        " UNION SELECT currency FROM pending_funds WHERE account = :account",
        account=account_id,
    )
    if rows:
        raise errors.refused(
            "For an account created with your live-mode key, you cannot delete the account when the balance "
            f"in any currency is non-zero. Currencies with non-zero balances: "
            f"{', '.join(sorted(row[0] for row in rows))}."
        )


def refuse_reversal(world: World, destination: str) -> None:
    """Raise StripeError for a reversal of a transfer whose account was deleted or left the platform."""
    account = world.store.get("account", destination)
    if account is None or account.get("_closed"):
        raise errors.no_such("destination", destination, "destination", status=400)


def person(world: World, account_id: str, given: Doc) -> Doc:
    """The person behind an individual's account, with what was given about them."""
    own = {"id": new_id("person"), "object": "person", "account": account_id, "created": world.now}
    return given | own


def settings(payouts: Doc) -> Doc:
    """An account's settings; `payouts`: debit_negative_balances and schedule."""
    return {
        "bacs_debit_payments": {"display_name": None, "service_user_number": None},
        "branding": {"icon": None, "logo": None, "primary_color": None, "secondary_color": None},
        "card_issuing": {"tos_acceptance": {"date": None, "ip": None}},
        "card_payments": {
            "decline_on": {"avs_failure": False, "cvc_failure": False},
            "statement_descriptor_prefix": None,
            "statement_descriptor_prefix_kana": None,
            "statement_descriptor_prefix_kanji": None,
        },
        "dashboard": {"display_name": None, "timezone": "Etc/UTC"},
        "invoices": {"default_account_tax_ids": None, "hosted_payment_method_save": None},
        "payments": dict.fromkeys(
            ("statement_descriptor", "statement_descriptor_kana", "statement_descriptor_kanji")
        ),
        "payouts": {"statement_descriptor": None, **payouts},
        "sepa_debit_payments": {},
    }


def platform_banks(world: World) -> Doc:
    """The one bank account of the platform."""
    bank: dict[str, Any] = {
        "id": PLATFORM_BANK,
        "object": "bank_account",
        "account": world.platform_account,
        "account_holder_name": None,
        "account_holder_type": "company",
        "account_type": None,
        "available_payout_methods": ["standard"],
        "bank_name": "STRIPE TEST BANK",
        "country": "US",
        "currency": "usd",
        "default_for_currency": True,
        "fingerprint": "simulated0platform",
        "last4": "6789",
        "metadata": {},
        "routing_number": "110000000",
        "status": "new",
    }
    return lists.as_list(f"/v1/accounts/{world.platform_account}/external_accounts", [bank])
