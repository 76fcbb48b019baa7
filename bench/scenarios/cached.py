"""The same address again and again, against the same bytes from an application that does nothing (floor a)."""

from bench.messages import API, Answer, fetch, get
from bench.scenarios.stage import Scenario, Stage


def cached_list(stage: Stage) -> Scenario:
    return _same_bytes(stage, "list", f"{API}/products?{stage.catalogue.lists[0]}")


def cached_detail(stage: Stage) -> Scenario:
    return _same_bytes(stage, "detail", f"{API}/products/{stage.catalogue.slugs[0]}")


def cached_304(stage: Stage) -> Scenario:
    """The client has it already, and says so."""
    path = f"{API}/products/{stage.catalogue.slugs[0]}"
    known = get(path, **{"If-None-Match": fetch(stage.surroundings.api, path).headers["ETag"]})
    nothing = _sent_by_the_floor(stage, "nothing", b"")
    return Scenario(
        service=stage.reads(stage.surroundings.api, [known], expected=304),
        floor=stage.reads(stage.surroundings.floors, [nothing], expected=304),
    )


def _same_bytes(stage: Stage, name: str, path: str) -> Scenario:
    answer: Answer = fetch(stage.surroundings.api, path)
    return Scenario(
        service=stage.reads(stage.surroundings.api, [get(path)]),
        floor=stage.reads(stage.surroundings.floors, [_sent_by_the_floor(stage, name, answer.body)]),
    )


def _sent_by_the_floor(stage: Stage, name: str, body: bytes) -> str:
    """The request that the floor answers with these bytes."""
    (stage.surroundings.bodies / name).write_bytes(body)
    return get(f"/bytes/{name}")
