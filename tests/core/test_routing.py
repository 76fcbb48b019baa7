"""The index finds what FastAPI finds."""

from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import APIRouter, FastAPI
from starlette.requests import Request
from starlette.staticfiles import StaticFiles

from app.core.routing import IndexedRouter, RouteIndex


def build(*, indexed: bool) -> FastAPI:
    app = FastAPI(openapi_url=None)

    def say(name: str) -> object:
        async def endpoint(request: Request) -> dict[str, object]:
            return {"route": name, "path": request.path_params, "url": request.url.path}

        endpoint.__name__ = name
        return endpoint

    def router(prefix: str, *routes: tuple[str, str]) -> APIRouter:
        router = APIRouter(prefix=prefix)
        for method, path in routes:
            router.add_api_route(path, say(f"{method} {prefix}{path}"), methods=[method])  # type: ignore[arg-type]
        return router

    app.include_router(
        router("/products", ("GET", ""), ("GET", "/suggest"), ("GET", "/{name}"), ("GET", "/{name}/reviews")),
        prefix="/api",
    )
    app.include_router(router("/products", ("POST", ""), ("PATCH", "/{name}"), ("GET", "/late")), prefix="/api")
    app.include_router(router("/orders", ("GET", "/{order}/lines/{line:int}"), ("GET", "/{rest:path}")), prefix="/api")
    nested = APIRouter(prefix="/nested")
    nested.include_router(router("/inner", ("GET", "/{name}")))
    app.include_router(nested, prefix="/api")
    app.add_api_route("/", say("root"))  # type: ignore[arg-type]
    app.add_api_route("/plain/{name}", say("plain"))  # type: ignore[arg-type]
    app.mount("/static", StaticFiles(directory="app/static"))
    if indexed:
        app.router.middleware_stack = IndexedRouter(app.router, RouteIndex(app.router), {})
    return app


@pytest.fixture
async def apps() -> AsyncIterator[tuple[httpx.AsyncClient, httpx.AsyncClient]]:
    usual, indexed = (httpx.ASGITransport(build(indexed=indexed)) for indexed in (False, True))
    async with (
        httpx.AsyncClient(transport=usual, base_url="http://shop") as one,
        httpx.AsyncClient(transport=indexed, base_url="http://shop") as other,
    ):
        yield one, other


@pytest.mark.parametrize("method", ["GET", "POST", "PATCH", "DELETE", "OPTIONS"])
@pytest.mark.parametrize(
    "path",
    [
        "/", "/api", "/api/products", "/api/products/", "/api/products/mug",
        "/api/products/mug/reviews", "/api/products/mug/other", "/api/products/late", "/api/products//reviews",
        "/api/productsx", "/api/orders/1/lines/2", "/api/orders/1/lines/x", "/api/orders/a/b/c", "/api/orders",
        "/api/nested/inner/a", "/api/nested/inner", "/plain/a", "/plain", "/static/pages/base.css", "/static/nothing",
        "/api/products/a%2Fb", "/nothing",
    ],
)  # fmt: skip
async def test_the_answers_are_those_of_the_usual_way(
    apps: tuple[httpx.AsyncClient, httpx.AsyncClient], method: str, path: str
) -> None:
    usual, indexed = [await app.request(method, path) for app in apps]

    assert (indexed.status_code, indexed.content) == (usual.status_code, usual.content)
    assert indexed.headers.get("allow") == usual.headers.get("allow")


async def test_a_route_of_just_this_path_hides_those_after_it(
    apps: tuple[httpx.AsyncClient, httpx.AsyncClient],
) -> None:
    _, indexed = apps

    suggested, changed = await indexed.get("/api/products/suggest"), await indexed.patch("/api/products/suggest")

    assert suggested.json()["route"] == "GET /products/suggest"
    assert (changed.status_code, changed.headers["allow"]) == (405, "GET")


@pytest.mark.parametrize("path", ["/", "/api/products", "/api/products/mug", "/api/orders/1/lines/2", "/plain/a"])
async def test_head_says_what_get_would_and_sends_nothing(
    apps: tuple[httpx.AsyncClient, httpx.AsyncClient], path: str
) -> None:
    _, indexed = apps

    head, get = await indexed.head(path), await indexed.get(path)

    assert (head.status_code, head.headers, head.content) == (200, get.headers, b"")


def test_every_route_of_the_service_is_in_the_index(app: FastAPI) -> None:
    index = RouteIndex(app.router)

    for path, operations in app.openapi()["paths"].items():
        for method in operations:
            route = index.find({"path": path.replace("{", "x").replace("}", "x"), "method": method.upper()})
            assert route is not None, (method, path)
            assert route.template == path
