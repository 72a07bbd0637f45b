"""The table of endpoints: method, path, the stripe library's parameter type, and the handler."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from hobbs.local.stripe_sim import (
    account_sessions,
    accounts,
    balance_settings,
    balances,
    catalog,
    charges,
    checkout,
    customers,
    disputes,
    errors,
    events,
    external_accounts,
    mandates,
    payment_intents,
    payment_links,
    payout_reversals,
    payouts,
    persons,
    refund_cancellation,
    refunds,
    setup_attempts,
    setup_intents,
    topups,
    transfers,
    v2,
    v2_accounts,
    v2_events,
    webhook_endpoints,
)
from hobbs.local.stripe_sim.parameters import parameters
from hobbs.local.stripe_sim.world import Call, Doc, World

Handler = Callable[[World, Call], Doc]

TABLE: tuple[tuple[str, str, str, Handler], ...] = (
    ("GET", "/v1/account", "account_retrieve_current", accounts.retrieve_own),
    ("POST", "/v1/accounts", "account_create", accounts.create),
    ("GET", "/v1/accounts", "account_list", accounts.list_all),
    ("GET", "/v1/accounts/{id}", "account_retrieve", accounts.retrieve),
    ("POST", "/v1/accounts/{id}", "account_update", accounts.update),
    ("DELETE", "/v1/accounts/{id}", "account_delete", accounts.delete),
    ("POST", "/v1/accounts/{id}/reject", "account_reject", accounts.reject),
    ("GET", "/v1/accounts/{id}/capabilities", "account_capability_list", accounts.list_capabilities),
    (
        "GET",
        "/v1/accounts/{id}/capabilities/{capability}",
        "account_capability_retrieve",
        accounts.retrieve_capability,
    ),
    (
        "POST",
        "/v1/accounts/{id}/capabilities/{capability}",
        "account_capability_update",
        accounts.update_capability,
    ),
    ("POST", "/v1/accounts/{id}/login_links", "account_login_link_create", accounts.create_login_link),
    (
        "GET",
        "/v1/accounts/{id}/external_accounts",
        "account_external_account_list",
        external_accounts.list_all,
    ),
    (
        "POST",
        "/v1/accounts/{id}/external_accounts",
        "account_external_account_create",
        external_accounts.create,
    ),
    (
        "GET",
        "/v1/accounts/{id}/external_accounts/{external}",
        "account_external_account_retrieve",
        external_accounts.retrieve,
    ),
    (
        "POST",
        "/v1/accounts/{id}/external_accounts/{external}",
        "account_external_account_update",
        external_accounts.update,
    ),
    (
        "DELETE",
        "/v1/accounts/{id}/external_accounts/{external}",
        "account_external_account_delete",
        external_accounts.delete,
    ),
    ("GET", "/v1/accounts/{id}/persons", "account_person_list", persons.list_all),
    ("POST", "/v1/accounts/{id}/persons", "account_person_create", persons.create),
    ("GET", "/v1/accounts/{id}/persons/{person}", "account_person_retrieve", persons.retrieve),
    ("POST", "/v1/accounts/{id}/persons/{person}", "account_person_update", persons.update),
    ("DELETE", "/v1/accounts/{id}/persons/{person}", "account_person_delete", persons.delete),
    ("POST", "/v1/account_links", "account_link_create", accounts.create_link),
    ("POST", "/v1/account_sessions", "account_session_create", account_sessions.create),
    ("GET", "/v1/balance_settings", "balance_settings_retrieve", balance_settings.retrieve),
    ("POST", "/v1/balance_settings", "balance_settings_update", balance_settings.update),
    ("GET", "/v1/balance", "balance_retrieve", balances.retrieve_balance),
    ("GET", "/v1/balance_transactions", "balance_transaction_list", balances.list_transactions),
    ("GET", "/v1/balance_transactions/{id}", "balance_transaction_retrieve", balances.retrieve_transaction),
    ("GET", "/v1/charges", "charge_list", charges.list_all),
    ("GET", "/v1/charges/{id}", "charge_retrieve", charges.retrieve),
    ("POST", "/v1/charges/{id}", "charge_update", charges.update),
    ("POST", "/v1/checkout/sessions", "checkout.session_create", checkout.create),
    ("GET", "/v1/checkout/sessions", "checkout.session_list", checkout.list_all),
    ("GET", "/v1/checkout/sessions/{id}", "checkout.session_retrieve", checkout.retrieve),
    ("POST", "/v1/checkout/sessions/{id}", "checkout.session_update", checkout.update),
    ("POST", "/v1/checkout/sessions/{id}/expire", "checkout.session_expire", checkout.expire),
    (
        "GET",
        "/v1/checkout/sessions/{id}/line_items",
        "checkout.session_line_item_list",
        checkout.list_line_items,
    ),
    ("POST", "/v1/customers", "customer_create", customers.create),
    ("GET", "/v1/customers", "customer_list", customers.list_all),
    ("GET", "/v1/customers/{id}", "customer_retrieve", customers.retrieve),
    ("POST", "/v1/customers/{id}", "customer_update", customers.update),
    ("DELETE", "/v1/customers/{id}", "customer_delete", customers.delete),
    (
        "GET",
        "/v1/customers/{id}/payment_methods",
        "customer_payment_method_list",
        customers.list_payment_methods,
    ),
    (
        "GET",
        "/v1/customers/{customer}/payment_methods/{id}",
        "customer_payment_method_retrieve",
        customers.retrieve_payment_method,
    ),
    ("GET", "/v1/disputes", "dispute_list", disputes.list_all),
    ("GET", "/v1/disputes/{id}", "dispute_retrieve", disputes.retrieve),
    ("POST", "/v1/disputes/{id}", "dispute_update", disputes.update),
    ("POST", "/v1/disputes/{id}/close", "dispute_close", disputes.close),
    ("GET", "/v1/events", "event_list", events.list_events),
    ("GET", "/v1/events/{id}", "event_retrieve", events.retrieve_event),
    ("GET", "/v1/mandates/{id}", "mandate_retrieve", mandates.retrieve),
    ("POST", "/v1/payment_intents", "payment_intent_create", payment_intents.create),
    ("GET", "/v1/payment_intents", "payment_intent_list", payment_intents.list_all),
    ("GET", "/v1/payment_intents/{id}", "payment_intent_retrieve", payment_intents.retrieve),
    ("POST", "/v1/payment_intents/{id}", "payment_intent_update", payment_intents.update),
    ("POST", "/v1/payment_intents/{id}/confirm", "payment_intent_confirm", payment_intents.confirm),
    ("POST", "/v1/payment_intents/{id}/capture", "payment_intent_capture", payment_intents.capture),
    ("POST", "/v1/payment_intents/{id}/cancel", "payment_intent_cancel", payment_intents.cancel),
    (
        "POST",
        "/v1/payment_intents/{id}/verify_microdeposits",
        "payment_intent_verify_microdeposits",
        payment_intents.verify_microdeposits,
    ),
    ("POST", "/v1/payment_links", "payment_link_create", payment_links.create),
    ("GET", "/v1/payment_links", "payment_link_list", payment_links.list_all),
    ("GET", "/v1/payment_links/{id}", "payment_link_retrieve", payment_links.retrieve),
    ("POST", "/v1/payment_links/{id}", "payment_link_update", payment_links.update),
    (
        "GET",
        "/v1/payment_links/{id}/line_items",
        "payment_link_line_item_list",
        payment_links.list_line_items,
    ),
    ("POST", "/v1/payment_methods", "payment_method_create", customers.create_payment_method),
    ("GET", "/v1/payment_methods", "payment_method_list", customers.list_payment_methods),
    ("GET", "/v1/payment_methods/{id}", "payment_method_retrieve", customers.retrieve_payment_method),
    ("POST", "/v1/payment_methods/{id}", "payment_method_update", customers.update_payment_method),
    ("POST", "/v1/payment_methods/{id}/attach", "payment_method_attach", customers.attach_payment_method),
    ("POST", "/v1/payment_methods/{id}/detach", "payment_method_detach", customers.detach_payment_method),
    ("POST", "/v1/payouts", "payout_create", payouts.create),
    ("GET", "/v1/payouts", "payout_list", payouts.list_all),
    ("GET", "/v1/payouts/{id}", "payout_retrieve", payouts.retrieve),
    ("POST", "/v1/payouts/{id}", "payout_update", payouts.update),
    ("POST", "/v1/payouts/{id}/cancel", "payout_cancel", payouts.cancel),
    ("POST", "/v1/payouts/{id}/reverse", "payout_reverse", payout_reversals.reverse),
    ("POST", "/v1/prices", "price_create", catalog.create_price),
    ("GET", "/v1/prices", "price_list", catalog.list_prices),
    ("GET", "/v1/prices/{id}", "price_retrieve", catalog.retrieve_price),
    ("POST", "/v1/prices/{id}", "price_update", catalog.update_price),
    ("POST", "/v1/products", "product_create", catalog.create_product),
    ("GET", "/v1/products", "product_list", catalog.list_products),
    ("GET", "/v1/products/{id}", "product_retrieve", catalog.retrieve_product),
    ("POST", "/v1/products/{id}", "product_update", catalog.update_product),
    ("POST", "/v1/refunds", "refund_create", refunds.create),
    ("GET", "/v1/refunds", "refund_list", refunds.list_all),
    ("GET", "/v1/refunds/{id}", "refund_retrieve", refunds.retrieve),
    ("POST", "/v1/refunds/{id}", "refund_update", refunds.update),
    ("POST", "/v1/refunds/{id}/cancel", "refund_cancel", refund_cancellation.cancel),
    ("GET", "/v1/setup_attempts", "setup_attempt_list", setup_attempts.list_all),
    ("POST", "/v1/setup_intents", "setup_intent_create", setup_intents.create),
    ("GET", "/v1/setup_intents", "setup_intent_list", setup_intents.list_all),
    ("GET", "/v1/setup_intents/{id}", "setup_intent_retrieve", setup_intents.retrieve),
    ("POST", "/v1/setup_intents/{id}", "setup_intent_update", setup_intents.update),
    ("POST", "/v1/setup_intents/{id}/confirm", "setup_intent_confirm", setup_intents.confirm),
    ("POST", "/v1/setup_intents/{id}/cancel", "setup_intent_cancel", setup_intents.cancel),
    (
        "POST",
        "/v1/setup_intents/{id}/verify_microdeposits",
        "setup_intent_verify_microdeposits",
        setup_intents.verify_microdeposits,
    ),
    ("POST", "/v1/topups", "topup_create", topups.create),
    ("GET", "/v1/topups", "topup_list", topups.list_all),
    ("GET", "/v1/topups/{id}", "topup_retrieve", topups.retrieve),
    ("POST", "/v1/topups/{id}", "topup_update", topups.update),
    ("POST", "/v1/topups/{id}/cancel", "topup_cancel", topups.cancel),
    ("POST", "/v1/transfers", "transfer_create", transfers.create),
    ("GET", "/v1/transfers", "transfer_list", transfers.list_all),
    ("GET", "/v1/transfers/{id}", "transfer_retrieve", transfers.retrieve),
    ("POST", "/v1/transfers/{id}", "transfer_update", transfers.update),
    ("POST", "/v1/transfers/{id}/reversals", "transfer_reversal_create", transfers.create_reversal),
    ("GET", "/v1/transfers/{id}/reversals", "transfer_reversal_list", transfers.list_reversals),
    (
        "GET",
        "/v1/transfers/{id}/reversals/{reversal}",
        "transfer_reversal_retrieve",
        transfers.retrieve_reversal,
    ),
    (
        "POST",
        "/v1/transfers/{id}/reversals/{reversal}",
        "transfer_reversal_update",
        transfers.update_reversal,
    ),
    ("POST", "/v1/webhook_endpoints", "webhook_endpoint_create", webhook_endpoints.create),
    ("GET", "/v1/webhook_endpoints", "webhook_endpoint_list", webhook_endpoints.list_all),
    ("GET", "/v1/webhook_endpoints/{id}", "webhook_endpoint_retrieve", webhook_endpoints.retrieve),
    ("POST", "/v1/webhook_endpoints/{id}", "webhook_endpoint_update", webhook_endpoints.update),
    ("DELETE", "/v1/webhook_endpoints/{id}", "webhook_endpoint_delete", webhook_endpoints.delete),
)


# API v2: names under stripe.params.v2.core.
V2_TABLE: tuple[tuple[str, str, str, Handler], ...] = (
    ("POST", "/v2/core/accounts", "v2.core.account_create", v2_accounts.create),
    ("GET", "/v2/core/accounts", "v2.core.account_list", v2_accounts.list_all),
    ("GET", "/v2/core/accounts/{id}", "v2.core.account_retrieve", v2_accounts.retrieve),
    ("POST", "/v2/core/accounts/{id}", "v2.core.account_update", v2_accounts.update),
    ("POST", "/v2/core/accounts/{id}/close", "v2.core.account_close", v2_accounts.close),
    ("POST", "/v2/core/account_links", "v2.core.account_link_create", v2_accounts.create_link),
    ("POST", "/v2/core/event_destinations", "v2.core.event_destination_create", v2_events.create),
    ("GET", "/v2/core/event_destinations", "v2.core.event_destination_list", v2_events.list_all),
    ("GET", "/v2/core/event_destinations/{id}", "v2.core.event_destination_retrieve", v2_events.retrieve),
    ("POST", "/v2/core/event_destinations/{id}", "v2.core.event_destination_update", v2_events.update),
    ("DELETE", "/v2/core/event_destinations/{id}", "v2.core.event_destination_delete", v2_events.delete),
    ("GET", "/v2/core/events/{id}", "v2.core.event_retrieve", v2_events.retrieve_event),
)
ALL = TABLE + V2_TABLE

# For the platform only: with a Stripe-Account header these are refused.
PLATFORM_ONLY = (
    "account_create",
    "account_link",
    "account_list",
    "account_session",
    "transfer",
    "topup",
    "webhook_endpoint",
    "v2.",
)
# What a thin event names is fetched in the event's context: that of the account it is about.
OF_THE_CONTEXT = ("v2.core.account_retrieve", "v2.core.event_retrieve")


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    method: str
    pattern: re.Pattern[str]
    parameters_name: str
    platform_only: bool
    handler: Handler

    def check(self, params: Doc) -> None:
        """Raise StripeError for unknown or missing parameters; the types are read at the first use."""
        if self.parameters_name.startswith("v2."):
            return v2.check_parameters(self.parameters_name, params)
        return parameters(self.parameters_name).check(params)


def _compiled() -> dict[tuple[str, int], list[Route]]:
    routes: dict[tuple[str, int], list[Route]] = {}
    for method, path, name, handler in ALL:
        pattern = re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", path))
        route = Route(
            method=method,
            pattern=pattern,
            parameters_name=name,
            platform_only=name.startswith(PLATFORM_ONLY) and name not in OF_THE_CONTEXT,
            handler=handler,
        )
        routes.setdefault((method, path.count("/")), []).append(route)
    return routes


ROUTES = _compiled()


def find(method: str, path: str) -> tuple[Route, dict[str, str]] | None:
    """The route and the ids in its path. Raises StripeError for a search, which would read as an id."""
    if method == "GET" and path.endswith("/search"):
        raise errors.not_simulated("search; list the objects instead")
    for route in ROUTES.get((method, path.count("/")), ()):
        matched = route.pattern.fullmatch(path)
        if matched:
            return route, matched.groupdict()
    return None
