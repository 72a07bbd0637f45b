"""`expand[]`: replace an id by its object, along a dotted path, up to four levels deep as Stripe allows."""

from typing import Any

from hobbs.local.stripe_sim import errors
from hobbs.local.stripe_sim.world import Doc, World

DEPTH_MAX = 4


def expanded(world: World, doc: Doc, paths: list[str]) -> Doc:
    for path in paths:
        segments = path.split(".")
        if len(segments) - (segments[0] == "data") > DEPTH_MAX:
            raise errors.invalid_param(
                "expand", f"You cannot expand more than {DEPTH_MAX} levels of a property."
            )
        _expand(world, doc, segments, path)
    return doc


def _expand(world: World, node: Any, segments: list[str], path: str) -> None:
    if isinstance(node, list):
        for item in node:
            _expand(world, item, segments, path)
        return
    if not isinstance(node, dict) or not segments:
        return
    name = segments[0]
    if name not in node:
        raise errors.invalid_param("expand", f"This property cannot be expanded ({path}).")
    if isinstance(node[name], str):
        found = world.store.find(node[name])
        if found is None:
            raise errors.invalid_param("expand", f"This property cannot be expanded ({path}).")
        node[name] = found
    _expand(world, node[name], segments[1:], path)
