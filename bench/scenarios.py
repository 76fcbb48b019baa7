"""The scenarios: what is asked of the service, and what of its floor."""

import http.client
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NamedTuple

from bench.data import Data
from bench.sides import HashingSide, HttpSide, PgbenchSide, Side
from bench.surroundings import CannotMeasure, Server, Surroundings

API = "/api/v1"
READERS = 64
WRITERS = 16
COMPARED = 5  # answers of service and floor b that are compared before anything is measured


@dataclass(frozen=True, slots=True)
class Scenario:
    name: str
    service: Side
    floor: Side


class Answer(NamedTuple):
    headers: http.client.HTTPMessage
    body: bytes


@contextmanager
def scenarios(surroundings: Surroundings, data: Data) -> Iterator[list[Scenario]]:
    """All of them, with the floors running.

    Raises:
        CannotMeasure: the floor does not answer what the service answers.
    """
    api = surroundings.api
    detail, listing = f"{API}/products/{data.slugs[0]}", f"{API}/products?{data.lists[0]}"
    shown, listed = _get(api, detail), _get(api, listing)
    known = request("GET", detail, {"If-None-Match": shown.headers["ETag"]})
    with surroundings.floors({"detail": shown.body, "list": listed.body, "nothing": b""}) as floors:
        for slug in data.slugs[:COMPARED]:
            _must_equal(_json(api, f"{API}/products/{slug}"), _json(floors, f"/detail/{slug}"))
        for query in data.lists[:COMPARED]:
            _must_equal(_json(api, f"{API}/products?{query}")["data"], _json(floors, f"/list?{query}")["data"])

        def reads(server: Server, *requests: str, expected: int = 200) -> HttpSide:
            return HttpSide(server, surroundings.cores.generator, READERS, list(requests), expected)

        def writes(*requests: str, expected: int) -> HttpSide:
            return HttpSide(api, surroundings.cores.generator, WRITERS, list(requests), expected)

        def all_of(paths: list[str], under: str) -> list[str]:
            return [request("GET", under + path) for path in paths]

        script = surroundings.home / "add_to_cart.sql"
        script.write_text(data.pgbench_script())
        add = [
            request("POST", f"{API}/cart/lines", {"X-Cart-Token": token, "Content-Type": "application/json"}, body)
            for token, body in data.additions()
        ]
        sign_in = [
            request("POST", f"{API}/auth/token", {"Content-Type": "application/x-www-form-urlencoded"}, form)
            for form in data.sign_ins()
        ]
        yield [
            Scenario("cached_list", reads(api, request("GET", listing)), reads(floors, request("GET", "/bytes/list"))),
            Scenario(
                "cached_detail", reads(api, request("GET", detail)), reads(floors, request("GET", "/bytes/detail"))
            ),
            Scenario(
                "cached_304",
                reads(api, known, expected=304),
                reads(floors, request("GET", "/bytes/nothing"), expected=304),
            ),
            Scenario(
                "uncached_detail",
                reads(api, *all_of(data.slugs, f"{API}/products/")),
                reads(floors, *all_of(data.slugs, "/detail/")),
            ),
            Scenario(
                "uncached_list",
                reads(api, *all_of(data.lists, f"{API}/products?")),
                reads(floors, *all_of(data.lists, "/list?")),
            ),
            Scenario("add_to_cart", writes(*add, expected=201), PgbenchSide(surroundings, script, WRITERS)),
            Scenario("signin", writes(*sign_in, expected=200), HashingSide(surroundings)),
        ]


def request(method: str, target: str, headers: dict[str, str] | None = None, body: str = "") -> str:
    """A complete HTTP/1.1 message."""
    length = {"Content-Length": str(len(body.encode()))} if body else {}
    lines = {"Host": "127.0.0.1", "Accept": "application/json", **(headers or {}), **length}
    return f"{method} {target} HTTP/1.1\r\n" + "".join(f"{k}: {v}\r\n" for k, v in lines.items()) + f"\r\n{body}"


def _get(server: Server, path: str) -> Answer:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        body = response.read()
        if response.status != http.HTTPStatus.OK:
            raise CannotMeasure(f"GET {path} answered {response.status}: {body[:1000].decode(errors='replace')}")
        return Answer(response.headers, body)
    finally:
        connection.close()


def _json(server: Server, path: str) -> Any:
    return json.loads(_get(server, path).body)


def _must_equal(service: Any, floor: Any) -> None:
    if service != floor:
        raise CannotMeasure(f"the floor does not do the service's work.\nservice: {service}\nfloor:   {floor}")
