"""Whether a process grows: its memory after many requests, against that after few."""

from dataclasses import replace

from bench.messages import API
from bench.scenarios.stage import Scenario, Stage, get_all

WARM_AFTER = 10_000


def memory(stage: Stage) -> Scenario:
    """One process of its own, lists and products' pages in turns; hits and misses of the response cache."""
    api = stage.surroundings.serve("api-for-memory")
    lists = get_all(stage.catalogue.lists, f"{API}/products?")
    details = get_all(stage.catalogue.slugs, f"{API}/products/")
    mixed = [request for pair in zip(lists, details, strict=False) for request in pair]
    reads = replace(stage.reads(api, mixed), limit=WARM_AFTER)
    return Scenario(service=replace(reads, limit=stage.memory_requests - WARM_AFTER), floor=reads, once=True)
