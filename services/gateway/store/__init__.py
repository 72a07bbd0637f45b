"""Every SQL statement of the worker, a module for each table."""

from services.gateway.store import accepted_flights, api_keys, credit, webhook_sightings

__all__ = ["accepted_flights", "api_keys", "credit", "webhook_sightings"]
