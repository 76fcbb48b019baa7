"""The scenarios, a function each: what is asked of the service, and what of its floor."""

from collections.abc import Callable

from bench.scenarios.accounts import signin, signin_storm
from bench.scenarios.cached import cached_304, cached_detail, cached_list
from bench.scenarios.memory import memory
from bench.scenarios.stage import Scenario, Stage
from bench.scenarios.textbook import textbook_detail, textbook_list
from bench.scenarios.uncached import authenticated_read, deep_page, search_facets, uncached_detail, uncached_list
from bench.scenarios.writes import add_to_cart, checkout_hot, checkout_spread

__all__ = ["SCENARIOS", "Scenario", "Stage"]

SCENARIOS: dict[str, Callable[[Stage], Scenario]] = {
    scenario.__name__: scenario
    for scenario in (
        *(cached_list, cached_detail, cached_304),
        *(uncached_detail, uncached_list, search_facets, deep_page, authenticated_read),
        *(add_to_cart, checkout_spread, checkout_hot, signin, signin_storm),
        *(textbook_list, textbook_detail, memory),
    )
}
