"""Composition root of the gateway: HTTP in, the outbox's relay, health."""

from fleet.worker import Worker
from schemas.services import SERVICES
from services.gateway.desk.decisions import ACTIONS
from services.gateway.http.web import build_web
from services.gateway.settings import GatewaySettings


def build(settings: GatewaySettings | None = None) -> Worker:
    """Put the process together; `hobbs work gateway` runs it."""
    settings = settings or GatewaySettings()
    worker = Worker("gateway", settings)
    web = build_web(settings, worker.database, worker.publish_now)
    worker.serve(web, settings.gateway_host, settings.gateway_port)
    worker.decide(ACTIONS, strays_of=SERVICES)
    return worker
