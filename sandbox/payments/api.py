"""The paths under `/v1`."""

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, Request, Response
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from sandbox.faults import Faults
from sandbox.payments.errors import StripeError
from sandbox.payments.idempotency import IdempotencyKeys
from sandbox.payments.intents import PaymentIntents
from sandbox.payments.objects import StripeObject
from sandbox.payments.params import (
    IntentCancel,
    IntentConfirm,
    IntentCreate,
    IntentRead,
    IntentUpdate,
    Params,
    Parsed,
    RefundCreate,
    RefundRead,
    parse,
)
from sandbox.payments.protocol import StripeRoute
from sandbox.payments.refunds import Refunds


def form(model: type[Parsed]) -> Callable[[Request], Any]:
    """A dependency: the request's parameters, checked."""

    async def checked(request: Request) -> Parsed:
        return parse(request.state.params, model)

    return checked


async def _intents(request: Request) -> PaymentIntents:
    intents: PaymentIntents = request.app.state.intents
    return intents


async def _refunds(request: Request) -> Refunds:
    refunds: Refunds = request.app.state.refunds
    return refunds


Intents = Annotated[PaymentIntents, Depends(_intents)]
AllRefunds = Annotated[Refunds, Depends(_refunds)]
router = APIRouter(route_class=StripeRoute)


@router.post("/payment_intents")
async def create_intent(params: Annotated[IntentCreate, Depends(form(IntentCreate))], intents: Intents) -> Response:
    return answer(intents.create(params), params, intents)


@router.get("/payment_intents/{intent_id}")
async def retrieve_intent(
    intent_id: str, params: Annotated[IntentRead, Depends(form(IntentRead))], intents: Intents
) -> Response:
    return answer(intents.get(intent_id), params, intents)


@router.post("/payment_intents/{intent_id}")
async def update_intent(
    intent_id: str, params: Annotated[IntentUpdate, Depends(form(IntentUpdate))], intents: Intents
) -> Response:
    return answer(intents.update(intents.get(intent_id), params), params, intents)


@router.post("/payment_intents/{intent_id}/confirm")
async def confirm_intent(
    intent_id: str, params: Annotated[IntentConfirm, Depends(form(IntentConfirm))], intents: Intents
) -> Response:
    return answer(intents.confirm(intents.get(intent_id), params), params, intents)


@router.post("/payment_intents/{intent_id}/cancel")
async def cancel_intent(
    intent_id: str, params: Annotated[IntentCancel, Depends(form(IntentCancel))], intents: Intents
) -> Response:
    return answer(intents.cancel(intents.get(intent_id), params), params, intents)


@router.post("/refunds")
async def create_refund(
    params: Annotated[RefundCreate, Depends(form(RefundCreate))], refunds: AllRefunds, intents: Intents
) -> Response:
    return answer(refunds.create(params), params, intents)


@router.get("/refunds/{refund_id}")
async def retrieve_refund(
    refund_id: str,
    params: Annotated[RefundRead, Depends(form(RefundRead))],
    refunds: AllRefunds,
    intents: Intents,
) -> Response:
    return answer(refunds.get(refund_id), params, intents)


def answer(obj: StripeObject, params: Params, intents: PaymentIntents) -> Response:
    """The object as JSON, with the ids that `expand[]` names replaced by what they stand for."""
    body = obj.snapshot()
    for path in params.expand:
        _expand(body, path.split("."), intents)
    return JSONResponse(body)


def _expand(body: dict[str, Any], names: list[str], intents: PaymentIntents) -> None:
    name, *deeper = names
    if isinstance(body[name], str):
        body[name] = intents.snapshot_of(body[name])
    if deeper and isinstance(body[name], dict):
        _expand(body[name], deeper, intents)


def create_payments_api(intents: PaymentIntents, faults: Faults) -> FastAPI:
    """An application of its own, because even its 404 speaks Stripe's dialect."""
    api = FastAPI(openapi_url=None)
    api.state.intents = intents
    api.state.refunds = Refunds(intents)
    api.state.faults = faults
    api.state.idempotency = IdempotencyKeys()
    api.include_router(router)

    @api.exception_handler(HTTPException)
    async def unknown_url(request: Request, _: HTTPException) -> Response:
        message = f"Unrecognized request URL ({request.method}: {request.url.path})."
        return StripeError(404, message).response()

    @api.exception_handler(Exception)
    async def broken(_request: Request, _: Exception) -> Response:
        return StripeError(500, "An unknown error occurred.", type="api_error").response()

    return api
