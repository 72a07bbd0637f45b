"""Which fields `expand[]` takes, read from the types of the installed stripe library.

A field is expandable when its type is an id or an object (`ExpandableField`), and includable when its type is
a list of objects, such as the refunds of a charge, or one of ON_DEMAND. All others Stripe refuses.
"""

import importlib
import typing
from functools import cache
from typing import Any, get_args, get_origin

import stripe
from stripe._object_classes import OBJECT_CLASSES

# Left out unless asked for, although their types do not say so: docs.stripe.com/connect/instant-payouts.
ON_DEMAND = frozenset({("Balance", "instant_available"), ("InstantAvailable", "net_available")})


@cache
def class_of(kind: str) -> Any | None:
    """The library's class of an object, by its `object` field; None when the library has none."""
    if kind not in OBJECT_CLASSES:
        return None
    module, name = OBJECT_CLASSES[kind]
    return getattr(importlib.import_module(module), name)


@cache
def is_expandable(owner: Any, field: str) -> bool:
    if (owner.__name__, field) in ON_DEMAND:
        return True
    parts = _parts(owner, field)
    names_objects = any(isinstance(part, typing.ForwardRef) or _is_object(part) for part in parts)
    return (str in parts and names_objects) or is_list(owner, field)


@cache
def is_list(owner: Any, field: str) -> bool:
    return any(get_origin(part) is stripe.ListObject for part in _parts(owner, field))


@cache
def nested_class(owner: Any, field: str) -> Any | None:
    """The class of a hash inside an object, or of the items of an array, that `expand` may go through."""
    for part in _parts(owner, field):
        inner = get_args(part)[0] if get_origin(part) is list else part
        if _is_object(inner):
            return inner
    return None


def _parts(owner: Any, field: str) -> tuple[Any, ...]:
    hint = owner.__annotations__.get(field)
    if get_origin(hint) is typing.NotRequired:
        hint = get_args(hint)[0]
    return get_args(hint) if get_origin(hint) is typing.Union else (hint,)


def _is_object(part: Any) -> bool:
    return isinstance(part, type) and issubclass(part, stripe.StripeObject)
