"""Operations that are done once for each Idempotency-Key, and how they answer."""

from fastapi import Response

from app.errors import IdempotencyKeyRequired, IdempotencyKeyReused, InvalidIdempotencyKey, RequestInProgress
from app.services.idempotency import Answer

KEYED = (IdempotencyKeyRequired, IdempotencyKeyReused, RequestInProgress)
KEYED_AT_WILL = (InvalidIdempotencyKey, IdempotencyKeyReused, RequestInProgress)


def say(answer: Answer, **headers: str) -> Response:
    """The stored answer as it is, so that a repetition is the same to the byte."""
    if answer.replayed:
        headers["Idempotent-Replayed"] = "true"
    return Response(answer.body, answer.status, headers, "application/json")
