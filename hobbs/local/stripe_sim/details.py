"""Postal addresses and billing details: Stripe shows every part of them, null where none was given."""

from hobbs.local.stripe_sim import forms
from hobbs.local.stripe_sim.world import Doc

ADDRESS = ("city", "country", "line1", "line2", "postal_code", "state")
BILLING = ("email", "name", "phone", "tax_id")


def address(given: Doc, name: str, current: Doc | None = None) -> Doc | None:
    """The address in `given[name]`, laid over `current`; None once it is emptied or was never given."""
    if name not in given:
        return current
    parts = forms.nested(given, name)
    return None if not parts else _parts(parts, ADDRESS, current)


def billing_details(given: Doc, current: Doc | None = None) -> Doc:
    """A payment method's billing details, laid over `current`; its address is always an object."""
    wanted = forms.nested(given, "billing_details")
    before = current or {}
    where = address(wanted, "address", before.get("address")) or dict.fromkeys(ADDRESS)
    return _parts(wanted, BILLING, before) | {"address": where}


def shipping(given: Doc, current: Doc | None = None) -> Doc | None:
    """Where goods go: an address, a name and a phone number."""
    if "shipping" not in given:
        return current
    wanted = forms.nested(given, "shipping")
    if not wanted:
        return None
    return {"address": address(wanted, "address"), **_parts(wanted, ("name", "phone"), None)}


def changed(before: Doc, after: Doc) -> Doc:
    """An event's `previous_attributes`: what was there before, of the attributes that are different now."""
    return {name: before[name] for name in before if before[name] != after.get(name)}


def _parts(given: Doc, names: tuple[str, ...], current: Doc | None) -> Doc:
    before = current or {}
    return {name: forms.text(given, name) if name in given else before.get(name) for name in names}
