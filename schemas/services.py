"""The one place where a service is registered: its name, and what differs from service to service.

Everything else that needs every service derives from here, or is held to it by a test
(docs/adding-a-service.md). Standard library only: deploy/make_secrets.py runs before anything is installed.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """One service. `name` is its folder in services/, its schema, its login role and its first metric word.

    `http`: it serves HTTP on a port of its own, `HOBBS_<NAME>_PORT`, and so runs as one process.
    `stripe_key`: it calls Stripe. `webhook_secrets`: it verifies what Stripe sends. `shadowed`: it works in a
    shadow too, or the part of it that knows no Stripe.
    """

    name: str
    http: bool = False
    stripe_key: bool = False
    shadowed: bool = False
    webhook_secrets: bool = False


REGISTERED = (
    Service(name="billing", shadowed=True),
    Service(name="ledger", shadowed=True),
    Service(name="payouts", stripe_key=True, shadowed=True),
    Service(name="receivables"),
    Service(name="gateway", http=True, webhook_secrets=True),
    Service(name="adjustments"),
    Service(name="reserves"),
)

BY_NAME = {service.name: service for service in REGISTERED}
SERVICES = tuple(BY_NAME)
# What one process may run for a small school: the door to the internet stays outside (docs/decisions/0270).
ALL = "all"
TOGETHER = tuple(service.name for service in REGISTERED if not service.http)
OPERATOR = "operator"
CONSOLE = "console"  # people's browsers: no service, but with a schema, a login and topics of its own
SCHEDULING = "scheduling"  # the school's own system that books aircraft: foreign, it publishes flights
DECIDE = (*SERVICES, CONSOLE)  # whoever takes people's decisions, each about its own objects
MIGRATE = "migrate"  # `hobbs migrate`: a user of Kafka that makes missing topics and reads none
KAFKA_USERS = (*DECIDE, OPERATOR, SCHEDULING, MIGRATE)  # whoever logs in to the brokers
LOGINS = (OPERATOR, *SERVICES, CONSOLE)  # whoever logs in to Postgres
