"""Reads a school.toml, compares it with the school's book, and publishes what changes."""
