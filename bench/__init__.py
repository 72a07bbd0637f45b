"""Measurements of Hobbs on this machine: `make bench` runs them and prints each figure with its limit."""
