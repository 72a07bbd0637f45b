"""Composition root of the gateway: HTTP in, the outbox's relay, health."""

from functools import partial

from fleet.worker import Worker
from schemas.proved import PROVED
from schemas.services import DECIDE
from services.gateway.desk.decisions import ACTIONS
from services.gateway.domain.cards import Prices
from services.gateway.http.sightings import Sightings
from services.gateway.http.web import build_web
from services.gateway.settings import GatewaySettings

SIGHTINGS_EVERY_S = 5.0


def build(settings: GatewaySettings | None = None, *, prices: Prices | None = None) -> Worker:
    """Put the process together; `hobbs work gateway` runs it.

    prices: billing's, which price the flights of credit checks; without it they name their charge.
    """
    settings = settings or GatewaySettings()
    worker = Worker("gateway", settings, proved=PROVED)
    sightings = Sightings()
    web = build_web(settings, worker.database, worker.publish_now, sightings, prices=prices)
    worker.serve(web, settings.gateway_host, settings.gateway_port)
    worker.loop("sightings", partial(sightings.write, worker.database), idle_s=SIGHTINGS_EVERY_S)
    worker.decide(ACTIONS, strays_of=DECIDE)
    return worker
