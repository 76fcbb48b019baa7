"""How Stripe says no: https://docs.stripe.com/api/errors."""

from typing import Any

from fastapi.responses import JSONResponse


class StripeError(Exception):
    """An error in Stripe's envelope. `details` are further members: param, decline_code, payment_intent."""

    def __init__(
        self,
        status_code: int,
        message: str,
        *,
        type: str = "invalid_request_error",  # noqa: A002 -- Stripe's name of the member
        code: str | None = None,
        **details: Any,
    ) -> None:
        super().__init__(message)
        self.status_code = status_code
        members = {"code": code, "message": message, "type": type, **details}
        self.error = {name: value for name, value in members.items() if value is not None}

    def response(self) -> JSONResponse:
        headers = {"WWW-Authenticate": 'Basic realm="Stripe"'} if self.status_code == 401 else None
        return JSONResponse({"error": self.error}, self.status_code, headers)


class InvalidParametersError(StripeError):
    """The request was refused before it was executed, so no idempotent result is kept for it."""

    def __init__(self, message: str, *, code: str | None = None, param: str | None = None) -> None:
        super().__init__(400, message, code=code, param=param)


class NoSuchObjectError(StripeError):
    """404 for an object that the URL names."""

    def __init__(self, kind: str, object_id: str, param: str) -> None:
        super().__init__(404, f"No such {kind}: '{object_id}'", code="resource_missing", param=param)
