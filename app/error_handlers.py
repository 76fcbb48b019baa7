"""One road for every refusal: each exception becomes a `ShopError`, and that becomes a problem (RFC 9457)."""

from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Receive, Scope, Send

from app import errors
from app.core.logging import get_logger
from app.core.pagination import CursorError
from app.core.rate_limit import LimitReached
from app.core.security import TokenError
from app.core.threads import TooBusy
from app.database_errors import DISK_FULL, as_shop_error, constraint, sqlstate
from app.errors import ShopError
from app.gateways.media_store import MediaStoreUnavailable
from app.openapi import PROBLEM_JSON, PROBLEM_TYPES, methods_at
from app.validation_errors import problems

logger = get_logger(__name__)

MOST_ERRORS = 100  # told at once: a body of nothing but mistakes does not get an answer larger than itself


def problem_response(request: Request, error: ShopError) -> Response:
    body = {
        "type": f"{PROBLEM_TYPES}{error.code}",
        "title": error.title,
        "status": error.status,
        "detail": error.detail,
        "instance": request.url.path,
        "code": error.code,
        "request_id": request.state.request_id,
        **error.extra,
    }
    return JSONResponse(body, error.status, error.headers, PROBLEM_JSON)


def refusal(make: Callable[[], ShopError]) -> ASGIApp:
    """An application that refuses whatever it is asked: for the layers before the routes."""

    async def refuse(scope: Scope, receive: Receive, send: Send) -> None:
        await problem_response(Request(scope), make())(scope, receive, send)

    return refuse


def install_error_handlers(app: FastAPI) -> None:
    translations: dict[type[Exception], Callable[[Request, Any], ShopError]] = {
        ShopError: lambda _, error: error,
        RequestValidationError: _from_validation,
        HTTPException: _from_http,
        LimitReached: lambda _, error: errors.TooManyRequests(f"At most {error.limit}.", retry_after=error.retry_after),
        CursorError: lambda *_: errors.InvalidCursor(),
        TokenError: lambda *_: errors.InvalidToken(),
        TooBusy: lambda *_: errors.ServiceUnavailable(),
        MediaStoreUnavailable: lambda *_: errors.ServiceUnavailable(),
        SQLAlchemyError: lambda _, error: _from_database(error),
        asyncpg.PostgresError: lambda _, error: _from_database(error),
        asyncpg.InternalClientError: lambda _, error: _from_database(error),
        asyncpg.InterfaceError: lambda _, error: _from_database(error),
        OSError: lambda _, error: _from_database(error),  # also a refused connection
    }
    for exception, translate in translations.items():
        app.add_exception_handler(exception, _handler(translate))


def _handler(
    translate: Callable[[Request, Any], ShopError],
) -> Callable[[Request, Exception], Awaitable[Response]]:
    async def handle(request: Request, exception: Exception) -> Response:
        return problem_response(request, translate(request, exception))

    return handle


def _from_validation(request: Request, error: RequestValidationError) -> ShopError:
    found = error.errors()
    if any(each["type"] == "json_invalid" for each in found):
        return errors.MalformedBody()
    if any(each["loc"] == ("body",) for each in found) and not _says_json(request):
        return errors.UnsupportedMediaType('Say "Content-Type: application/json".')
    return errors.ValidationFailed(errors=problems(found, error.body)[:MOST_ERRORS])


def _says_json(request: Request) -> bool:
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    return media_type == "application/json" or media_type.endswith("+json")


_HTTP_ERRORS: dict[int, type[ShopError]] = {
    400: errors.MalformedBody,
    401: errors.InvalidToken,
    403: errors.Forbidden,
    404: errors.NotFound,
    405: errors.MethodNotAllowed,
    413: errors.ContentTooLarge,
    415: errors.UnsupportedMediaType,
}


def _from_http(request: Request, error: HTTPException) -> ShopError:
    """What Starlette and FastAPI raise by themselves: unknown paths and methods, oversized and broken bodies."""
    kind = _HTTP_ERRORS.get(error.status_code, errors.InternalError)
    if kind is errors.MethodNotAllowed:
        own = (error.headers or {}).get("Allow", "").split(", ")  # all that a mounted application tells
        return errors.MethodNotAllowed(allowed=methods_at(request.app, request.url.path) or own)
    return kind("There is no such path.") if kind is errors.NotFound else kind()


def _from_database(error: Exception) -> ShopError:
    refusal = as_shop_error(error)
    if refusal is None:
        logger.exception("database error", exc_info=error)
        return errors.InternalError()
    code = sqlstate(error)
    if refusal.status >= 500:  # an outage: a line for each request says enough, a traceback for each would bury it
        log = logger.error if code == DISK_FULL else logger.warning  # that does not get better by itself
        log("database unavailable", error=type(error).__name__, sqlstate=code)
    else:  # a rule that only the database knew; the message would name the values
        logger.warning("database refused", error=type(error).__name__, sqlstate=code, constraint=constraint(error))
    return refusal
