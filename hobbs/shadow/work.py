"""A shadow's process: the services that decide, over the live topics of flights, and nobody who moves money.

It has no Stripe client: an import contract says that nothing here imports one. It has no key: it does not
start where one is set. Its database is marked, and its topics have a prefix (docs/operations/shadow.md).
"""

import os
from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

from fleet.database import Database
from fleet.host import Build, Host
from fleet.settings import ProcessSettings, Settings, read_by
from fleet.shadows import NO_SHADOW, Mark, WrongDatabase, mark_of
from fleet.worker import Worker
from hobbs.shell.stripes_keys import keys_set
from schemas.shadow import SHADOW, SHADOWED, live_topics, refused_prefix
from services.billing.app import build as build_billing
from services.ledger.app import build as build_ledger
from services.payouts.deciding import build as build_deciding

# Imported here, so that the import contract sees them; by service, which is the second word of the module.
BUILDS: Final[Mapping[str, Callable[[], Worker]]] = {
    build.__module__.split(".")[1]: build for build in (build_billing, build_ledger, build_deciding)
}


class Refused(Exception):
    """This process is no shadow; the sentence says why, and nothing was done."""


async def work() -> None:
    """Work until SIGTERM or SIGINT. Raises before anything is done: Refused, WrongSettings, WrongDatabase."""
    if names := keys_set(os.environ):
        raise Refused(f"a shadow moves no money, and could call Stripe: {names[0]} is set; unset it")
    mark = await _mark()
    await Host(SHADOW, ProcessSettings(), builds(mark)).run()


def builds(mark: Mark) -> dict[str, Build]:
    """How each service of the shadow is made."""
    assert BUILDS.keys() == {*SHADOWED}
    return {service: partial(_build, service, mark) for service in SHADOWED}


def _build(service: str, mark: Mark) -> Worker:
    with read_by(service):
        worker = BUILDS[service]()
    read = set(worker.handlers) & {*live_topics(own_book=mark.own_book)}
    worker.be_shadow(mark, read)
    return worker


async def _mark() -> Mark:
    """The mark of the database that the shadow's services are given."""
    with read_by(SHADOWED[0]):
        settings = Settings()
    database = Database(settings.database_url.get_secret_value(), schema="public", pool_size=1)
    try:
        mark = await mark_of(database)
    finally:
        await database.close()
    if mark is None:
        raise WrongDatabase(NO_SHADOW)
    if mark.topic_prefix != settings.topic_prefix:
        raise Refused(f"its topics begin with {mark.topic_prefix!r}: HOBBS_TOPIC_PREFIX is another")
    if why := refused_prefix(mark.topic_prefix, mark.live):
        raise Refused(why)
    return mark
