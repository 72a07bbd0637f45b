"""What `--help` says: what is simulated, how it is broken on purpose, what is refused. From the tables."""

import textwrap

from hobbs.local.stripe_sim import not_simulated, routes
from hobbs.local.stripe_sim.faults import KINDS

WIDTH = 100
DESCRIPTION = """\
A simulated Stripe with state: accounts, money, payers' pages, idempotency, webhooks, faults.

Once it listens it prints one line of JSON, {"url": …, "pid": …}. Point the API base of a Stripe
client there, with any key that begins with sk_test_ or rk_test_."""
PARTS = (
    ("endpoints", ""),  # from the routes
    ("pages", "/setup/e/… (onboarding), /3ds/… (the bank), /c/pay/… (Checkout), /b/… (payment links)"),
    ("faults", ""),  # from faults.py
    (
        "admin calls",
        "JSON under /_sim/, without a key: state, reset, clock, settings, fund, onboard, trigger, faults, "
        "effects, events, requests, deliveries, resend, webhook_endpoints, restricted_keys. Clients of "
        "them: `hobbs sim`, and hobbs/local/stripe_sim/control.py",
    ),
    (
        "refused",
        "keys that are no test keys (401); parameters and values that Stripe refuses; and, with the words "
        "`does not simulate`, every endpoint and option of Stripe's that is not here, so that no wrong "
        "answer is taken for Stripe's",
    ),
)


def epilog() -> str:
    resources = sorted({not_simulated.resource(row[1]) for row in routes.ALL})
    told = {"endpoints": ", ".join(resources), "faults": ", ".join(KINDS)}
    lines = [textwrap.fill(f"{name}: {told.get(name) or text}.", WIDTH) for name, text in PARTS]
    return "\n\n".join([*lines, "All of it, with sources: hobbs/local/stripe_sim/README.md."])
