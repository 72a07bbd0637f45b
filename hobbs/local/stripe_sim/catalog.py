"""Products and prices as far as Checkout and payment links need them, and the line items made of them.

Prices are one-time and per unit. Sources: docs.stripe.com/api/products, docs.stripe.com/api/prices.
"""

from hobbs.local.stripe_sim import currencies, errors, forms, lists, not_simulated
from hobbs.local.stripe_sim.events import emit
from hobbs.local.stripe_sim.identifiers import new_id
from hobbs.local.stripe_sim.world import Call, Doc, World

QUANTITY_MAX = 999_999
PRODUCT_TEXTS = ("description", "statement_descriptor", "unit_label", "url")
PRODUCT = ("active", "id", "images", "metadata", "name", *PRODUCT_TEXTS)
PRICE = (
    *("active", "currency", "lookup_key", "metadata", "nickname", "product", "product_data", "tax_behavior"),
    *("unit_amount", "billing_scheme"),
)


def create_product(world: World, call: Call) -> Doc:
    return _product(world, call.params, call.account)


def _product(world: World, params: Doc, account: str) -> Doc:
    not_simulated.refuse_others(params, PRODUCT, "products")
    doc: Doc = {
        "id": forms.text(params, "id") or new_id("prod", 14),
        "object": "product",
        "active": forms.boolean(params, "active", True),
        "created": world.now,
        "default_price": None,
        "images": forms.strings(params, "images"),
        "livemode": False,
        "marketing_features": [],
        "metadata": forms.metadata(params),
        "name": forms.required_text(params, "name"),
        "package_dimensions": None,
        "shippable": None,
        "tax_code": None,
        "updated": world.now,
        **{name: forms.text(params, name) for name in PRODUCT_TEXTS},
    }
    world.store.insert(doc, account)
    emit(world, "product.created", doc, account=account)
    return doc


def create_price(world: World, call: Call) -> Doc:
    return _price(world, call.params, call.account, active=forms.boolean(call.params, "active", True))


def _price(world: World, params: Doc, account: str, *, active: bool) -> Doc:
    not_simulated.refuse_others(params, PRICE, "prices")
    amount = forms.integer(params, "unit_amount", minimum=0)
    if amount is None:
        raise errors.missing_param("unit_amount")
    currency = forms.currency(params)
    currencies.check(currency, amount)
    doc: Doc = {
        "id": new_id("price"),
        "object": "price",
        "active": active,
        "billing_scheme": "per_unit",
        "created": world.now,
        "currency": currency,
        "custom_unit_amount": None,
        "livemode": False,
        "lookup_key": forms.text(params, "lookup_key"),
        "metadata": forms.metadata(params),
        "nickname": forms.text(params, "nickname"),
        "product": _product_of(world, params, account),
        "recurring": None,
        "tax_behavior": forms.text(params, "tax_behavior") or "unspecified",
        "tiers_mode": None,
        "transform_quantity": None,
        "type": "one_time",
        "unit_amount": amount,
        "unit_amount_decimal": str(amount),
    }
    world.store.insert(doc, account)
    emit(world, "price.created", doc, account=account)
    return doc


def _product_of(world: World, params: Doc, account: str) -> str:
    product = forms.text(params, "product")
    if product is None:
        if not params.get("product_data"):
            raise errors.missing_param("product")
        return str(_product(world, forms.nested(params, "product_data"), account)["id"])
    if world.store.get("product", product, account) is None:
        raise errors.no_such("product", product, "product", status=400)
    return product


def line_items(world: World, params: Doc, account: str) -> list[Doc]:
    """The items of a session or a link, `item` objects with their price. All have one currency."""
    given = params.get("line_items") or []
    items = [_item(world, one, account, f"line_items[{index}]") for index, one in enumerate(given)]
    if len({item["currency"] for item in items}) > 1:
        raise errors.invalid_param("line_items", "All line items must have prices in the same currency.")
    return items


def _item(world: World, given: Doc, account: str, where: str) -> Doc:
    quantity = forms.integer(given, "quantity", minimum=1)
    if quantity is None:
        raise errors.missing_param(f"{where}[quantity]")
    if quantity > QUANTITY_MAX:
        raise errors.invalid_param(f"{where}[quantity]", f"Quantities may be {QUANTITY_MAX} at most.")
    price = _price_of(world, given, account, where)
    product = world.store.get("product", price["product"], account)
    amount = price["unit_amount"] * quantity
    return {
        "id": new_id("li"),
        "object": "item",
        "amount_discount": 0,
        "amount_subtotal": amount,
        "amount_tax": 0,
        "amount_total": amount,
        "currency": price["currency"],
        "description": product["name"] if product else None,
        "price": price,
        "quantity": quantity,
    }


def _price_of(world: World, given: Doc, account: str, where: str) -> Doc:
    price_id = forms.text(given, "price")
    if price_id is None:
        if not given.get("price_data"):
            raise errors.missing_param(f"{where}[price]")
        return _price(world, forms.nested(given, "price_data"), account, active=False)
    price = world.store.get("price", price_id, account)
    if price is None:
        raise errors.no_such("price", price_id, f"{where}[price]", status=400)
    if not price["active"]:
        raise errors.refused(
            f"The price specified is inactive. This field only accepts active prices: {price_id}."
        )
    return price


# Endpoints


def _found(world: World, call: Call, kind: str) -> Doc:
    doc = world.store.get(kind, call.ids["id"], call.account)
    if doc is None:
        raise errors.no_such(kind, call.ids["id"])
    return doc


def retrieve_product(world: World, call: Call) -> Doc:
    return _found(world, call, "product")


def retrieve_price(world: World, call: Call) -> Doc:
    return _found(world, call, "price")


def update_product(world: World, call: Call) -> Doc:
    doc, params = retrieve_product(world, call), call.params
    not_simulated.refuse_others(
        params, ("active", "metadata", "name", "default_price", *PRODUCT_TEXTS), "updating a product"
    )
    doc |= {
        name: forms.text(params, name) for name in (*PRODUCT_TEXTS, "name", "default_price") if name in params
    }
    return _updated(world, call, doc)


def update_price(world: World, call: Call) -> Doc:
    doc, params = retrieve_price(world, call), call.params
    not_simulated.refuse_others(params, PRICE, "updating a price")
    doc |= {name: forms.text(params, name) for name in ("nickname", "lookup_key") if name in params}
    return _updated(world, call, doc)


def _updated(world: World, call: Call, doc: Doc) -> Doc:
    doc["metadata"] = forms.metadata(call.params, doc["metadata"])
    doc["active"] = forms.boolean(call.params, "active", doc["active"])
    if "updated" in doc:
        doc["updated"] = world.now
    world.store.save(doc)
    emit(world, f"{doc['object']}.updated", doc, account=call.account)
    return doc


def list_products(world: World, call: Call) -> Doc:
    return lists.listing(world, call, "product")


def list_prices(world: World, call: Call) -> Doc:
    return lists.listing(world, call, "price")
