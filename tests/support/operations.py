"""The operations of the API, as its OpenAPI document lists them."""

import json
from dataclasses import dataclass
from functools import cache
from typing import Any
from uuid import UUID

from scripts.check_openapi import describe

Json = dict[str, Any]
NOWHERE = UUID(int=0)


@dataclass(frozen=True)
class Operation:
    method: str
    path: str
    described: Json

    @property
    def id(self) -> str:
        return str(self.described["operationId"])

    @property
    def writes(self) -> bool:
        return self.method != "GET"

    @property
    def example(self) -> Json | None:
        """A body in JSON that is as it should be; None when the operation takes none."""
        media = self.described.get("requestBody", {}).get("content", {}).get("application/json")
        example: Json | None = media and example_of(media)
        return example

    def url(self, identifier: object = NOWHERE) -> str:
        """The path with every parameter filled in, by default with the id of nothing."""
        return "/".join(str(identifier) if step.startswith("{") else step for step in self.path.split("/"))


@cache
def document() -> Json:
    described: Json = json.loads(describe())
    return described


def operations() -> list[Operation]:
    return [
        Operation(method.upper(), path, described)
        for path, methods in document()["paths"].items()
        for method, described in methods.items()
    ]


def resolved(schema: Json) -> Json:
    """The schema behind a reference."""
    while "$ref" in schema:
        schema = document()["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return schema


def example_of(media: Json) -> Any:
    """The first example of a body: its own, or its schema's."""
    if "example" in media:
        return media["example"]
    if "examples" in media:
        return next(iter(media["examples"].values()))["value"]
    return resolved(media["schema"]).get("example")
