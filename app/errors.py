"""Every way the service says no.

The class decides the status and the code, so a reader finds the whole catalogue here and an endpoint only names
what it may answer: `responses=problems(InsufficientStock)`. One handler (`app/openapi.py`) renders RFC 9457.
"""

import re
from collections.abc import Mapping
from typing import Any, ClassVar, Self
from uuid import UUID


class ShopError(Exception):
    """A refusal with a stable code. `extra` members travel beside the standard ones of RFC 9457."""

    status: ClassVar[int] = 400
    code: ClassVar[str] = "bad_request"
    title: ClassVar[str] = "Bad request"
    detail: str = "The request could not be understood."

    by_code: ClassVar[dict[str, type["ShopError"]]] = {}

    def __init__(self, detail: str | None = None, **extra: Any) -> None:
        self.detail = detail or self.detail
        self.extra = extra
        self.replayed = False  # set when an Idempotency-Key repeats an earlier refusal
        super().__init__(self.detail)

    def __init_subclass__(cls) -> None:
        cls.code = re.sub(r"(?<!^)(?=[A-Z])", "_", cls.__name__).lower()
        cls.title = cls.code.replace("_", " ").capitalize()
        ShopError.by_code[cls.code] = cls

    @property
    def headers(self) -> dict[str, str]:
        """What belongs into the response's head."""
        headers = {"Idempotent-Replayed": "true"} if self.replayed else {}
        if "retry_after" in self.extra:
            headers["Retry-After"] = str(self.extra["retry_after"])
        return headers

    def as_dict(self) -> dict[str, Any]:
        """The refusal without its request: what an idempotent replay says again."""
        return {"code": self.code, "detail": self.detail, "extra": self.extra}

    @classmethod
    def from_dict(cls, stored: dict[str, Any]) -> "ShopError":
        return cls.by_code[stored["code"]](stored["detail"], **stored["extra"])


# 400 Bad request


class MalformedBody(ShopError):
    detail = "The body is not valid JSON."


class InvalidCursor(ShopError):
    detail = "This cursor is not one of ours, or belongs to another query."


class IdempotencyKeyRequired(ShopError):
    detail = "This operation needs an Idempotency-Key header of 1 to 255 visible ASCII characters."


class InvalidIdempotencyKey(ShopError):
    detail = "An Idempotency-Key has 1 to 255 visible ASCII characters."


class InvalidIfMatch(ShopError):
    detail = 'If-Match takes tags in quotation marks, such as "v1", or *.'


class InvalidSignature(ShopError):
    detail = "The webhook's signature does not match, or is too old."


class UntrustedHost(ShopError):
    detail = "The Host header does not name this shop."


class UntrustedOrigin(ShopError):
    """A CORS preflight that is refused."""

    detail = "Scripts of this origin may not send such a request here."


class InvalidScope(ShopError):
    """RFC 6749 §5.2."""

    detail = "Your role allows nothing of what you ask for, or there is no such scope."


# 401 Unauthorized


class Unauthorized(ShopError):
    status = 401
    detail = "Sign in to do this."
    challenge = "Bearer"

    @property
    def headers(self) -> dict[str, str]:
        return {"WWW-Authenticate": self.challenge}


class InvalidToken(Unauthorized):
    """RFC 6750 §3.1."""

    detail = "The access token is missing, expired or revoked."
    challenge = 'Bearer error="invalid_token"'


class InvalidCredentials(Unauthorized):
    detail = "The e-mail or the password is wrong."


class EmailNotVerified(Unauthorized):
    detail = "Confirm your e-mail address first: the link is in your mailbox."


class SecondFactorRequired(Unauthorized):
    """The password was right. The form takes the code as `otp`."""

    detail = "Send the code of your authenticator app, or a recovery code, as `otp`."


class InvalidSecondFactor(Unauthorized):
    detail = "The code is wrong, has expired, or was used before."


class TokenReused(Unauthorized):
    """RFC 9700 §4.14.2: a refresh token that comes back was stolen, or its successor was."""

    detail = "This refresh token was used before. Its whole family is revoked: sign in again."
    challenge = 'Bearer error="invalid_token"'


# 402 Payment required


class CardDeclined(ShopError):
    status = 402
    detail = "The card was declined. Try another payment method."


# 403 Forbidden, 404 Not found, 410 Gone


class Forbidden(ShopError):
    status = 403
    detail = "Your role does not allow this."


class InsufficientScope(Forbidden):
    """RFC 6750 §3.1. `scopes` are those that are missing: not granted to this token, or not part of today's role."""

    detail = "Your role or your token does not allow this."

    @property
    def headers(self) -> dict[str, str]:
        missing = " ".join(self.extra.get("scopes", ()))
        named = f', scope="{missing}"' if missing else ""
        return {"WWW-Authenticate": f'Bearer error="insufficient_scope"{named}'}


class WrongPassword(Forbidden):
    """Not a 401: who is asking is signed in, and stays it."""

    detail = "This is not your password."


class WrongCode(Forbidden):
    detail = "The code is wrong, has expired, or was used before."


class OwnReview(Forbidden):
    detail = "You cannot vote on your own review."


class ReauthenticationRequired(Forbidden):
    detail = "Send your password as well, or sign in anew: this cannot be undone."


class NotFound(ShopError):
    """Nothing with this id exists, or it is somebody else's: the two are not told apart."""

    status = 404
    detail = "There is nothing here, or it is not yours."


class MethodNotAllowed(ShopError):
    """`allowed` lists the methods that this resource knows."""

    status = 405
    detail = "This resource does not know this method."

    @property
    def headers(self) -> dict[str, str]:
        return {"Allow": ", ".join(self.extra["allowed"])}


class TokenExpired(ShopError):
    status = 410
    detail = "This link has expired or was used before."


class ResultExpired(ShopError):
    status = 410
    detail = "The result was kept for a while and is deleted. Ask for it again."


# 409 Conflict


class Conflict(ShopError):
    status = 409
    detail = "This collides with something that exists."


class InsufficientStock(Conflict):
    """`lines` names each short line with what is available."""

    detail = "Not enough stock."

    @classmethod
    def of(cls, lines: Mapping[UUID, tuple[int, int]]) -> Self:
        """`lines` maps a variant's id to how many were asked for and how many there are."""
        return cls(
            lines=[
                {"variant_id": str(variant_id), "requested": requested, "available": available}
                for variant_id, (requested, available) in lines.items()
            ]
        )


class StockChanged(Conflict):
    """`lines` names each variant with the `expected_on_hand` and with its actual `on_hand`."""

    detail = "There are not as many as you expected. Look at the levels again, then adjust them."


class BackordersPromised(Conflict):
    """`lowest` is the smallest limit that covers what orders have reserved."""

    detail = "Orders count on more back-orders than this limit allows."


class TotalsChanged(Conflict):
    """`expected` and `actual` are the two totals."""

    detail = "The total is not what you saw. Look at the cart again, then place the order."


class CartEmpty(Conflict):
    detail = "The cart has no lines."


class CheckoutInProgress(Conflict):
    detail = "This cart is being checked out."


class InvalidTransition(Conflict):
    """`allowed` lists the states that could follow."""

    detail = "The order is in a state that does not allow this."


class PaymentNotPossible(Conflict):
    detail = "There is nothing to pay on this order."


class RequestInProgress(Conflict):
    detail = "The first request with this Idempotency-Key is still running."


class SlugTaken(Conflict):
    detail = "Another product or category has this slug."


class SkuTaken(Conflict):
    detail = "Another variant has this SKU."


class VariantExists(Conflict):
    detail = "The product already has a variant with these options."


class AlreadyReviewed(Conflict):
    """`review_id` is the review that there is."""

    detail = "You have reviewed this product before. Change that review instead."


class TooManyPictures(Conflict):
    """`maximum` is how many a product may have."""

    detail = "The product has as many pictures as it may have. Delete one first."


class TooManyAddresses(Conflict):
    """`maximum` is how many a person may keep."""

    detail = "Your address book is full. Delete an address first."


class LastAdmin(Conflict):
    detail = "The shop would be left without an administrator. Make somebody else one first."


class AccountDeleted(Conflict):
    detail = "The owner has deleted this account. Nothing can bring it back."


class ResultNotReady(Conflict):
    """`state` is the job's: there is nothing to fetch before it has succeeded."""

    detail = "The job has no result yet."


class EmailTaken(Conflict):
    detail = "Another account has this e-mail address by now."


class SecondFactorEnabled(Conflict):
    detail = "You have a second factor. Disable it first."


class SecondFactorNotEnabled(Conflict):
    detail = "You have no second factor, or have not begun to set one up."


class CategoryNotEmpty(Conflict):
    detail = "The category holds products or other categories."


class CategoryCycle(Conflict):
    detail = "A category cannot be moved below itself."


# 412 and 428: conditional requests (RFC 9110 §13, RFC 6585 §3)


class PreconditionFailed(ShopError):
    status = 412
    detail = "Somebody changed this in the meantime. Read it again."


class PreconditionRequired(ShopError):
    status = 428
    detail = 'Send the version you read as If-Match: "v1".'


# 413, 415, 422


class ContentTooLarge(ShopError):
    status = 413
    detail = "The body is larger than this server accepts."


class UnsupportedMediaType(ShopError):
    status = 415
    detail = "This resource does not take a body of this type."


class ValidationFailed(ShopError):
    """`errors` points at every place that is wrong."""

    status = 422
    detail = "Some fields are not as they should be."

    @classmethod
    def at(cls, pointer: str, code: str, message: str) -> Self:
        """One field that the schema lets pass and the shop does not."""
        return cls(errors=[{"pointer": pointer, "code": code, "message": message}])


class PasswordTooCommon(ShopError):
    """`errors` points at the password, and says why."""

    status = 422
    detail = "This password would be among the first that somebody tries. Choose another one."

    @classmethod
    def at(cls, pointer: str, message: str) -> Self:
        return cls(errors=[{"pointer": pointer, "code": cls.code, "message": message}])


class ImageUnreadable(ShopError):
    status = 422
    detail = "The picture is damaged or incomplete."


class NotOnlyAnImage(ShopError):
    """A polyglot, or a photograph with a film behind it."""

    status = 422
    detail = "The file goes on behind the end of its picture. Export the picture anew."


class AnimatedImage(ShopError):
    status = 422
    detail = "The picture moves. Send one that stands still."


class ImageTooLarge(ShopError):
    """`width` and `height` are the picture's, `max_pixels` is how many it may have in all."""

    status = 422
    detail = "The picture has too many pixels. Send it smaller."


class IdempotencyKeyReused(ShopError):
    status = 422
    detail = "This Idempotency-Key was used for a request with another body."


# 423, 429


class AccountLocked(ShopError):
    """`retry_after` is in seconds. An address without an account is answered in the same way."""

    status = 423
    detail = "Too many failed attempts. Try again later, or from a device or network that has signed in before."


class TooManyRequests(ShopError):
    status = 429
    detail = "Slow down."


# 5xx


class InternalError(ShopError):
    """Says nothing of the inside; the log line with the same request id does."""

    status = 500
    detail = "Something went wrong on our side. Quote the request id when you write to us."


class ServiceUnavailable(ShopError):
    status = 503
    detail = "A part we depend on does not answer. Try again."

    def __init__(self, detail: str | None = None, *, retry_after: int = 1, **extra: Any) -> None:
        super().__init__(detail, retry_after=retry_after, **extra)


class RequestTookTooLong(ServiceUnavailable):
    detail = "This took too long and was given up. Try again, with the same Idempotency-Key if there was one."
