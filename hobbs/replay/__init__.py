"""A closed range of a topic, read again: from Kafka without a group, or from a file."""
