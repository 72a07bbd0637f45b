"""A service's own handlers in a process that has no key of Stripe's and no loop of the service's."""

import importlib
import os
from typing import Final

from fleet.proofs import NAME as PUBLISHERS_KEYS
from fleet.settings import PREFIX, from_environment, own_prefix
from fleet.worker import Worker
from hobbs.shell.stripes_keys import keys_set
from schemas.services import BY_NAME
from schemas.topics import TOPICS

ROLE: Final = "HOBBS_DATABASE_ROLE"
DECISIONS: Final = "decision.requested"  # a person who decided waits no longer


def refused(service: str, topic: str) -> str | None:
    """Why this topic is not replayed to this service by this process; None when it may be."""
    if service not in BY_NAME:
        return f"{service!r} is not one of {', '.join(BY_NAME)}"
    readers = TOPICS[topic].consumers
    if service not in readers or topic == DECISIONS:
        return f"{service} has no handler for {topic} to replay to: {_names(topic)}"
    if BY_NAME[service].stripe_key:
        return f"{service} calls Stripe: nothing is replayed to it by this command"
    names = keys_set(os.environ)
    return f"this process could call Stripe: {names[0]} is set; unset it" if names else None


def build(service: str, *, with_keys: bool = True) -> Worker:
    """The service's worker, as this command's login acting as the service's role; it is never run.

    with_keys: it asks for proofs, with the keys of publishers that the environment has for this service.
    Raises ValidationError for settings that are missing or wrong.
    """
    own_name = own_prefix(service) + PUBLISHERS_KEYS.removeprefix(PREFIX)
    keys = (from_environment(own_name) or from_environment(PUBLISHERS_KEYS) or "") if with_keys else ""
    changed = {ROLE: f"hobbs_{service}", PUBLISHERS_KEYS: keys, own_name: keys}
    hidden = [f"{name}_FILE" for name in (PUBLISHERS_KEYS, own_name)]
    before = {name: os.environ[name] for name in (*changed, *hidden) if name in os.environ}
    os.environ |= changed
    for name in hidden:
        os.environ.pop(name, None)
    try:
        worker: Worker = importlib.import_module(f"services.{service}.app").build()
    finally:
        for name in changed:
            os.environ.pop(name)
        os.environ |= before
    return worker


def without_keys(service: str) -> str:
    """What to do where the service reads its topics with keys that this process does not have."""
    return (
        f"{service} reads this topic with keys of its publishers, and this process has none: it would "
        f"believe what {service} buried, and take what it knows for new; set {PUBLISHERS_KEYS} as {service} "
        "has it"
    )


def _names(topic: str) -> str:
    names = [name for name in TOPICS[topic].consumers if not BY_NAME[name].stripe_key]
    return f"those that have one are {', '.join(names)}" if names and topic != DECISIONS else "no service has"
