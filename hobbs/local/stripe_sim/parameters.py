"""Which parameters each endpoint takes, read from the installed stripe library's own typed dictionaries.

So unknown and missing parameters are refused as in the pinned API version, without a table of our own.
"""

import importlib
from dataclasses import dataclass
from functools import cache
from typing import Any, NotRequired, get_origin

import stripe

from hobbs.local.stripe_sim import errors

# Parameters that every endpoint takes, or that the typed dictionaries no longer list.
ALWAYS = frozenset({"expand"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameters:
    allowed: frozenset[str]
    required: frozenset[str]

    def check(self, params: dict[str, Any]) -> None:
        """Raise StripeError for the first unknown or missing parameter."""
        for name in params:
            if name not in self.allowed:
                raise errors.unknown_param(name)
        for name in sorted(self.required):
            if params.get(name) in (None, ""):
                raise errors.missing_param(name)


@cache
def parameters(name: str) -> Parameters:
    """Look up `transfer_create` in `stripe.params._transfer_create_params`; a dot names a package in it."""
    package, _, name = name.rpartition(".")
    module = importlib.import_module(f"stripe.params.{package}{'.' if package else ''}_{name}_params")
    typed = getattr(module, "".join(word.title() for word in name.split("_")) + "Params")
    options = stripe.RequestOptions.__annotations__
    own = {key: hint for key, hint in typed.__annotations__.items() if key not in options}
    required = {key for key, hint in own.items() if get_origin(hint) is not NotRequired}
    return Parameters(allowed=frozenset(own) | ALWAYS, required=frozenset(required))
