"""Which parameters each endpoint takes, read from the installed stripe library's own typed dictionaries.

So unknown, missing and impossible parameters are refused as in the pinned API version, nested ones too,
without a table of our own. Wording: "Received unknown parameter", "Missing required param", "Invalid …: must
be one of …" as Stripe's answers are quoted in public repositories.
"""

import collections.abc
import importlib
import types
import typing
from dataclasses import dataclass
from functools import cache
from typing import Any, NotRequired, get_args, get_origin

import stripe

from hobbs.local.stripe_sim import errors

# Parameters that every endpoint takes, or that the typed dictionaries no longer list.
ALWAYS = frozenset({"expand"})
# Event types that Stripe sends and takes although the library's list leaves them out.
UNLISTED_EVENT_TYPES = frozenset({"payment.created"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """What one parameter may be. `choices`: the allowed texts, empty when any text is."""

    text: bool = False
    integer: bool = False
    boolean: bool = False
    free: bool = False
    """A map with keys of the caller's choice, such as metadata."""
    choices: tuple[str, ...] = ()
    objects: tuple["Parameters", ...] = ()
    items: "Value | None" = None

    def check(self, value: Any, name: str) -> None:
        """Raise StripeError when `value`, as forms.parse reads it, is nothing that this may be."""
        if value in ("", None) or self.free:
            return
        if isinstance(value, list) and self.items:
            for index, item in enumerate(value):
                self.items.check(item, f"{name}[{index}]")
        elif isinstance(value, dict) and self.objects:
            self._check_object(value, name)
        elif isinstance(value, str):
            self._check_text(value, name)

    def _check_object(self, value: dict[str, Any], name: str) -> None:
        """A parameter may have several shapes: the refusal of the last one counts."""
        for shape in self.objects[:-1]:
            try:
                return shape.check(value, name)
            except errors.StripeError:
                continue
        self.objects[-1].check(value, name)

    def _check_text(self, value: str, name: str) -> None:
        if self.boolean and value in ("true", "false"):
            return
        if self.integer and _is_integer(value):
            return
        if self.choices:
            if value not in self.choices:
                raise errors.invalid_param(name, f"Invalid {name}: must be one of {_listed(self.choices)}")
        elif self.text:
            return
        elif self.integer:
            raise errors.invalid_param(name, f"Invalid integer: {value}", "parameter_invalid_integer")
        elif self.boolean:
            raise errors.invalid_param(name, f"Invalid boolean: {value}")
        elif self.objects:
            raise errors.invalid_param(name, f"Invalid object: {value}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameters:
    values: dict[str, Value]
    required: frozenset[str]

    @property
    def allowed(self) -> frozenset[str]:
        return frozenset(self.values) | ALWAYS

    def check(self, params: dict[str, Any], within: str = "") -> None:
        """Raise StripeError for the first unknown, impossible or missing parameter, nested ones too."""
        for name, value in params.items():
            full = f"{within}[{name}]" if within else name
            if name in self.values:
                self.values[name].check(value, full)
            elif within or name not in ALWAYS:
                raise errors.unknown_param(full)
        for name in sorted(self.required):
            if params.get(name) in (None, ""):
                raise errors.missing_param(f"{within}[{name}]" if within else name)


@cache
def parameters(name: str) -> Parameters:
    """Look up `transfer_create` in `stripe.params._transfer_create_params`; a dot names a package in it."""
    package, _, name = name.rpartition(".")
    module = importlib.import_module(f"stripe.params.{package}{'.' if package else ''}_{name}_params")
    typed = getattr(module, "".join(word.title() for word in name.split("_")) + "Params")
    return _parameters(typed, vars(module), stripe.RequestOptions.__annotations__)


def _parameters(typed: Any, names: dict[str, Any], options: collections.abc.Container[str]) -> Parameters:
    own = {key: hint for key, hint in typed.__annotations__.items() if key not in options}
    required = {key for key, hint in own.items() if get_origin(hint) is not NotRequired}
    return Parameters(
        values={key: _value(key, hint, names) for key, hint in own.items()}, required=frozenset(required)
    )


def _value(name: str, hint: Any, names: dict[str, Any]) -> Value:
    parts = list(_alternatives(hint, names))
    choices = [text for part in parts if get_origin(part) is typing.Literal for text in get_args(part)]
    if name in ("enabled_events", "types"):
        choices += UNLISTED_EVENT_TYPES if choices else ()
    lists = [part for part in parts if get_origin(part) in (list, collections.abc.Sequence)]
    return Value(
        text=str in parts or float in parts,
        integer=int in parts,
        boolean=bool in parts,
        free=any(_is_map(part) for part in parts),
        choices=tuple(text for text in choices if text),
        objects=tuple(_parameters(part, names, ()) for part in parts if hasattr(part, "__total__")),
        items=_value(name, get_args(lists[0])[0], names) if lists else None,
    )


def _alternatives(hint: Any, names: dict[str, Any]) -> collections.abc.Iterator[Any]:
    """The members of a union, with NotRequired taken off and names looked up in the library's module."""
    if isinstance(hint, (typing.ForwardRef, str)):
        text = hint if isinstance(hint, str) else hint.__forward_arg__
        hint = eval(text, {**vars(typing), **names})  # the stripe library's own source text, nobody's input
    if get_origin(hint) is NotRequired:
        yield from _alternatives(get_args(hint)[0], names)
    elif get_origin(hint) in (typing.Union, types.UnionType):
        for part in get_args(hint):
            yield from _alternatives(part, names)
    else:
        yield hint


def _is_map(part: Any) -> bool:
    origin = get_origin(part) or part
    return (
        isinstance(origin, type)
        and not hasattr(part, "__total__")
        and issubclass(origin, (dict, collections.abc.Mapping, stripe.StripeObject))
    )


def _is_integer(value: str) -> bool:
    return value.removeprefix("-").isdecimal()


def _listed(choices: tuple[str, ...]) -> str:
    return " or ".join(choices) if len(choices) < 3 else f"{', '.join(choices[:-1])}, or {choices[-1]}"
