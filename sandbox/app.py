"""The application factory: what the sandbox consists of, read top to bottom."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from fastapi import FastAPI, Request, Response, status
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.staticfiles import StaticFiles

from sandbox import faults, mailbox
from sandbox.faults import POSSIBLE, Faults
from sandbox.mailbox import Mailbox
from sandbox.pages import STATIC, page
from sandbox.payments import authentication
from sandbox.payments.api import create_payments_api
from sandbox.payments.cards import CARDS
from sandbox.payments.intents import PaymentIntents
from sandbox.settings import Settings
from sandbox.smtp import MailHandler, smtp_server
from sandbox.webhooks import Webhooks


def create_app(settings: Settings) -> FastAPI:
    """Build the sandbox. Nothing listens, and nothing is sent, before it is started."""
    injected = Faults()
    mails = Mailbox()
    webhooks = _webhooks(settings, injected)
    intents = PaymentIntents(settings.public_url, webhooks.emit if webhooks else _tell_nobody, injected)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            handler = MailHandler(mails, injected)
            await stack.enter_async_context(smtp_server(settings.sandbox_host, settings.sandbox_smtp_port, handler))
            if webhooks is not None:
                await stack.enter_async_context(webhooks.running())
            yield

    app = FastAPI(
        title="Emporium sandbox",
        description="The outside world for development. Stripe's subset lives under `/v1`.",
        lifespan=lifespan,
        docs_url=None,  # FastAPI's pages load their scripts from a CDN; this works offline
        redoc_url=None,
    )
    app.state.faults = injected
    app.state.mailbox = mails
    app.state.intents = intents
    app.include_router(mailbox.router)
    app.include_router(faults.router)
    app.include_router(authentication.router)
    app.mount("/v1", create_payments_api(intents, injected))
    app.mount("/static", StaticFiles(directory=STATIC))

    @app.exception_handler(RequestValidationError)
    async def invalid(_: Request, error: RequestValidationError) -> Response:
        """FastAPI's own answer repeats the input, and breaks on input that is not UTF-8."""
        told = [{name: problem[name] for name in ("type", "loc", "msg")} for problem in error.errors()]
        return JSONResponse({"detail": told}, status.HTTP_422_UNPROCESSABLE_CONTENT)

    @app.get("/health/live", tags=["Health"])
    async def live() -> dict[str, str]:
        """The process runs and answers."""
        return {"status": "ok"}

    @app.get("/", include_in_schema=False)
    async def front_door() -> Response:
        return page("index.html", settings=settings, cards=CARDS.values(), faults=POSSIBLE)

    return app


def _webhooks(settings: Settings, injected: Faults) -> Webhooks | None:
    if settings.webhook_url is None:
        return None
    secret = settings.stripe_webhook_secrets[0]
    return Webhooks(str(settings.webhook_url), secret, settings.webhook_backoff_seconds, injected)


def _tell_nobody(_event_type: str, _snapshot: dict[str, Any]) -> None:
    """Without a WEBHOOK_URL, events happen unheard."""
