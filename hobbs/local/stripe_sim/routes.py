"""The table of endpoints: method, path, the parameters the stripe library types for it, and who answers."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from hobbs.local.stripe_sim import accounts, balances, charges, events, transfers, webhook_endpoints
from hobbs.local.stripe_sim.parameters import Parameters, parameters
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
    ("POST", "/v1/account_links", "account_link_create", accounts.create_link),
    ("GET", "/v1/balance", "balance_retrieve", balances.retrieve_balance),
    ("GET", "/v1/balance_transactions", "balance_transaction_list", balances.list_transactions),
    ("GET", "/v1/balance_transactions/{id}", "balance_transaction_retrieve", balances.retrieve_transaction),
    ("GET", "/v1/charges", "charge_list", charges.list_all),
    ("GET", "/v1/charges/{id}", "charge_retrieve", charges.retrieve),
    ("POST", "/v1/charges/{id}", "charge_update", charges.update),
    ("GET", "/v1/events", "event_list", events.list_events),
    ("GET", "/v1/events/{id}", "event_retrieve", events.retrieve_event),
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    method: str
    pattern: re.Pattern[str]
    parameters: Parameters
    handler: Handler


def _compiled() -> dict[tuple[str, int], list[Route]]:
    routes: dict[tuple[str, int], list[Route]] = {}
    for method, path, name, handler in TABLE:
        pattern = re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", path))
        route = Route(method=method, pattern=pattern, parameters=parameters(name), handler=handler)
        routes.setdefault((method, path.count("/")), []).append(route)
    return routes


ROUTES = _compiled()


def find(method: str, path: str) -> tuple[Route, dict[str, str]] | None:
    for route in ROUTES.get((method, path.count("/")), ()):
        matched = route.pattern.fullmatch(path)
        if matched:
            return route, matched.groupdict()
    return None
