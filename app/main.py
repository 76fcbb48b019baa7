"""The application, assembled. Everything starts here; importing this module does nothing."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from prometheus_fastapi_instrumentator import Instrumentator
from starlette.middleware.body_limit import RequestBodyLimitMiddleware
from starlette.middleware.cors import CORSMiddleware

from app import __version__, errors
from app.core.logging import configure_logging
from app.core.middleware import RequestContext
from app.core.rate_limit import RateLimits
from app.error_handlers import install_error_handlers, refusal
from app.openapi import DESCRIPTION, install_openapi
from app.routers import (
    auth,
    carts,
    categories,
    health,
    inventory,
    orders,
    pages,
    products,
    reviews,
    users,
    variants,
    webhooks,
)
from app.settings import Settings
from app.shop import open_shop

API = "/api/v1"
RATE_LIMITS = {
    "sign-in": "10/minute",
    "register": "5/minute",
    "mail": "5/minute",
    "token": "30/minute",
    "review": "10/minute",
}


def create_app(settings: Settings | None = None) -> FastAPI:
    """Build the service; its connections are opened when it starts, and closed when it ends."""
    settings = settings or Settings()
    configure_logging(settings.log_level, settings.log_format)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with open_shop(settings) as shop:
            app.state.shop = shop
            yield

    app = FastAPI(
        title="Emporium",
        version=__version__,
        summary="A shop's API: catalogue, carts, orders and payments.",
        description=DESCRIPTION,
        lifespan=lifespan,
        docs_url=None,  # app/routers/pages.py serves both from this process, without a CDN
        redoc_url=None,
        redirect_slashes=False,  # the redirect would repeat whatever Host the client sent
        separate_input_output_schemas=False,
    )
    app.state.settings = settings
    app.state.rate_limits = RateLimits(
        settings.redis_url.get_secret_value(), RATE_LIMITS, enabled=settings.rate_limit_enabled
    )

    for_shoppers = (
        products.router,
        categories.router,
        reviews.router,
        carts.router,
        orders.router,
        auth.router,
        users.router,
    )
    for_staff = (
        products.staff_router,
        variants.router,
        categories.staff_router,
        inventory.router,
        reviews.staff_router,
    )
    for router in (*for_shoppers, *for_staff, webhooks.router):
        app.include_router(router, prefix=API)
    app.include_router(health.router)
    app.include_router(pages.router)
    pages.mount_static(app)

    install_openapi(app)
    install_error_handlers(app)
    # By route template, never by path: the number of series stays that of the routes.
    Instrumentator(excluded_handlers=["/metrics", "/health/.*", "/static/.*"]).instrument(app).expose(
        app, include_in_schema=False
    )
    app.add_middleware(
        CORSMiddleware,
        allow_origins=settings.cors_origins,
        allow_methods=["*"],
        allow_headers=["*"],
        expose_headers=["ETag", "Location", "X-Cart-Token", "X-Request-ID", "Idempotent-Replayed"],
    )
    # Inside the context, where FastAPI's own `max_body_size` is not: there its refusals would be no problems.
    app.add_middleware(RequestBodyLimitMiddleware, max_body_size=settings.max_body_bytes)
    app.add_middleware(
        RequestContext,
        crashed=refusal(errors.InternalError),
        untrusted_host=refusal(errors.UntrustedHost),
        too_large=refusal(errors.ContentTooLarge),
        trusted_hosts=settings.trusted_hosts,
        max_body_bytes=settings.max_body_bytes,
    )
    return app
