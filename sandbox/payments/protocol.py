"""What all requests to Stripe share: an API key, a form, an idempotency key; and here, injected faults."""

import asyncio
import base64
import logging
import re
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute

from sandbox.faults import Fault, Faults, Mode, Target
from sandbox.payments.errors import InvalidParametersError, StripeError
from sandbox.payments.forms import decode
from sandbox.payments.idempotency import IdempotencyKeys
from sandbox.payments.objects import API_VERSION, new_id

MAX_BODY_BYTES = 256 * 1024
HANG_SECONDS = 600.0
FORM = "application/x-www-form-urlencoded"

logger = logging.getLogger("sandbox.payments")
Endpoint = Callable[[Request], Coroutine[Any, Any, Response]]


class StripeRoute(APIRoute):
    """Wraps an endpoint in Stripe's protocol; the decoded parameters wait in `request.state.params`."""

    def get_route_handler(self) -> Endpoint:
        endpoint = super().get_route_handler()

        async def handle(request: Request) -> Response:
            request_id = new_id("req")
            try:
                authenticate(request)
                request.state.params = await read_params(request)
                if request.method == "POST":
                    response = await write(request, endpoint, request_id)
                else:
                    response = await endpoint(request)
            except StripeError as error:
                response = error.response()
            logger.info("%s %s: %d", request.method, request.url.path, response.status_code)
            response.headers["Request-Id"] = request_id
            response.headers["Stripe-Version"] = API_VERSION
            return response

        return handle


def authenticate(request: Request) -> None:
    """Any test key will do, as the user name of Basic or as a Bearer token. Raises 401."""
    scheme, _, credentials = request.headers.get("authorization", "").partition(" ")
    key = credentials.strip()
    if scheme.lower() == "basic":
        try:
            key = base64.b64decode(key, validate=True).decode().partition(":")[0]
        except ValueError:  # neither Base64 nor UTF-8
            key = ""
    elif scheme.lower() != "bearer":
        key = ""
    if not key:
        raise StripeError(
            401,
            "You did not provide an API key. You need to provide your API key in the Authorization header, "
            "using Bearer auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY').",
        )
    if re.fullmatch(r"sk_test_[\w-]+", key, re.ASCII) is None:
        masked = f"{key[:8]}{'*' * 8}{key[-4:]}" if len(key) > 16 else "*" * 8
        raise StripeError(401, f"Invalid API Key provided: {masked}")


async def read_params(request: Request) -> dict[str, Any]:
    """Decode the query of a GET or the form of a POST. Raises 400, 413 or 415."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            raise StripeError(413, f"Request bodies may have at most {MAX_BODY_BYTES} bytes.")
    if request.method == "GET":
        return decode(request.url.query)
    content_type = request.headers.get("content-type", FORM).partition(";")[0].strip().lower()
    if body and content_type != FORM:
        raise StripeError(415, f"Invalid request: send the parameters as {FORM}, not as {content_type}.")
    try:
        return decode(body.decode())
    except UnicodeDecodeError as error:
        raise InvalidParametersError("Invalid request: the body is not UTF-8.") from error


async def write(request: Request, endpoint: Endpoint, request_id: str) -> Response:
    """Run a POST at most once per idempotency key, through the faults that wait for it."""
    keys: IdempotencyKeys = request.app.state.idempotency
    sent_key = request.headers.get("idempotency-key")
    key = sent_key or request_id  # a key that nobody repeats
    claim = keys.claim(key, request.url.path, request.state.params, request_id)
    if claim.body is not None:
        return claim.replay()
    try:
        fault = await _before(request)
        try:
            response = await endpoint(request)
        except InvalidParametersError:
            raise
        except StripeError as error:
            response = error.response()
        claim.keep(response)
    finally:
        if claim.body is None or not sent_key:
            keys.release(key)
    if fault is not None and fault.mode is Mode.TIMEOUT:
        await _hang(request, fault)
    return response


async def _before(request: Request) -> Fault | None:
    faults: Faults = request.app.state.faults
    fault = faults.take(Target.PAYMENTS, Mode.TIMEOUT, Mode.ERROR, Mode.DROP, Mode.DELAY)
    match fault:
        case Fault(mode=Mode.ERROR):
            raise StripeError(500, "An unknown error occurred, as injected.", type="api_error")
        case Fault(mode=Mode.DROP):
            await _hang(request, fault)
        case Fault(mode=Mode.DELAY):
            await asyncio.sleep(fault.delay_ms / 1000)
    return fault


async def _hang(request: Request, fault: Fault) -> None:
    """Stay silent until the client gives up. One that never does gets a 504 after all."""
    try:
        async with asyncio.timeout(fault.delay_ms / 1000 or HANG_SECONDS):
            await request.receive()  # the body has been read: what comes next is the disconnection
    except TimeoutError:
        pass
    raise StripeError(504, "The request timed out, as injected.", type="api_error")
