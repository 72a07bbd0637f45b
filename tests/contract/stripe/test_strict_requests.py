"""What Stripe refuses in a request, and what it says beside the answer. Each test names its source."""

from collections.abc import Callable
from typing import Any, cast

import httpx
import pytest
import stripe

from hobbs.local.stripe_sim.control import Control
from tests.contract.stripe.conftest import new_payee
from tests.support.stripe import StripeSim

Doc = dict[str, Any]
EXPRESS: Doc = {"type": "express", "capabilities": {"transfers": {"requested": True}}}


def error_of(refused: pytest.ExceptionInfo[stripe.StripeError]) -> Doc:
    return cast(Doc, cast(Doc, refused.value.json_body)["error"])


@pytest.fixture
def http(stripe_sim: StripeSim) -> Any:
    """The API without a client library, so that a test chooses every header."""
    authorization = {"Authorization": f"Bearer {stripe_sim.secret_key}"}
    with httpx.Client(base_url=stripe_sim.api_base, headers=authorization, trust_env=False) as opened:
        yield opened


# Parameters


@pytest.mark.parametrize(
    ("changed", "param", "code"),
    [
        (
            {"capabilities": {"transferz": {"requested": True}}},
            "capabilities[transferz]",
            "parameter_unknown",
        ),
        ({"settings": {"payout": {}}, "metadata": {"a": "b"}}, None, None),
        ({"settings": {"payout": {"x": 1}}}, "settings[payout]", "parameter_unknown"),
        (
            {"settings": {"payouts": {"schedule": {"interval": "hourly"}}}},
            "settings[payouts][schedule][interval]",
            None,
        ),
        (
            {"settings": {"payouts": {"schedule": {"delay_days": "soon"}}}},
            "settings[payouts][schedule][delay_days]",
            None,
        ),
        (
            {"capabilities": {"transfers": {"requested": "maybe"}}},
            "capabilities[transfers][requested]",
            None,
        ),
    ],
)
def test_nested_parameters_are_checked(
    client: stripe.StripeClient, changed: Doc, param: str | None, code: str | None
) -> None:
    """docs.stripe.com/error-codes#parameter-unknown; names as in the installed library's types."""
    if param is None:
        assert client.v1.accounts.create({**EXPRESS, **changed}).id  # type: ignore[arg-type]
        return
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.accounts.create({**EXPRESS, **changed})  # type: ignore[arg-type]
    assert (refused.value.param, refused.value.code) == (param, code)


def test_an_enumeration_names_what_it_may_be(client: stripe.StripeClient) -> None:
    """ "Invalid …: must be one of …": quoted for enabled_events in public repositories."""
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.accounts.create({**EXPRESS, "business_type": "circus"})  # type: ignore[arg-type]
    assert error_of(refused)["message"] == (
        "Invalid business_type: must be one of company, government_entity, individual, or non_profit"
    )


@pytest.mark.parametrize(
    ("country", "code", "sentence"),
    [
        ("ZZ", None, "Country 'ZZ' is unknown"),
        ("TM", "country_unsupported", "TM is not currently supported by Stripe."),
    ],
)
def test_a_country_is_checked(
    client: stripe.StripeClient, country: str, code: str | None, sentence: str
) -> None:
    """Both sentences are quoted in public repositories of 2026."""
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.accounts.create({**EXPRESS, "country": country})  # type: ignore[arg-type]
    assert (refused.value.param, refused.value.code) == ("country", code)
    assert error_of(refused)["message"] == sentence


def test_a_capability_that_does_not_exist_is_not_found(client: stripe.StripeClient) -> None:
    """docs.stripe.com/api/capabilities; the sentence is from memory."""
    made = new_payee(client)
    for attempt in (
        lambda: client.v1.accounts.capabilities.retrieve(made, "transferz"),
        lambda: client.v1.accounts.capabilities.update(made, "transferz", {"requested": True}),
    ):
        with pytest.raises(stripe.InvalidRequestError) as refused:
            attempt()  # type: ignore[no-untyped-call]
        assert (refused.value.http_status, refused.value.code) == (404, "resource_missing")


def test_an_unknown_event_type_is_refused(client: stripe.StripeClient) -> None:
    """ "Invalid enabled_events[0]: must be one of …": quoted from stripe-cli in public repositories."""
    for attempt in (
        lambda: client.v1.webhook_endpoints.create(
            {"url": "http://127.0.0.1:9/", "enabled_events": ["moon.landed"]}  # type: ignore[list-item]
        ),
        lambda: client.v1.webhook_endpoints.update(
            client.v1.webhook_endpoints.create(
                {"url": "http://127.0.0.1:9/", "enabled_events": ["payment.created"]}  # type: ignore[list-item]
            ).id,
            {"enabled_events": ["*", "moon.landed"]},  # type: ignore[arg-type]
        ),
    ):
        with pytest.raises(stripe.InvalidRequestError, match=r"Invalid enabled_events\[\d\]: must be one of"):
            attempt()  # type: ignore[no-untyped-call]


# Lists


def test_two_cursors_are_refused(client: stripe.StripeClient, control: Control) -> None:
    """The sentence: stripe-dotnet/issues/1848, stripe-python/issues/585."""
    ids = [control.trigger("customer.created")["id"] for _ in range(2)]
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.customers.list({"starting_after": ids[0], "ending_before": ids[1]})
    assert error_of(refused) == {
        "message": "Received both starting_after and ending_before parameters. Please pass in only one.",
        "type": "invalid_request_error",
    }


@pytest.mark.parametrize("param", ["starting_after", "ending_before"])
def test_a_cursor_of_another_type_account_or_nobody_is_refused(
    client: stripe.StripeClient, control: Control, payee: str, param: str
) -> None:
    """docs.stripe.com/api/pagination: a cursor is an object's id in the list."""
    charge = control.trigger("payment_intent.succeeded")["latest_charge"]
    control.fund(1, account=payee)
    [theirs] = client.v1.balance_transactions.list({}, {"stripe_account": payee}).data
    for service, cursor in (
        (client.v1.customers, charge),
        (client.v1.customers, "cus_nobody"),
        (client.v1.balance_transactions, theirs.id),
    ):
        with pytest.raises(stripe.InvalidRequestError) as refused:
            service.list({param: cursor})  # type: ignore[arg-type]
        assert (refused.value.http_status, refused.value.code) == (400, "resource_missing")
        assert refused.value.param == param


@pytest.mark.parametrize("resource", ["charges", "customers", "payment_intents"])
def test_a_search_is_not_read_as_an_id(client: stripe.StripeClient, resource: str) -> None:
    """docs.stripe.com/search. Not Stripe's answer: search is not simulated, and says so."""
    with pytest.raises(stripe.InvalidRequestError, match="does not simulate search"):
        getattr(client.v1, resource).search({"query": "metadata['a']:'b'"})


# Expanding

Read = Callable[[stripe.StripeClient, Doc], Any]


@pytest.fixture
def objects(client: stripe.StripeClient, control: Control, payee: str) -> Doc:
    control.set(charge_transaction_after_s=0)
    control.fund(20_000)
    control.fund(5_000, account=payee)
    paid = control.trigger("payment_intent.succeeded")
    refund = client.v1.refunds.create({"payment_intent": paid["id"], "amount": 100})
    given: Doc = {"amount": 1_000, "currency": "usd"}
    payout = client.v1.payouts.create(given, {"stripe_account": payee})  # type: ignore[arg-type]
    return {"charge": paid["latest_charge"], "refund": refund.id, "payout": payout.id, "payee": payee}


EXPANDABLE: dict[str, tuple[Read, str]] = {
    "refunds of a charge": (
        lambda c, at: c.v1.charges.retrieve(at["charge"], {"expand": ["refunds"]}).to_dict()["refunds"][
            "data"
        ][0],
        "refund",
    ),
    "a refund in a charge, and its charge": (
        lambda c, at: c.v1.charges.retrieve(at["charge"], {"expand": ["refunds.data.charge"]}).to_dict()[
            "refunds"
        ]["data"][0]["charge"],
        "charge",
    ),
    "destination of a payout": (
        lambda c, at: c.v1.payouts.retrieve(
            at["payout"], {"expand": ["destination"]}, {"stripe_account": at["payee"]}
        ).to_dict()["destination"],
        "bank_account",
    ),
    "source of a balance transaction": (
        lambda c, at: (
            c.v1.balance_transactions.list({"type": "refund", "expand": ["data.source"]})
            .data[0]
            .to_dict()["source"]
        ),
        "refund",
    ),
    "three levels": (
        lambda c, at: c.v1.refunds.retrieve(
            at["refund"], {"expand": ["charge.payment_intent.latest_charge"]}
        ).to_dict()["charge"]["payment_intent"]["latest_charge"],
        "charge",
    ),
}


@pytest.mark.parametrize("name", EXPANDABLE)
def test_what_is_expandable_by_its_type_expands(client: stripe.StripeClient, objects: Doc, name: str) -> None:
    """docs.stripe.com/expand; ExpandableField and lists in the installed library's types."""
    read, kind = EXPANDABLE[name]
    assert read(client, objects)["object"] == kind


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        ("amount", "This property cannot be expanded (amount)."),
        ("bogus", "This property cannot be expanded (bogus)."),
        ("payment_intent.status", "This property cannot be expanded (payment_intent.status)."),
        ("billing_details", "This property cannot be expanded (billing_details)."),
    ],
)
def test_what_is_not_expandable_is_refused(
    client: stripe.StripeClient, objects: Doc, path: str, sentence: str
) -> None:
    """The sentence: quoted in public repositories, from answers of 2026."""
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.charges.retrieve(objects["charge"], {"expand": [path]})
    assert error_of(refused)["message"] == sentence


def test_a_list_is_expanded_through_its_data(client: stripe.StripeClient, objects: Doc) -> None:
    """The hint: quoted in public repositories, from answers of 2026."""
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.charges.list({"expand": ["customer"]})
    assert error_of(refused)["message"] == (
        "This property cannot be expanded (customer). You may want to try expanding 'data.customer' instead."
    )


# Headers


def test_an_unknown_version_is_refused_and_none_is_the_accounts(http: httpx.Client) -> None:
    """docs.stripe.com/api/versioning; the sentence: stripe-java/issues/682."""
    wrong = http.get("/v1/balance", headers={"Stripe-Version": "2019-2-19"})
    assert (wrong.status_code, wrong.json()["error"]["message"]) == (
        400,
        "Invalid Stripe API version: 2019-2-19",
    )
    assert http.get("/v1/balance").headers["stripe-version"] == stripe.api_version


@pytest.mark.parametrize(
    "version", ["2026-01-28.clover", "2026-08-26.dahlia", "2026-09-30.endive", "2026-10-28.endive"]
)
def test_versions_of_this_year_are_taken(http: httpx.Client, version: str) -> None:
    """The official clients of 2026 pin them; the answers have the shapes of the newest."""
    answer = http.get("/v1/balance", headers={"Stripe-Version": version})
    assert (answer.status_code, answer.headers["stripe-version"]) == (200, version)


@pytest.mark.parametrize("version", ["2020-08-27", "2025-12-15.clover", "2026-10-28.preview"])
def test_older_and_preview_versions_are_not_simulated(http: httpx.Client, version: str) -> None:
    """Not Stripe's answer: it would answer in the older shapes."""
    answer = http.get("/v1/balance", headers={"Stripe-Version": version})
    assert answer.status_code == 400
    assert "does not simulate" in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    ("kind", "status", "hint"),
    [
        ("conflict", 409, "true"),
        ("lock_timeout", 429, "true"),
        ("rate_limit", 429, "false"),
        ("unavailable", 503, None),
        ("server_error", 500, "false"),
    ],
)
def test_stripe_says_whether_another_try_is_worth_it(
    http: httpx.Client, control: Control, kind: str, status: int, hint: str | None
) -> None:
    """docs.stripe.com/error-low-level; stripe-dotnet/issues/1886 (lock time-outs, not rate limits)."""
    control.add_fault(kind, path="/v1/customers")
    answer = http.post("/v1/customers", headers={"Idempotency-Key": "k1"})
    assert (answer.status_code, answer.headers.get("stripe-should-retry")) == (status, hint)


def test_an_executed_request_says_so_at_first_and_when_replayed(http: httpx.Client) -> None:
    """Recorded answers in public repositories: Original-Request and Stripe-Should-Retry: false."""
    first = http.post("/v1/customers", headers={"Idempotency-Key": "k1"})
    again = http.post("/v1/customers", headers={"Idempotency-Key": "k1"})
    assert first.headers["original-request"] == first.headers["request-id"]
    assert again.headers["original-request"] == first.headers["request-id"]
    assert {one.headers["stripe-should-retry"] for one in (first, again)} == {"false"}
    assert ("idempotent-replayed" in first.headers, again.headers["idempotent-replayed"]) == (False, "true")
