"""The OpenAPI document keeps its promises: complete, valid, and with examples that can be sent as they are."""

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from app.errors import ShopError
from app.models.scopes import FOR_SERVICES, Scope, expanded
from app.models.users import Role
from app.openapi import PROBLEM_JSON, TAGS
from scripts.check_openapi import PUBLISHED, describe
from tests.support.operations import Json, Operation, document, operations

OPERATIONS = operations()
for_each = pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.id)


def mistakes(value: Any, schema: Json) -> list[str]:
    """Why a value does not fit a schema of the document; a member that the schema does not know is a mistake too."""
    whole = {**schema, "components": document()["components"], "unevaluatedProperties": False}
    validator = Draft202012Validator(whole, format_checker=Draft202012Validator.FORMAT_CHECKER)
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(value)]


def examples_of(media: Json) -> list[Any]:
    """All examples of a body: beside its schema, or inside."""
    named = [example["value"] for example in media.get("examples", {}).values()]
    own = [media["example"]] if "example" in media else []
    schema = media["schema"]
    if "$ref" in schema:
        schema = document()["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    inside = [schema["example"]] if "example" in schema else schema.get("examples", [])
    return named + own or inside


def nodes(value: Any) -> Iterator[Json]:
    """Every object of the document."""
    if isinstance(value, dict):
        yield value
        for inner in value.values():
            yield from nodes(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from nodes(inner)


def references() -> set[str]:
    return {node["$ref"] for node in nodes(document()) if isinstance(node.get("$ref"), str)}


def test_the_document_says_what_it_is() -> None:
    assert document()["openapi"].startswith("3.1.")
    assert {"title", "version", "summary", "description"} <= document()["info"].keys()
    assert document()["tags"] == TAGS
    assert all(tag["description"].endswith(".") for tag in TAGS)


def test_it_is_published_as_it_is() -> None:
    """On every Python that the tests run on, and whatever order its sets have today."""
    assert describe() == PUBLISHED.read_text(encoding="utf-8"), (
        "If that is meant: python -m scripts.check_openapi --write"
    )


def test_newcomers_first_see_what_they_can_look_at() -> None:
    tags = [tag["name"] for tag in TAGS]
    methods = {tag: {each.method for each in OPERATIONS if each.described["tags"] == [tag]} for tag in tags}

    assert methods[tags[0]] == {"GET"}
    assert all(methods.values())


def test_every_reference_leads_somewhere_and_no_schema_is_left_over() -> None:
    known = {f"#/components/schemas/{name}" for name in document()["components"]["schemas"]}

    assert references() == known


@pytest.mark.parametrize("name", document()["components"]["schemas"])
def test_a_schema_is_one_and_its_example_fits(name: str) -> None:
    schema = document()["components"]["schemas"][name]

    Draft202012Validator.check_schema(schema)
    assert [mistakes(example, schema) for example in examples_of({"schema": schema})] in ([], [[]])


def test_operation_ids_are_one_each() -> None:
    assert [name for name, count in Counter(operation.id for operation in OPERATIONS).items() if count > 1] == []


@for_each
def test_an_operation_introduces_itself(operation: Operation) -> None:
    described = operation.described

    assert re.fullmatch(r"[a-z]+(_[a-z]+)+", operation.id)
    assert described["summary"]
    assert not described["summary"].endswith(".")
    assert described["description"].strip()
    (tag,) = described["tags"]
    assert tag in [known["name"] for known in TAGS]


@for_each
def test_an_operation_names_all_its_parameters(operation: Operation) -> None:
    declared = [(each["in"], each["name"]) for each in operation.described.get("parameters", ())]

    assert len(set(declared)) == len(declared)
    assert {name for where, name in declared if where == "path"} == set(re.findall(r"{(\w+)}", operation.path))


@for_each
def test_an_operation_explains_its_parameters(operation: Operation) -> None:
    parameters = operation.described.get("parameters", [])
    headers = [
        each for response in operation.described["responses"].values() for each in response.get("headers", {}).values()
    ]

    assert [each for each in (*parameters, *headers) if not each.get("description")] == []
    for schema in (each["schema"] for each in parameters):
        shown = [*schema.get("examples", []), *(schema[name] for name in ("example", "default") if name in schema)]
        assert [mistakes(value, schema) for value in shown] == [[]] * len(shown)


@for_each
def test_the_example_of_a_body_can_be_sent(operation: Operation) -> None:
    for media_type, media in operation.described.get("requestBody", {}).get("content", {}).items():
        assert media_type in {"application/json", "application/x-www-form-urlencoded", "multipart/form-data"}
        assert examples_of(media)
        assert [mistakes(example, media["schema"]) for example in examples_of(media)] == [[]] * len(examples_of(media))


@for_each
def test_an_operation_says_how_it_succeeds(operation: Operation) -> None:
    successes = {status: each for status, each in operation.described["responses"].items() if status < "300"}

    assert len(successes) == 1
    for status, response in successes.items():
        assert response["description"]
        if status == "204":
            assert "content" not in response
        else:
            media = response["content"]["application/json"]
            assert media["schema"].keys() >= {"$ref"} or media["schema"]["type"]
            assert [mistakes(example, media["schema"]) for example in examples_of(media)] == [[]]


@for_each
def test_an_operation_shows_each_of_its_problems(operation: Operation) -> None:
    for status, response in operation.described["responses"].items():
        if status >= "400":
            assert response["content"].keys() == {PROBLEM_JSON}
            media = response["content"][PROBLEM_JSON]
            assert media["schema"] == {"$ref": "#/components/schemas/Problem"}
            assert media["examples"]
            for code, example in media["examples"].items():
                assert mistakes(example["value"], media["schema"]) == []
                assert str(ShopError.by_code[code].status) == status == str(example["value"]["status"])
                assert example["value"]["code"] == code


@for_each
def test_an_operation_tells_what_may_always_happen(operation: Operation) -> None:
    told = {
        code
        for each in operation.described["responses"].values()
        for media in each.get("content", {}).values()
        for code in media.get("examples", ())
    }

    assert {"internal_error", "service_unavailable"} <= told
    if "security" in operation.described:
        assert "invalid_token" in told
    if "requestBody" in operation.described:
        assert {"validation_failed", "malformed_body", "content_too_large"} <= told
    if any(each["name"] == "If-Match" and each["required"] for each in operation.described.get("parameters", ())):
        assert {"precondition_failed", "precondition_required"} <= told
    if "{" in operation.path:
        assert "not_found" in told


@pytest.mark.parametrize("name", ["CartRead", "OrderRead", "OrderPlaced"])
def test_the_example_of_a_purchase_adds_up(name: str) -> None:
    example = document()["components"]["schemas"][name]["example"]
    totals = {part: money["amount"] for part, money in example["totals"].items()}

    assert totals["total"] == totals["subtotal"] - totals["discount"] + totals["shipping"]
    assert totals["subtotal"] == sum(line["quantity"] * line["unit_price"]["amount"] for line in example["lines"])


def test_an_example_reads_in_the_order_of_its_schema() -> None:
    order = document()["components"]["schemas"]["OrderRead"]

    assert list(order["example"]) == list(order["properties"])
    assert list(order["example"]["shipping_address"]) == ["full_name", "line1", "city", "postal_code", "country"]


def test_authorize_signs_in_where_the_api_does() -> None:
    flow = document()["components"]["securitySchemes"]["Account"]["flows"]["password"]

    paths = {operation.path: operation.id for operation in OPERATIONS if operation.method == "POST"}
    assert (paths[flow["tokenUrl"]], paths[flow["refreshUrl"]]) == ("auth_sign_in", "auth_refresh")
    signing_in = next(operation for operation in OPERATIONS if operation.id == "auth_sign_in")
    assert signing_in.described["requestBody"]["content"].keys() == {"application/x-www-form-urlencoded"}


def test_authorize_offers_every_scope_and_every_role() -> None:
    offered = document()["components"]["securitySchemes"]["Account"]["flows"]["password"]["scopes"]

    assert offered.keys() == {*Role, *Scope}
    assert all(offered.values())


@for_each
def test_an_operation_says_what_it_takes(operation: Operation) -> None:
    """Scopes that exist, of which API keys can have those that keys can be made for; guests need none."""
    schemes = {name: scopes for scheme in operation.described.get("security", []) for name, scopes in scheme.items()}

    assert set(schemes.get("Account", ())) <= {*Scope}
    assert not schemes.get("Guest cart")
    assert not schemes.get("Guest order")
    for_services = expanded(FOR_SERVICES) >= set(schemes.get("Account", ())) != set()
    assert schemes.get("API key") == (schemes["Account"] if for_services else None)
    told = operation.described["responses"].get("403", {"content": {PROBLEM_JSON: {"examples": {}}}})
    assert ("insufficient_scope" in told["content"][PROBLEM_JSON]["examples"]) is bool(schemes.get("Account"))


def test_guests_find_their_tokens() -> None:
    schemes = document()["components"]["securitySchemes"]
    headers = {scheme["name"]: name for name, scheme in schemes.items() if scheme["type"] == "apiKey"}

    assert headers.keys() == {"X-Cart-Token", "X-Order-Token"}
    for operation in OPERATIONS:
        if operation.id in {"cart_open", "cart_add_line"}:
            assert "X-Cart-Token" in operation.described["responses"]["201"]["headers"]
            assert {headers["X-Cart-Token"]: []} in operation.described["security"]


def test_pages_and_metrics_are_no_operations() -> None:
    assert all(path.startswith(("/api/v1/", "/health/", "/.well-known/")) for path in document()["paths"])
