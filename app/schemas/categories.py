"""The tree of categories."""

from typing import Annotated, Required
from uuid import UUID

from pydantic import ConfigDict, Field, with_config
from pydantic.config import JsonDict
from typing_extensions import TypedDict

from app.schemas.base import Input, Output, Slug, Whole
from app.schemas.text import Name

Place = Annotated[int, Field(ge=0, le=10_000, strict=True, description="Its place among its siblings"), Whole]

MUGS: JsonDict = {
    "id": "0198c0de-0000-7000-8000-0000000000c1",
    "slug": "mugs",
    "name": "Mugs",
    "path": "home/mugs",
}
HOME: JsonDict = {"id": "0198c0de-0000-7000-8000-0000000000c0", "slug": "home", "name": "Home"}


class CategoryCreate(Input):
    """Without a slug, one is made from the name."""

    model_config = ConfigDict(json_schema_extra={"example": {"name": "Mugs", "slug": "mugs", "position": 1}})

    name: Name
    slug: Slug | None = None
    parent_id: UUID | None = Field(default=None, description="None for a root")
    position: Place = 0


@with_config(ConfigDict(extra="forbid", json_schema_extra={"example": {"name": "Mugs and cups"}}))
class CategoryUpdate(TypedDict, total=False):
    """Only what is sent changes. A new slug changes the path of the whole subtree."""

    name: Name
    slug: Slug
    position: Place


@with_config(ConfigDict(extra="forbid", json_schema_extra={"example": {"parent_id": HOME["id"], "position": 1}}))
class CategoryMove(TypedDict, total=False):
    """Without a position it keeps the one it has."""

    parent_id: Required[Annotated[UUID | None, Field(description="None for a root")]]
    position: Place


class CategoryLink(Output):
    model_config = ConfigDict(json_schema_extra={"example": HOME})

    id: UUID
    slug: str
    name: str


class CategoryNode(CategoryLink):
    """A category with all that hangs below it; `path` holds the slugs from the root."""

    model_config = ConfigDict(json_schema_extra={"example": {**MUGS, "children": []}})

    path: str
    children: list["CategoryNode"]


class CategoryTree(Output):
    model_config = ConfigDict(json_schema_extra={"example": {"data": [{**MUGS, "children": []}]}})

    data: list[CategoryNode]


class CategoryRead(CategoryNode):
    """`ancestors` leads from the root to the parent; `version` goes into If-Match."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                **MUGS,
                "parent_id": HOME["id"],
                "position": 1,
                "ancestors": [HOME],
                "children": [],
                "version": 1,
            }
        }
    )

    parent_id: UUID | None
    position: int
    ancestors: list[CategoryLink]
    version: int
