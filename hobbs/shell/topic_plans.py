"""What every topic of `schemas/topics.py` should be in Kafka."""

from fleet.kafka_client import TopicPlan
from schemas.topics import TOPICS


def topic_plans() -> list[TopicPlan]:
    """A plan for each topic, by its name without the deployment's prefix."""
    return [
        TopicPlan(name=topic.name, partitions=topic.partitions, retention_ms=topic.retention_ms)
        for topic in TOPICS.values()
    ]
