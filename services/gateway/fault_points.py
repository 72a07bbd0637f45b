"""Places where a process of the gateway can be made to die; see fleet/faults.py."""

POINTS = {
    "gateway.received": "a webhook's body is read, its signature is not verified",
    "gateway.verified": "the signature is good, Kafka has nothing",
    "gateway.published": "Kafka acknowledged, Stripe has no 2xx",
    "gateway.flights_written": "flights are inserted, their events are not staged",
    "gateway.flights_accepted": "flights are committed, the scheduler has no answer",
}
