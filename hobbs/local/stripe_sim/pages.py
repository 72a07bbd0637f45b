"""Pages that a payer's browser opens, in place of Stripe's own: the bank's 3DS page, Checkout, payment links.

They need no key, as at Stripe: who has the address may open it. Buttons stand where Stripe has forms.
"""

from collections.abc import Callable

from hobbs.local.stripe_sim import authentication_page, checkout_page, payment_links
from hobbs.local.stripe_sim.http import Answer, Request
from hobbs.local.stripe_sim.world import World

PAGES: dict[str, Callable[[World, str, Request], Answer]] = {
    "/3ds/": authentication_page.page,
    "/microdeposits/": authentication_page.microdeposits,
    "/c/pay/": checkout_page.page,
    "/b/": payment_links.page,
}


def answer(world: World, request: Request) -> Answer | None:
    """The page at this address, or None where no page is."""
    for prefix, page in PAGES.items():
        if request.path.startswith(prefix):
            return page(world, request.path.removeprefix(prefix), request)
    return None
