"""The application, assembled. Everything starts here; importing this module does nothing."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from prometheus_fastapi_instrumentator import Instrumentator
from starlette.types import ASGIApp, Scope

from app import __version__, errors
from app.core.access_log import access_log
from app.core.cache import Journal, MemoryTier, ResponseCache, SharedTier
from app.core.cross_origin import CrossOrigin
from app.core.deadline import Deadline
from app.core.logging import configure_logging
from app.core.middleware import BodyLimit, RequestContext
from app.core.notices import Listener
from app.core.rate_limit import Limit, RateLimits
from app.core.routing import IndexedRouter, RouteIndex, RouteMetrics
from app.core.security_headers import SecurityHeaders
from app.core.throttle import Most, Throttle
from app.database import driver_url
from app.error_handlers import install_error_handlers, refusal
from app.openapi import DESCRIPTION, install_openapi
from app.routers import (
    addresses,
    api_keys,
    assortment,
    auth,
    carts,
    categories,
    email_changes,
    health,
    inventory,
    jobs,
    keys,
    listings,
    media,
    orders,
    pages,
    passwords,
    products,
    related,
    reviews,
    second_factors,
    sessions,
    suggestions,
    user_administration,
    users,
    variants,
    webhooks,
)
from app.routers.express import EXPRESS
from app.settings import Environment, Settings
from app.shop import Shop, open_shop

API = "/api/v1"
UPLOADS = re.compile(rf"{API}/products/[^/]+/media")
CACHED = (f"{API}/products", f"{API}/categories")
SHOWN_IN_CACHED = (*CACHED, f"{API}/variants", f"{API}/inventory", f"{API}/reviews")
RATE_LIMITS = {
    "sign-in": Limit("10/minute"),
    "register": Limit("5/minute"),
    "mail": Limit("5/minute"),
    "token": Limit("30/minute"),
    "order": Limit("120/minute", per_account="30/minute"),
    "review": Limit("30/minute", per_account="10/minute"),
    "upload": Limit("120/minute", per_account="60/minute"),
}
UPLOADS_TAKE = 10  # times as long as other requests


def create_app(settings: Settings | None = None) -> FastAPI:
    """Build the service; its connections are opened when it starts, and closed when it ends."""
    settings = settings or Settings()
    configure_logging(settings.log_level, settings.log_format)
    journal = Journal()
    shared = SharedTier(
        settings.redis_url.get_secret_value(), f"answers:{__version__}", settings.response_cache_seconds
    )

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with open_shop(settings) as shop, _hearing(settings, shop, journal) as listener:
            app.state.shop = shop
            app.state.listener = listener
            yield
        await shared.close()

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
        telemetry={"tracing": False, "metrics": False, "logs": False},  # ours are those of app/core
    )
    app.state.settings = settings
    app.state.rate_limits = RateLimits(
        settings.redis_url.get_secret_value(),
        RATE_LIMITS,
        processes=settings.web_concurrency,
        enabled=settings.rate_limit_enabled,
    )

    for_shoppers = (
        suggestions.router,  # before the products, for none of which "suggest" may be taken
        related.router,
        listings.router,
        products.router,
        categories.router,
        reviews.router,
        carts.router,
        orders.router,
        auth.router,
        passwords.router,
        sessions.router,
        second_factors.router,
        addresses.router,
        jobs.router,
        users.router,
        email_changes.router,
        api_keys.router,
    )
    for_staff = (
        user_administration.router,
        products.staff_router,
        variants.router,
        categories.staff_router,
        inventory.router,
        media.staff_router,
        reviews.staff_router,
    )
    # The assortment first: its `/products/manage` looks like the page of a product.
    for router in (assortment.router, *for_shoppers, *for_staff, webhooks.router):
        app.include_router(router, prefix=API)
    app.include_router(health.router)
    app.include_router(keys.router)
    app.include_router(pages.router)
    app.include_router(media.files_router)
    pages.mount_static(app)

    install_openapi(app)
    install_error_handlers(app)
    index = RouteIndex(app.router)
    app.router.middleware_stack = IndexedRouter(app.router, index, EXPRESS)
    # By route template, never by path: the number of series stays that of the routes.
    app.add_middleware(RouteMetrics, index=index, excluded=["/metrics", "/health/.*", "/static/.*"])
    Instrumentator().expose(app, include_in_schema=False)

    def is_upload(scope: Scope) -> bool:
        return scope["method"] == "POST" and UPLOADS.fullmatch(scope["path"]) is not None

    def seconds(scope: Scope) -> float:
        return settings.request_timeout * (UPLOADS_TAKE if is_upload(scope) else 1)

    # Inside the cache, whose hits take no time.
    app.add_middleware(Deadline, seconds=seconds, late=refusal(errors.RequestTookTooLong))
    if settings.response_cache_seconds:
        app.add_middleware(
            ResponseCache,
            journal=journal,
            memory=MemoryTier(settings.response_cache_bytes),
            shared=shared,
            fresh_seconds=settings.response_cache_seconds,
            reads=CACHED,
            writes=SHOWN_IN_CACHED,
            catch_up=lambda: app.state.listener.catch_up(),
        )

    def across(answers: ASGIApp) -> ASGIApp:
        """With what lets scripts of other origins read it: refusals too, or they would learn nothing."""
        if not settings.cors_origins:
            return answers
        return CrossOrigin(answers, origins=settings.cors_origins, refused=refusal(errors.UntrustedOrigin))

    def body_limit(scope: Scope) -> int:
        return settings.max_upload_bytes if is_upload(scope) else settings.max_body_bytes

    throttle = Throttle(Most(settings.reads_per_address, settings.writes_per_address))
    app.add_middleware(across)
    # Inside the context, where FastAPI's own `max_body_size` is not: there its refusals would be no problems.
    app.add_middleware(BodyLimit, limit=body_limit)
    app.add_middleware(
        RequestContext,
        crashed=across(refusal(errors.InternalError)),
        untrusted_host=refusal(errors.UntrustedHost),
        too_large=across(refusal(errors.ContentTooLarge)),
        too_many=across(refusal(lambda: errors.TooManyRequests(retry_after=throttle.wait))),
        trusted_hosts=settings.trusted_hosts,
        body_limit=body_limit,
        security_headers=SecurityHeaders(only_https=settings.environment is Environment.PRODUCTION),
        throttle=throttle if settings.rate_limit_enabled else None,
        say=access_log(settings.log_format),
    )
    return app


@asynccontextmanager
async def _hearing(settings: Settings, shop: Shop, journal: Journal) -> AsyncIterator[Listener]:
    """Hear of every change to what this process remembers (migration 0007)."""
    known = shop.identification.known

    def begin() -> None:
        journal.begin()
        known.begin()

    def end() -> None:
        journal.end()
        known.end()

    handlers = {"catalogue": journal.change, "principals": known.forget}
    listener = Listener(driver_url(settings), handlers, connected=begin, lost=end)
    listening = asyncio.create_task(listener.run())
    try:
        yield listener
    finally:
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)
