"""Extracts the schemas of the simulator's answers from Stripe's OpenAPI description into shapes.json.

Run it when the stripe library changes:
    python -m tests.contract.stripe.extract_shapes SPEC3.JSON
SPEC3.JSON is `embedded/openapi/spec3.json` of the Go module github.com/stripe/stripe-mock (MIT licence).
It keeps types, nullability, enumerations, and required fields, without descriptions.
"""

import json
import sys
from pathlib import Path
from typing import Any

Doc = dict[str, Any]

ROOTS = (
    "account",
    "account_link",
    "account_session",
    "balance",
    "balance_settings",
    "balance_transaction",
    "bank_account",
    "capability",
    "card",
    "charge",
    "checkout.session",
    "customer",
    "dispute",
    "event",
    "item",
    "login_link",
    "mandate",
    "payment_intent",
    "payment_link",
    "payment_method",
    "payout",
    "person",
    "price",
    "product",
    "refund",
    "reserve_transaction",
    "setup_attempt",
    "setup_intent",
    "topup",
    "transfer",
    "transfer_reversal",
    "webhook_endpoint",
)
# Optional fields whose contents are checked too; of other optional fields only the name is.
WATCHED = {
    "card",
    "external_accounts",
    "fee_details",
    "instant_available",
    "last_payment_error",
    "next_action",
}
WATCHED |= {"customer_details", "last_setup_error", "line_items", "restrictions", "us_bank_account"}
WATCHED |= {"requirements", "reversals", "settings", "source_types", "metadata", "individual", "capabilities"}
PREFIX = "#/components/schemas/"
SHAPES = Path(__file__).with_name("shapes.json")


def main() -> None:
    spec = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    schemas = spec["components"]["schemas"]
    kept: Doc = {}
    waiting = list(ROOTS)
    while waiting:
        name = waiting.pop()
        if name in kept:
            continue
        kept[name] = slim(schemas[name])
        waiting += [ref for ref in references(kept[name]) if ref not in kept]
    document = {"api_version": spec["info"]["version"], "schemas": dict(sorted(kept.items()))}
    SHAPES.write_text(json.dumps(document, indent=None, separators=(",", ":")).replace('},"', '},\n"') + "\n")


def slim(schema: Doc) -> Doc:
    """A schema without descriptions; an expandable field keeps its id only."""
    if "$ref" in schema:
        return {"$ref": schema["$ref"].removeprefix(PREFIX)}
    kept: Doc = {key: schema[key] for key in ("type", "nullable", "enum", "required") if key in schema}
    if "anyOf" in schema:
        expandable = "x-expansionResources" in schema
        options = [option for option in schema["anyOf"] if not (expandable and "$ref" in option)]
        kept["anyOf"] = [slim(option) for option in options]
    if "items" in schema:
        kept["items"] = slim(schema["items"])
    if "properties" in schema:
        watched = set(schema.get("required", ())) | WATCHED
        fields = schema["properties"].items()
        kept["properties"] = {name: slim(field) if name in watched else {} for name, field in fields}
    return kept


def references(schema: Any) -> list[str]:
    if isinstance(schema, list):
        return [name for item in schema for name in references(item)]
    if not isinstance(schema, dict):
        return []
    own = [schema["$ref"]] if isinstance(schema.get("$ref"), str) else []
    return own + [name for value in schema.values() for name in references(value)]


if __name__ == "__main__":
    main()
