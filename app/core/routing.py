"""Finding the route of a path without trying all of them.

FastAPI looks through its routers and their routes one after the other, which behind a hundred routes costs more than
a query. The index looks at those routes only that begin like the path, and hands the request to the router that has
the route. Whatever it does not know (another method, no such path, a mounted application) goes the usual way.
"""

import itertools
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter
from fastapi.routing import iter_route_contexts
from prometheus_fastapi_instrumentator.middleware import PrometheusInstrumentatorMiddleware
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_FOUND = "shop.route"


@dataclass(frozen=True, slots=True)
class IndexedRoute:
    """`template` is the whole path, `/api/v1/products/{id_or_slug}`; `way_in` what the application included.

    Of several that fit, the one that was added first has its place before the others, and wins.
    """

    place: int
    template: str
    methods: frozenset[str]
    pattern: Any
    way_in: BaseRoute


class RouteIndex:
    """Routes by the part of their path that comes before the first parameter; built when it is first asked."""

    def __init__(self, router: APIRouter) -> None:
        self._router = router
        self._routes: dict[str, list[IndexedRoute]] | None = None
        self._fixed: dict[str, IndexedRoute] = {}

    def find(self, scope: Scope) -> IndexedRoute | None:
        """The first route that takes this path and method; for HEAD that of GET does (RFC 9110 §9.3.2)."""
        if _FOUND not in scope:
            path, method = scope["path"], scope["method"]
            scope[_FOUND] = self._search(path, method) or (self._search(path, "GET") if method == "HEAD" else None)
        found: IndexedRoute | None = scope[_FOUND]
        return found

    def _search(self, path: str, method: str) -> IndexedRoute | None:
        if self._routes is None:
            self._routes = self._build()
        first: IndexedRoute | None = None
        fixed = self._fixed.get(path)
        end = len(path)
        while end > 0:
            for route in self._routes.get(path[:end], ()):
                if (
                    (first is None or route.place < first.place)
                    and (fixed is None or route.place < fixed.place or route.template == path)
                    and method in route.methods
                    and route.pattern.match(path)
                ):
                    first = route
            end = path.rfind("/", 0, end)
        return first

    def fixed(self, path: str) -> IndexedRoute | None:
        """The first route of just this path: it hides those after it that take any name in its place."""
        return self._fixed.get(path)

    def _build(self) -> dict[str, list[IndexedRoute]]:
        routes: dict[str, list[IndexedRoute]] = {}
        place = itertools.count()
        for way_in in self._router.routes:
            for context in iter_route_contexts([way_in]):
                if context.path and context.methods:
                    route = IndexedRoute(
                        next(place), context.path, frozenset(context.methods), context.path_regex, way_in
                    )
                    beginning, parameter, _ = context.path.partition("{")
                    routes.setdefault(beginning.rstrip("/") or "/", []).append(route)
                    if not parameter:
                        self._fixed.setdefault(context.path, route)
        return routes


Express = Callable[[Request], Awaitable[Response | None]]
"""Answers a request, or leaves it to the route by answering None."""


class _Heard:
    """What a client sends, for two listeners: what the first has heard, the second hears again."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._heard: deque[Message] = deque()

    async def first(self) -> Message:
        message = await self._receive()
        self._heard.append(message)
        return message

    async def second(self) -> Message:
        return self._heard.popleft() if self._heard else await self._receive()


class IndexedRouter:
    """In front of an application's router. `express` answers some requests before their routes.

    Its keys are methods and templates of paths.
    """

    def __init__(self, router: APIRouter, index: RouteIndex, express: Mapping[tuple[str, str], Express]) -> None:
        self._router = router
        self._index = index
        self._express = express

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        route = self._index.find(scope) if scope["type"] == "http" else None
        if route is None and scope["type"] == "http" and (fixed := self._index.fixed(scope["path"])):
            raise HTTPException(405, headers={"Allow": ", ".join(sorted(fixed.methods))})
        if route and scope["method"] == "HEAD" and "HEAD" not in route.methods:
            scope, send = {**scope, "method": "GET"}, _without_body(send)
        if route is None or isinstance(route.way_in, Route):  # Starlette itself has to match a route of its own
            await self._router.app(scope, receive, send)
            return
        scope["router"] = self._router
        express = self._express.get((scope["method"], route.template))
        if express is None:
            await route.way_in.handle(scope, receive, send)
            return
        heard = _Heard(receive)
        response = await express(Request(scope, heard.first))
        await (response or route.way_in.handle)(scope, heard.second, send)


def _without_body(send: Send) -> Send:
    async def head_only(message: Message) -> None:
        await send({**message, "body": b""} if message["type"] == "http.response.body" else message)

    return head_only


class RouteMetrics(PrometheusInstrumentatorMiddleware):
    """The instrumentator, asking the index for the template of a path instead of trying all routes once more."""

    def __init__(self, app: ASGIApp, *, index: RouteIndex, excluded: Sequence[str]) -> None:
        super().__init__(app, excluded_handlers=excluded)
        self._index = index

    def _get_handler(self, request: Request) -> tuple[str, bool]:
        route = self._index.find(request.scope)
        return (request.url.path, False) if route is None else (route.template, True)
