"""How much faster the service is, without its response cache, than FastAPI and the ORM as textbooks use them."""

from bench.messages import API, fetch_json
from bench.scenarios.stage import COMPARED, Scenario, Stage, get_all, must_equal


def textbook_list(stage: Stage) -> Scenario:
    around, queries = stage.surroundings, stage.catalogue.lists
    for query in queries[:COMPARED]:
        must_equal(
            fetch_json(around.uncached_api, f"{API}/products?{query}")["data"],
            fetch_json(around.textbook, f"/products?{query}")["data"],
        )
    return Scenario(
        service=stage.reads(around.uncached_api, get_all(queries, f"{API}/products?")),
        floor=stage.reads(around.textbook, get_all(queries, "/products?")),
    )


def textbook_detail(stage: Stage) -> Scenario:
    around, slugs = stage.surroundings, stage.catalogue.slugs
    for slug in slugs[:COMPARED]:
        must_equal(
            fetch_json(around.uncached_api, f"{API}/products/{slug}"),
            fetch_json(around.textbook, f"/products/{slug}"),
        )
    return Scenario(
        service=stage.reads(around.uncached_api, get_all(slugs, f"{API}/products/")),
        floor=stage.reads(around.textbook, get_all(slugs, "/products/")),
    )
