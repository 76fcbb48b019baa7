"""What each request may carry, and Stripe's words for what it may not."""

from typing import Annotated, Any, ClassVar, Literal, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError, field_validator
from pydantic_core import ErrorDetails, PydanticCustomError

from sandbox.payments.errors import InvalidParametersError
from sandbox.payments.fields import (
    Amount,
    Currency,
    Hash,
    Metadata,
    PaymentMethod,
    StringList,
    Switch,
    Text,
    WebAddress,
    as_list,
)

EXPANDABLE = {
    "payment_intent": {"latest_charge": "charge"},
    "refund": {"charge": "charge", "payment_intent": "payment_intent"},
    "charge": {"payment_intent": "payment_intent"},
}
"""Which properties of which kind of object can be expanded, and to what kind."""


class Params(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    kind: ClassVar[str]
    """The kind of object that the request answers with."""

    expand: StringList = []

    @field_validator("expand")
    @classmethod
    def can_be_expanded(cls, paths: list[str]) -> list[str]:
        for path in paths:
            kind: str | None = cls.kind
            for name in path.split("."):
                kind = EXPANDABLE[kind].get(name) if kind else None
            if kind is None:
                raise PydanticCustomError(
                    "not_expandable", "This property cannot be expanded ({path}).", {"path": path}
                )
        return paths


class IntentRead(Params):
    kind = "payment_intent"


class RefundRead(Params):
    kind = "refund"


class AutomaticPaymentMethods(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    enabled: Switch
    allow_redirects: Literal["always", "never"] = "always"


class IntentUpdate(IntentRead):
    amount: Amount | None = None
    currency: Currency | None = None
    customer: Text = None
    description: Text = None
    metadata: Metadata = {}
    payment_method: PaymentMethod | None = None
    payment_method_types: Annotated[list[Literal["card"]], BeforeValidator(as_list)] = ["card"]
    receipt_email: Text = None
    shipping: Hash = None
    statement_descriptor_suffix: Text = None
    transfer_group: Text = None


class IntentCreate(IntentUpdate):
    amount: Amount
    currency: Currency
    automatic_payment_methods: AutomaticPaymentMethods | None = None
    capture_method: Literal["automatic", "automatic_async"] = "automatic_async"
    confirm: Switch = False
    return_url: WebAddress | None = None


class IntentConfirm(IntentRead):
    payment_method: PaymentMethod | None = None
    receipt_email: Text = None
    return_url: WebAddress | None = None


class IntentCancel(IntentRead):
    cancellation_reason: Literal["duplicate", "fraudulent", "requested_by_customer", "abandoned"] | None = None


class RefundCreate(RefundRead):
    amount: Amount | None = None
    charge: str | None = None
    payment_intent: str | None = None
    metadata: Metadata = {}
    reason: Literal["duplicate", "fraudulent", "requested_by_customer"] | None = None


Parsed = TypeVar("Parsed", bound=Params)


def parse(params: dict[str, Any], model: type[Parsed]) -> Parsed:
    """Raises InvalidParametersError (400) about the first thing wrong, as Stripe does."""
    try:
        return model.model_validate(params)
    except ValidationError as invalid:
        raise _in_stripes_words(invalid.errors()[0]) from invalid


def _in_stripes_words(error: ErrorDetails) -> InvalidParametersError:
    head, *rest = [str(part) for part in error["loc"] if part != "[key]"]
    param = head + "".join(f"[{part}]" for part in rest)
    match error["type"]:
        case "missing":
            return InvalidParametersError(f"Missing required param: {param}.", code="parameter_missing", param=param)
        case "extra_forbidden":
            return InvalidParametersError(f"Received unknown parameter: {param}", code="parameter_unknown", param=param)
        case "invalid_currency" | "not_expandable":
            return InvalidParametersError(error["msg"], param=param)
        case "parameter_invalid_integer" | "amount_too_large" | "resource_missing" | "url_invalid" as code:
            return InvalidParametersError(error["msg"], code=code, param=param)
        case _:
            return InvalidParametersError(f"Invalid {param}: {error['msg']}", param=param)
