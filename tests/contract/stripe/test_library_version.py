"""The committed shapes beside the stripe library: what Stripe changed between their versions is listed here.

shapes.json is of the newest description that can be had offline (github.com/stripe/stripe-mock). The library
is newer; its own classes say which fields and values it knows. A difference that is not listed fails: look it
up in docs.stripe.com/changelog, teach the simulator and the readers, then list it or extract the shapes anew.
"""

from collections.abc import Iterator
from typing import Any, Final, Literal, get_args, get_origin

import stripe
from stripe._object_classes import get_object_class

from schemas.stripe_webhooks import API_VERSION
from tests.contract.stripe.extract_shapes import ROOTS
from tests.contract.stripe.shapes import SHAPES

Doc = dict[str, Any]

SHAPES_OF: Final = "2026-08-26.dahlia"
# What the library has and the shapes have not. Nothing that the shapes have is gone.
ADDED: Final = {
    "account.capabilities": {
        "blik_recurring_payments",
        "paypay_payments",
        "sequra_payments",
        "wero_payments",
    },
    "account.settings": {"paypay_payments"},
    "account.settings.payments": {"statement_descriptor_prefix_kana", "statement_descriptor_prefix_kanji"},
    "account_session.components": {"reporting_chart", "terminal_hardware_orders", "terminal_hardware_shop"},
    "card": {"description", "iin", "issuer"},
    "checkout.session": {"allowed_payment_method_types"},
    "charge": {"authorization_code", "level3", "source"},
    "dispute": {"intended_submission_method", "network_reason_code"},
    "dispute.evidence": {"appeal"},
    "dispute.evidence_details": {"submission_method"},
    "mandate.payment_method_details": {"blik"},
    "mandate.payment_method_details.card": {"india"},
    "payment_intent": {"payment_record", "source"},
    "payment_method": {"paypay", "sequra"},
    "payment_method.card": {"description", "iin", "issuer"},
    "product": {"tax_details", "type"},
    "setup_attempt.payment_method_details": {"blik"},
    "setup_attempt.payment_method_details.card": {"description", "iin", "issuer", "moto"},
}
# Values that the library has and the shapes have not. A dispute with an appeal is open, as any that is not
# won or lost.
ADDED_VALUES: Final = {
    "balance_transaction.type": {
        "issuing_dispute_provisional_credit",
        "issuing_dispute_provisional_credit_reversal",
    },
    "capability.requirements.errors.code": {
        "invalid_address_cmra_address",
        "invalid_address_registered_agent_address",
        "invalid_url_length",
    },
    "dispute.status": {"appeal_needs_response", "appeal_under_review"},
    "payment_method.type": {"paypay", "sequra"},
    "person.requirements.errors.code": {
        "invalid_address_cmra_address",
        "invalid_address_registered_agent_address",
        "invalid_url_length",
    },
}
# In the library of any version and in no description of an object: marks of deleted ones.
ALWAYS: Final = {"deleted"}


def test_the_shapes_are_of_the_version_that_the_list_says() -> None:
    assert SHAPES["api_version"] == SHAPES_OF


def test_the_version_that_is_read_is_the_librarys() -> None:
    """The gateway tells endpoints of another version by it, and does not import the library."""
    assert stripe.api_version == API_VERSION


def fields(cls: type) -> set[str]:
    """The fields of a class of the library; `object_` is its name for `object`."""
    named = {name.rstrip("_") for name in cls.__annotations__ if not name.startswith("_")}
    return named - {"OBJECT_NAME"} - ALWAYS


def refs(schema: Doc) -> list[str]:
    if "$ref" in schema:
        return [schema["$ref"]]
    inner = [*schema.get("anyOf", ()), *([schema["items"]] if "items" in schema else [])]
    return [name for part in inner for name in refs(part)]


def pairs(schema: Doc, cls: type, path: str) -> Iterator[tuple[str, Doc, type]]:
    """A shape and the library's class of it, and those inside that have a class."""
    yield path, schema, cls
    for name, part in schema.get("properties", {}).items():
        inner = getattr(cls, "_inner_class_types", {}).get(name)
        named = refs(part)
        if inner is not None and len(named) == 1:
            yield from pairs(SHAPES["schemas"][named[0]], inner, f"{path}.{name}")


PAIRS: Final = [
    pair for root in ROOTS for pair in pairs(SHAPES["schemas"][root], get_object_class("V1", root), root)
]


def test_no_field_that_the_shapes_have_is_gone_from_the_library() -> None:
    gone = {
        path: set(schema["properties"]) - fields(cls) for path, schema, cls in PAIRS if "properties" in schema
    }
    assert {path: names for path, names in gone.items() if names} == {}


def test_what_the_library_knows_beside_the_shapes_is_listed() -> None:
    added = {
        path: fields(cls) - set(schema["properties"]) for path, schema, cls in PAIRS if "properties" in schema
    }
    assert {path: names for path, names in added.items() if names} == ADDED


def values(annotation: Any) -> set[str]:
    """The texts that a type of the library names."""
    if get_origin(annotation) is Literal:
        return {value for value in get_args(annotation) if isinstance(value, str)}
    return {value for part in get_args(annotation) for value in values(part)}


def enumerations() -> Iterator[tuple[str, set[str], set[str]]]:
    """Where, and the values of the shapes and of the library."""
    for path, schema, cls in PAIRS:
        for name, part in schema.get("properties", {}).items():
            known = values(cls.__annotations__.get(name))
            if "enum" in part and known:
                yield f"{path}.{name}", set(part["enum"]), known


def test_no_value_of_the_shapes_is_gone_and_the_new_ones_are_listed() -> None:
    compared = list(enumerations())
    assert {where: ours - theirs for where, ours, theirs in compared if ours - theirs} == {}
    assert {where: theirs - ours for where, ours, theirs in compared if theirs - ours} == ADDED_VALUES
