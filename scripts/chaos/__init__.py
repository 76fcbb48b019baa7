"""Faults of every kind against a running shop, and what they cost: `make chaos`."""
