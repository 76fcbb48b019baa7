"""Idempotency keys: https://docs.stripe.com/api/idempotent_requests.

The result of the first request, once it began to execute, is what every later one with the same key gets;
other parameters under the same key are an error. Parameters that never passed validation leave no trace.
"""

import time
from dataclasses import dataclass
from typing import Any

from fastapi import Response

from sandbox.bounded import BoundedDict
from sandbox.payments.errors import StripeError

MAX_KEYS = 20_000
MAX_KEY_LENGTH = 255
LIFETIME_SECONDS = 24 * 3600


@dataclass
class Claim:
    path: str
    params: dict[str, Any]
    request_id: str
    claimed_at: float
    status_code: int = 0
    body: bytes | None = None

    def keep(self, response: Response) -> None:
        self.status_code = response.status_code
        self.body = bytes(response.body)

    def replay(self) -> Response:
        headers = {"Idempotent-Replayed": "true", "Original-Request": self.request_id}
        return Response(self.body, self.status_code, headers, media_type="application/json")


class IdempotencyKeys:
    def __init__(self) -> None:
        self._claims: BoundedDict[str, Claim] = BoundedDict(MAX_KEYS)

    def claim(self, key: str, path: str, params: dict[str, Any], request_id: str) -> Claim:
        """The claim of this request, or the earlier one whose answer (`body`) is to be replayed.

        Raises 400 `idempotency_error` for other parameters or another path, 409 while the first still runs.
        """
        if len(key) > MAX_KEY_LENGTH:
            raise StripeError(
                400,
                f"Idempotency keys may have at most {MAX_KEY_LENGTH} characters.",
                type="idempotency_error",
            )
        earlier = self._claims.get(key)
        if earlier is None or time.monotonic() - earlier.claimed_at > LIFETIME_SECONDS:
            self.release(key)
            claim = self._claims[key] = Claim(path, params, request_id, time.monotonic())
            return claim
        another = f"Try using a key other than '{key}' if you meant to execute a different request."
        if earlier.path != path:
            message = (
                "Keys for idempotent requests can only be used for the same endpoint they were first used "
                f"for ('{path}' vs '{earlier.path}'). {another}"
            )
            raise StripeError(400, message, type="idempotency_error")
        if earlier.params != params:
            message = (
                "Keys for idempotent requests can only be used with the same parameters they were first used "
                f"with. {another}"
            )
            raise StripeError(400, message, type="idempotency_error")
        if earlier.body is None:
            message = "There is currently another in-progress request using this Idempotent Key."
            raise StripeError(409, message, type="idempotency_error", code="idempotency_key_in_use")
        return earlier

    def release(self, key: str) -> None:
        self._claims.pop(key, None)
