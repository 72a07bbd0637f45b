"""Bank accounts and debit cards that a connected account is paid out to.

They are kept in the account itself, which shows them too. Each currency has one default; the last one cannot
be deleted. Sources: docs.stripe.com/api/external_accounts, docs.stripe.com/connect/testing#account-numbers.
"""

from hobbs.local.stripe_sim import accounts, errors, forms, lists, test_cards
from hobbs.local.stripe_sim.bank_accounts import ROUTING
from hobbs.local.stripe_sim.events import emit
from hobbs.local.stripe_sim.identifiers import new_id, random_text
from hobbs.local.stripe_sim.world import Call, Doc, World

NUMBERS = {
    "000123456789": None,
    "000111111116": "no_account",
    "000111111113": "account_closed",
    "000222222227": "insufficient_funds",
    "000333333335": "debit_not_authorized",
    "000444444440": "invalid_currency",
}
"""A test account number, and how a payout to it fails."""
TOKENS = {"btok_us_verified": "000123456789", "btok_us": "000123456789"}
CARD_TOKENS = ("tok_visa_debit_us_transferSuccess", "tok_visa_debit", "tok_mastercard_debit")


def create(world: World, call: Call) -> Doc:
    doc = accounts.required(world, call.ids["id"])
    given = call.params.get("external_account")
    made = (
        _from_token(doc, given)
        if isinstance(given, str)
        else _bank(doc, forms.nested(call.params, "external_account"))
    )
    made["metadata"] = forms.metadata(call.params)
    data = doc["external_accounts"]["data"]
    alone = not any(one["currency"] == made["currency"] for one in data)
    made["default_for_currency"] = alone or forms.boolean(call.params, "default_for_currency")
    _only_default(data, made)
    data.append(made)
    return _written(world, doc, made, "created")


def _from_token(doc: Doc, token: str) -> Doc:
    if token in TOKENS:
        return _bank(
            doc,
            {"country": "US", "currency": "usd", "account_number": TOKENS[token], "routing_number": ROUTING},
        )
    if token in CARD_TOKENS:
        return _debit_card(doc, token)
    raise errors.no_such("token", token, "external_account", status=400)


def _bank(doc: Doc, given: Doc) -> Doc:
    if given.get("object", "bank_account") != "bank_account":
        raise errors.not_simulated("cards by number as external accounts; use a token", "external_account")
    number = forms.required_text(given, "account_number")
    if number not in NUMBERS:
        raise errors.invalid_param(
            "external_account[account_number]",
            "You must use a test bank account number in test mode. Try 000123456789 or see more options at "
            "https://stripe.com/docs/connect/testing#account-numbers.",
            "account_number_invalid",
        )
    country = forms.required_text(given, "country").upper()
    routing = forms.text(given, "routing_number")
    if country == "US" and routing is None:
        raise errors.missing_param("external_account[routing_number]")
    return {
        "id": new_id("ba"),
        "object": "bank_account",
        "account": doc["id"],
        "account_holder_name": forms.text(given, "account_holder_name"),
        "account_holder_type": forms.text(given, "account_holder_type"),
        "account_type": None,
        "available_payout_methods": ["standard", "instant"],
        "bank_name": "STRIPE TEST BANK",
        "country": country,
        "currency": (forms.text(given, "currency") or doc["default_currency"]).lower(),
        "default_for_currency": False,
        "fingerprint": random_text(16),
        "last4": number[-4:],
        "metadata": {},
        "routing_number": routing,
        "status": "new",
        "_fails": NUMBERS[number],
    }


def _debit_card(doc: Doc, token: str) -> Doc:
    card = test_cards.CARDS["mastercard" if "mastercard" in token else "visa_debit"]
    nothing = ("address_city", "address_country", "address_line1", "address_line1_check", "address_line2")
    more = (
        "address_state",
        "address_zip",
        "address_zip_check",
        "dynamic_last4",
        "name",
        "tokenization_method",
    )
    return {
        **dict.fromkeys((*nothing, *more)),
        "id": new_id("card"),
        "object": "card",
        "account": doc["id"],
        "available_payout_methods": ["standard", "instant"],
        "brand": "MasterCard" if card.brand == "mastercard" else "Visa",
        "country": "US",
        "currency": "usd",
        "cvc_check": "pass",
        "default_for_currency": False,
        "exp_month": 12,
        "exp_year": 2034,
        "fingerprint": random_text(16),
        "funding": "debit",
        "last4": card.last4,
        "metadata": {},
        "regulated_status": "unregulated",
    }


def _only_default(data: list[Doc], chosen: Doc) -> None:
    if chosen["default_for_currency"]:
        for one in data:
            if one["currency"] == chosen["currency"] and one is not chosen:
                one["default_for_currency"] = False


def _written(world: World, doc: Doc, changed: Doc, what: str) -> Doc:
    # Payouts go to the first: the default comes first.
    doc["external_accounts"]["data"].sort(key=lambda one: not one["default_for_currency"])
    world.store.save(doc)
    emit(world, f"account.external_account.{what}", changed, account=doc["id"])
    emit(world, "account.updated", doc, account=doc["id"])
    return changed


def _found(world: World, call: Call) -> tuple[Doc, Doc]:
    doc = accounts.required(world, call.ids["id"])
    for one in doc["external_accounts"]["data"]:
        if one["id"] == call.ids["external"]:
            return doc, one
    raise errors.no_such("external account", call.ids["external"])


def retrieve(world: World, call: Call) -> Doc:
    return _found(world, call)[1]


def update(world: World, call: Call) -> Doc:
    doc, one = _found(world, call)
    params = call.params
    one["metadata"] = forms.metadata(params, one["metadata"])
    for name in ("account_holder_name", "account_holder_type"):
        if name in params and one["object"] == "bank_account":
            one[name] = forms.text(params, name)
    if forms.boolean(params, "default_for_currency"):
        one["default_for_currency"] = True
        _only_default(doc["external_accounts"]["data"], one)
    return _written(world, doc, one, "updated")


def delete(world: World, call: Call) -> Doc:
    """The default of a currency stays until another is it. The wording is from memory."""
    doc, one = _found(world, call)
    if one["default_for_currency"]:
        raise errors.refused(
            "You cannot delete the default external account for your default currency. Please make another "
            "external account the default using the `default_for_currency` param, and then delete this one."
        )
    doc["external_accounts"]["data"].remove(one)
    _written(world, doc, one, "deleted")
    return {"id": one["id"], "object": one["object"], "deleted": True}


def list_all(world: World, call: Call) -> Doc:
    doc = accounts.required(world, call.ids["id"])
    wanted = forms.choice(call.params, "object", ("bank_account", "card", ""), "")
    data = [one for one in doc["external_accounts"]["data"] if wanted in ("", one["object"])]
    limit = forms.integer(call.params, "limit", 10, minimum=1) or 10
    return lists.as_list(call.path, data[:limit], len(data) > limit)


def failure_of(account: Doc | None, payout: Doc) -> str | None:
    """How a payout to its test account fails, or None: docs.stripe.com/connect/testing#account-numbers."""
    banks = account["external_accounts"]["data"] if account else []
    return next((one.get("_fails") for one in banks if one["id"] == payout["destination"]), None)
