"""What Schemathesis asks before it sends a request, and before it reports a failure."""

import os
from typing import Any
from uuid import UUID

import schemathesis
from schemathesis.core.failures import Failure
from schemathesis.core.transport import Response
from schemathesis.hooks import HookContext
from schemathesis.openapi.checks import IgnoredAuth, RejectedPositiveData, UndefinedStatusCode

FOR_GUESTS = ("/api/v1/cart", "/api/v1/orders/")
NOBODY = str(UUID(int=0))

REFUSALS_OF_WHAT_FITS = {
    "account_locked": "a password was guessed too often",
    "card_declined": "one of the provider's test cards, which is declined",
    "idempotency_key_reused": "the key was sent before, with another body",
    "image_unreadable": "the bytes are no picture",
    "invalid_cursor": "cursors are signed",
    "invalid_scope": "which scopes there are for a role is not in the form's schema",
    "invalid_signature": "webhooks are signed",
    "password_too_common": "the first passwords that a fuzzer tries are those that everybody tries",
    "precondition_failed": "the version is another one",
    "token_expired": "whoever is not sent the link has no token",
}
"""Answers to what the document allows, by the codes of their problems: it cannot say more than what fits a schema."""

RULES_BEYOND_SCHEMAS = {
    ("compare_at", "not_above_price"): "it is compared with `price`",
    ("email", "missing"): "needed of guests only",
    ("items", "not_distinct"): "items are told apart by one of their members",
    ("items", "unknown_variant"): "which variants there are is data",
    ("option_values", "missing"): "the product says which options there are",
    ("option_values", "unknown_option"): "the product says which options there are",
    ("option_values", "unknown_value"): "the product says which values there are",
    ("options", "not_distinct"): "options are told apart by one of their members",
    ("options", "variants_do_not_fit"): "compared with the variants that there are",
    ("parent_id", "too_deep"): "how deep the tree is, is data",
    ("parent_id", "unknown_category"): "which categories there are is data",
    ("category_ids", "unknown_category"): "which categories there are is data",
    ("payment_method", "refused"): "which methods the provider knows is data",
    ("quantity", "less_than_equal"): "added to what is in the cart",
    ("shipping_address", "missing"): "needed unless the cart or the account has one",
    ("shipping_method_id", "not_offered"): "which methods serve an address is data",
    ("sort", "relevance_without_q"): "it is compared with `q`",
}
"""The same for the members of `validation_failed`: the field that each points at, and its code."""

BEFORE_ANY_OPERATION = {414, 431}
"""What the server answers before it knows the operation: the API's description says so, once."""


@schemathesis.hook
def before_load_schema(context: HookContext, raw_schema: dict[str, Any]) -> None:  # noqa: ARG001 - a hook's signature
    """Declare access tokens as what they are on the wire: the check of credentials looks at no OAuth 2 scheme."""
    raw_schema["components"]["securitySchemes"]["Account"] = {"type": "http", "scheme": "bearer"}


@schemathesis.hook
def before_call(context: HookContext, case: schemathesis.Case[Any], kwargs: dict[str, Any]) -> None:  # noqa: ARG001 - a hook's signature
    """Spare the account that fuzzes: a run that has disabled or deleted it is a row of 401s."""
    own, label = os.environ.get("FUZZ_OWN_ACCOUNT"), case.operation.label
    if own and label == "PATCH /api/v1/users/{user_id}" and case.path_parameters.get("user_id") == own:
        case.path_parameters["user_id"] = NOBODY
    if label == "DELETE /api/v1/users/me" and not isinstance(case.body, dict):  # enough for who has just signed in
        case.body, case.media_type = {"password": "a wrong one"}, "application/json"


@schemathesis.hook
def filter_failure(context: HookContext, failure: Failure, case: schemathesis.Case[Any], response: Response) -> bool:  # noqa: ARG001 - a hook's signature
    """Whether it is one."""
    if isinstance(failure, IgnoredAuth):
        # Guests need no account, and whoever shows no token has no cart and no order: that is found out as 404.
        return not (case.path.startswith(FOR_GUESTS) and "got `404 Not Found`" in failure.message)
    if isinstance(failure, UndefinedStatusCode):
        return response.status_code not in BEFORE_ANY_OPERATION
    if isinstance(failure, RejectedPositiveData):
        return not _is_a_matter_of_course(case, response)
    return True


def _is_a_matter_of_course(case: schemathesis.Case[Any], response: Response) -> bool:
    if response.status_code in BEFORE_ANY_OPERATION:
        return True
    problem = response.json()
    if case.media_type == "multipart/form-data" and problem["code"] == "unsupported_media_type":
        return True  # the bytes are no picture
    if problem["code"] == "validation_failed":
        found = {(error["pointer"].strip("/").partition("/")[0], error["code"]) for error in problem["errors"]}
        return found <= RULES_BEYOND_SCHEMAS.keys()
    return problem["code"] in REFUSALS_OF_WHAT_FITS
