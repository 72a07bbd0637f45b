"""The published language: topics and event models, the only thing services share."""
