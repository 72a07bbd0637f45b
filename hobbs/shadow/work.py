"""A shadow's process: the services that decide, over the live topics of flights, and nobody who moves money.

It has no Stripe client: an import contract says that nothing here imports one. It has no key: it does not
start where one is set. Its database is marked, and its topics have a prefix (docs/operations/shadow.md).
"""

import os
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Final

from fleet.database import Database
from fleet.host import Build, Host
from fleet.proofs import key_of, key_of_topic, keys_of_publishers
from fleet.settings import ProcessSettings, Settings, read_by
from fleet.shadows import NO_SHADOW, Mark, WrongDatabase, mark_of
from fleet.worker import Worker
from hobbs.shell.stripes_keys import keys_set
from schemas.proved import PROVED
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
    if why := unbelieved(own_book=mark.own_book):
        raise Refused(why)
    await Host(SHADOW, ProcessSettings(), builds(mark)).run()


def builds(mark: Mark) -> dict[str, Build]:
    """How each service of the shadow is made."""
    assert BUILDS.keys() == {*SHADOWED}
    return {service: partial(_build, service, mark) for service in SHADOWED}


def unbelieved(*, own_book: bool) -> str | None:
    """Why a service of the shadow would bury what another one of it publishes; None: it would not.

    The live deployment's keys prove what the live services publish. A shadow's services prove by their own.
    """
    settings = {service: _settings(service) for service in SHADOWED}
    looked_at = live_topics(own_book=own_book)
    for reader, topic, writer in _told_within():
        known = keys_of_publishers(settings[reader].publishers_keys)
        proves = key_of_topic(key_of(settings[writer].publisher_key), topic)
        if known and topic not in looked_at and proves not in known.get((writer, topic), ()):
            return (
                f"its {reader} would bury what its {writer} publishes on {topic} as not proved: it has "
                "another deployment's publishers' keys; "
                f"unset HOBBS_{reader.upper()}_PUBLISHERS_KEYS"
            )
    return None


def _told_within() -> Iterator[tuple[str, str, str]]:
    """Reader, topic and writer of what the shadow's services tell each other."""
    for topic, proved in PROVED.items():
        for reader in sorted({*proved.read_by} & {*SHADOWED}):
            for writer in sorted({*proved.by} & {*SHADOWED}):
                yield reader, topic, writer


def _settings(service: str) -> Settings:
    with read_by(service):
        return Settings()


def _build(service: str, mark: Mark) -> Worker:
    with read_by(service):
        worker = BUILDS[service]()
    read = set(worker.handlers) & {*live_topics(own_book=mark.own_book)}
    worker.be_shadow(mark, read)
    return worker


async def _mark() -> Mark:
    """The mark of the database that the shadow's services are given."""
    settings = _settings(SHADOWED[0])
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
