"""The finish of the OpenAPI document: problems as RFC 9457, tags in order, examples that a reader can send."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import iter_route_contexts
from pydantic import BaseModel, ConfigDict, Field

from app import errors
from app.errors import ShopError
from app.models.scopes import FOR_SERVICES, expanded

PROBLEM_JSON = "application/problem+json"
PROBLEM_TYPES = "https://emporium.example/problems/"
_PROBLEM_REFERENCE = {"$ref": "#/components/schemas/Problem"}

DESCRIPTION = """
A whole purchase works from [Swagger UI](docs). Press **Authorize** and sign in, or stay a guest; then

1. `GET /products` and pick a variant from `GET /products/{id_or_slug}`,
2. `POST /cart/lines` puts it in the cart,
3. `POST /orders` places the order and reserves the stock,
4. `POST /orders/{order_id}/payments` with `pm_card_visa` pays,
5. `GET /orders/{order_id}` shows it confirmed, and the confirmation is in the mailbox.

Money is in minor units (`1999` is 19.99). Lists page by signed cursors. Every error is an
`application/problem+json` with a stable `code` ([RFC 9457](https://www.rfc-editor.org/rfc/rfc9457)).
What can be read with `GET` takes `HEAD` too.

Three answers stand beside no operation, because they come before one is found: `405` with `Allow` for a method that
the path does not know, `414` for a URL and `431` for headers that are too long.
"""

ANYBODY: dict[str, Any] = {"security": [{}]}
"""The `openapi_extra` of an operation that takes credentials and needs none."""

TAGS = [
    {"name": "Catalogue", "description": "What is for sale."},
    {"name": "Reviews", "description": "What customers say of products, and who found it helpful."},
    {
        "name": "Cart",
        "description": "Guests keep the `X-Cart-Token` they are given; signing in merges the carts.",
    },
    {"name": "Orders", "description": "Check out, pay, follow and cancel an order."},
    {"name": "Accounts", "description": "Register, confirm the e-mail address, sign in, stay signed in."},
    {"name": "API keys", "description": "Keys of services that call the shop; needs the `admin` role."},
    {"name": "Catalogue for staff", "description": "Decide what is for sale; needs the `catalog` role."},
    {"name": "Accounts for staff", "description": "Find accounts (`support`), decide on them (`admin`)."},
    {"name": "Inventory for staff", "description": "Count, receive and write off stock; needs the `warehouse` role."},
    {"name": "Reviews for staff", "description": "Decide what is published; needs the `support` role."},
    {"name": "Webhooks", "description": "What the payment provider calls."},
    {"name": "Operations", "description": "Whether the service lives and is ready."},
]


API_KEYS = {
    "type": "http",
    "scheme": "bearer",
    "bearerFormat": "emp_…",
    "description": "For services: a key from `POST /api-keys`, which is good for the scopes it was made with.",
}


class FieldProblem(BaseModel):
    pointer: str = Field(description="JSON Pointer (RFC 6901) into the body, or the parameter's name")
    code: str
    message: str


class Problem(BaseModel):
    """RFC 9457. `code` is stable; `detail` is for people. Some problems carry more members, such as `lines`."""

    model_config = ConfigDict(extra="allow")

    type: str
    title: str
    status: int
    detail: str
    instance: str
    code: str
    request_id: str
    errors: list[FieldProblem] | None = None


def problems(*refusals: type[ShopError]) -> dict[int | str, dict[str, Any]]:
    """The `responses=` of an endpoint that may refuse in these ways; several of one status share it."""
    responses: dict[int | str, dict[str, Any]] = {}
    for refusal in refusals:
        response = responses.setdefault(refusal.status, _empty_problem())
        response["content"][PROBLEM_JSON]["examples"][refusal.code] = {"value": _example(refusal)}
        response["description"] = " ".join(filter(None, [response["description"], refusal.detail]))
    return responses


def _empty_problem() -> dict[str, Any]:
    return {"description": "", "content": {PROBLEM_JSON: {"schema": _PROBLEM_REFERENCE, "examples": {}}}}


def _example(refusal: type[ShopError]) -> dict[str, Any]:
    return {
        "type": f"{PROBLEM_TYPES}{refusal.code}",
        "title": refusal.title,
        "status": refusal.status,
        "detail": refusal.detail,
        "instance": "/api/v1/…",
        "code": refusal.code,
        "request_id": "b9c7f4f0a1d24a7e8a53e5a1c6a0d7c1",
    }


def install_openapi(app: FastAPI) -> None:
    """Make `app.openapi()` build the finished document once."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            document = get_openapi(
                title=app.title,
                version=app.version,
                summary=app.summary,
                description=app.description,
                routes=app.routes,
                tags=TAGS,
            )
            _finish(document)
            app.openapi_schema = document
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's documented way to extend the document


def _finish(document: dict[str, Any]) -> None:
    document["components"]["securitySchemes"]["API key"] = API_KEYS
    schemas = document["components"]["schemas"]
    for leftover in ("HTTPValidationError", "ValidationError"):
        schemas.pop(leftover, None)
    problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas.update(problem.pop("$defs"))
    schemas["Problem"] = problem
    for schema in schemas.values():
        if "example" in schema:
            schema["example"] = _completed(schema["example"], schema, schemas)
    for path in document["paths"].values():
        for operation in path.values():
            _say_who_needs_scopes(operation)
            _document_what_any_operation_may_answer(operation)
            for parameter in operation.get("parameters", []):
                _describe_as_sent(parameter, operation)


def _say_who_needs_scopes(operation: dict[str, Any]) -> None:
    """People and services do, guests do not; services where there are scopes for them.

    An API key is a bearer token like any other for the routes, so that FastAPI knows nothing of this scheme.
    """
    schemes = operation.get("security", [])
    for scheme in [*schemes]:
        if "Account" not in scheme:
            scheme.update({name: [] for name in scheme})
        elif scheme["Account"] and expanded(FOR_SERVICES).issuperset(scheme["Account"]):
            schemes.append({"API key": scheme["Account"]})


def _completed(example: Any, schema: dict[str, Any], schemas: dict[str, Any]) -> Any:
    """The example with its members in the order of the schema, and with those that are null.

    Pydantic sorts them, so that a city came before its street, and FastAPI drops whatever is None.
    """
    if isinstance(example, list):
        return [_completed(item, schema.get("items", {}), schemas) for item in example]
    if not isinstance(example, dict):
        return example
    for branch in (schema, *schema.get("anyOf", [])):
        if "$ref" in branch:
            return _completed(example, schemas[branch["$ref"].rpartition("/")[2]], schemas)
    properties = schema.get("properties", {})
    present = {*example, *schema.get("required", [])}
    names = [*(name for name in properties if name in present), *(name for name in example if name not in properties)]
    return {name: _completed(example.get(name), properties.get(name, {}), schemas) for name in names}


def _describe_as_sent(parameter: dict[str, Any], operation: dict[str, Any]) -> None:
    """Describe a parameter as it travels: left out rather than null, and required where its absence is refused."""
    schema = parameter["schema"]
    match [branch for branch in schema.get("anyOf", []) if branch != {"type": "null"}]:
        case [only]:
            del schema["anyOf"]
            schema.update(only)
    refusal = {"Idempotency-Key": errors.IdempotencyKeyRequired, "If-Match": errors.PreconditionRequired}.get(
        parameter["name"]
    )
    if refusal and refusal.code in _examples(operation["responses"].get(str(refusal.status), {})):
        parameter["required"] = True


def _examples(response: dict[str, Any]) -> dict[str, Any]:
    examples: dict[str, Any] = response.get("content", {}).get(PROBLEM_JSON, {}).get("examples", {})
    return examples


def _document_what_any_operation_may_answer(operation: dict[str, Any]) -> None:
    refusals: list[type[ShopError]] = [errors.TooManyRequests, errors.InternalError, errors.ServiceUnavailable]
    if "requestBody" in operation:
        refusals += [errors.MalformedBody, errors.ContentTooLarge]
        if "application/json" in operation["requestBody"]["content"]:
            refusals.append(errors.UnsupportedMediaType)
    if "422" in operation["responses"]:
        if operation["responses"]["422"]["content"].keys() != {PROBLEM_JSON}:  # FastAPI's own words
            del operation["responses"]["422"]["content"]
        refusals.append(errors.ValidationFailed)
    if any(parameter["name"] == "If-Match" for parameter in operation.get("parameters", ())):
        refusals.append(errors.InvalidIfMatch)
    if "security" in operation:
        refusals.append(errors.InvalidToken)
        if any(scopes for scheme in operation["security"] for scopes in scheme.values()):
            refusals.append(errors.InsufficientScope)
    for status, response in problems(*refusals).items():
        known = operation["responses"].setdefault(str(status), response)
        content = known.setdefault("content", response["content"])
        content[PROBLEM_JSON]["examples"] |= response["content"][PROBLEM_JSON]["examples"]
    operation["responses"] = dict(sorted(operation["responses"].items()))


def methods_at(app: FastAPI, path: str) -> list[str]:
    """Every method that some route knows for this path: what RFC 9110 §15.5.6 wants in `Allow`.

    As in `RouteIndex`, a route of just this path hides those that come after it and take any name in its place.
    """
    methods: set[str] = set()
    fixed = False
    for route in iter_route_contexts(app.routes):
        if route.methods and route.path_regex.match(path) and (route.path == path or not fixed):
            methods |= route.methods
            fixed = fixed or route.path == path
    return sorted(methods | {"HEAD"} if "GET" in methods else methods)
