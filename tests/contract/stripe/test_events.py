"""The list of events by time, type and page, as a platform that missed webhooks reads it.

Sources: docs.stripe.com/api/events/list (filters, 30 days, up to 20 types), docs.stripe.com/api/pagination
(newest first, cursors, limit), docs.stripe.com/webhooks/process-undelivered-events (how to catch up).
"""

import pytest
import stripe

from hobbs.local.stripe_sim.control import Control

PAYMENT_TYPES = ["charge.succeeded", "payment_intent.succeeded"]


def pay(control: Control, times: int) -> None:
    for _ in range(times):
        control.trigger("payment_intent.succeeded", amount=1_000)
    control.advance(1)  # charge.updated comes a moment later


def test_events_are_listed_newest_first_page_by_page(client: stripe.StripeClient, control: Control) -> None:
    """docs.stripe.com/api/pagination."""
    pay(control, 5)
    whole = [event.id for event in client.v1.events.list({"limit": 100}).data]
    paged: list[str] = []
    while True:
        after = {"starting_after": paged[-1]} if paged else {}
        page = client.v1.events.list({"limit": 4, **after})  # type: ignore[arg-type]
        paged += [event.id for event in page.data]
        if not page.has_more:
            break
    assert paged == whole
    assert len(paged) == len(set(paged)) > 8
    made = [event["id"] for event in control.events() if not event.get("account")]
    assert whole == made[::-1]


def test_types_and_created_filter_every_page(client: stripe.StripeClient, control: Control) -> None:
    """docs.stripe.com/api/events/list: `types` and `created` go together, also with cursors."""
    pay(control, 2)
    control.advance(3_600)
    since = int(client.v1.events.list({"limit": 1}).data[0].created) + 1
    pay(control, 3)
    wanted = {"types": PAYMENT_TYPES, "created": {"gte": since}, "limit": 4}
    first = client.v1.events.list(wanted)  # type: ignore[arg-type]
    second = client.v1.events.list({**wanted, "starting_after": first.data[-1].id})  # type: ignore[arg-type]
    found = [*first.data, *second.data]
    assert (first.has_more, second.has_more) == (True, False)
    assert sorted(event.type for event in found) == sorted(PAYMENT_TYPES * 3)
    assert min(event.created for event in found) >= since


def test_paging_backwards_from_a_known_event_brings_what_came_after_it(
    client: stripe.StripeClient, control: Control
) -> None:
    """docs.stripe.com/webhooks/process-undelivered-events: `ending_before`."""
    pay(control, 1)
    known = client.v1.events.list({"limit": 1}).data[0].id
    pay(control, 3)
    page = client.v1.events.list({"ending_before": known, "types": PAYMENT_TYPES, "limit": 4})
    everything = [e.id for e in client.v1.events.list({"types": PAYMENT_TYPES, "limit": 100}).data]
    after = everything[:6]
    assert [event.id for event in page.data] == after[-4:]  # the page next to the known one, newest first
    assert page.has_more


def test_a_group_of_types_is_named_with_a_star(client: stripe.StripeClient, control: Control) -> None:
    """docs.stripe.com/api/events/list: "or group of events using * as a wildcard"."""
    pay(control, 1)
    types = {event.type for event in client.v1.events.list({"type": "charge.*", "limit": 100}).data}
    assert types
    assert all(name.startswith("charge.") for name in types)


@pytest.mark.parametrize(
    "wanted",
    [
        {"type": "charge.succeeded", "types": PAYMENT_TYPES},
        {"types": [f"charge.kind{n}" for n in range(21)]},
        {"limit": 101},
    ],
    ids=["type and types", "21 types", "a page of 101"],
)
def test_what_the_list_cannot_filter_by_is_refused(client: stripe.StripeClient, wanted: object) -> None:
    """docs.stripe.com/api/events/list: "You may pass either type or types, but not both", "up to 20"."""
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.events.list(wanted)  # type: ignore[arg-type]


def test_events_are_listed_for_thirty_days(client: stripe.StripeClient, control: Control) -> None:
    """docs.stripe.com/api/events/list: "going back up to 30 days"."""
    pay(control, 1)
    old = client.v1.events.list({"type": "charge.succeeded"}).data[0].id
    control.advance(31 * 86_400)
    pay(control, 1)
    [listed] = client.v1.events.list({"type": "charge.succeeded"}).data
    assert listed.id != old


def test_a_lost_webhook_is_still_in_the_list(client: stripe.StripeClient, control: Control) -> None:
    """docs.stripe.com/webhooks/process-undelivered-events: the list is how a platform catches up."""
    control.set(webhook_loss=1.0)
    control.add_endpoint("http://127.0.0.1:9/nobody")
    pay(control, 1)
    assert {d["state"] for d in control.deliveries()} == {"lost"}
    assert len(client.v1.events.list({"types": PAYMENT_TYPES}).data) == 2
