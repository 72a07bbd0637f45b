"""Kafka was lost and is there anew, empty: what the services had sent is put back into their outboxes."""
