"""The tree of categories."""

from fastapi import APIRouter, Request, Response, status
from pydantic_core import to_json

from app.dependencies import CatalogWriter, Categories, IdOrSlug, IfMatch
from app.errors import (
    CategoryCycle,
    CategoryNotEmpty,
    NotFound,
    PreconditionFailed,
    PreconditionRequired,
    SlugTaken,
)
from app.openapi import problems
from app.routers.etags import CATALOGUE, NOT_MODIFIED, published, tagged
from app.schemas.categories import CategoryCreate, CategoryMove, CategoryRead, CategoryTree, CategoryUpdate

router = APIRouter(prefix="/categories", tags=["Catalogue"])
staff_router = APIRouter(prefix="/categories", tags=["Catalogue for staff"])


@router.get("", operation_id="categories_tree", response_model=CategoryTree, responses=NOT_MODIFIED)
async def read_tree(request: Request, categories: Categories) -> Response:
    """Show the whole tree."""
    return published(request, to_json(await categories.tree()), CATALOGUE)


@router.get(
    "/{id_or_slug}",
    operation_id="categories_get",
    response_model=CategoryRead,
    responses={**NOT_MODIFIED, **problems(NotFound)},
)
async def get_category(request: Request, id_or_slug: IdOrSlug, categories: Categories) -> Response:
    """Show a category between its ancestors and all that hangs below it."""
    category = await categories.detail(id_or_slug)
    return published(request, to_json(category), CATALOGUE, version=category.version)


@staff_router.post(
    "",
    operation_id="categories_create",
    status_code=status.HTTP_201_CREATED,
    response_model=CategoryRead,
    responses=problems(SlugTaken),
)
async def create_category(
    data: CategoryCreate, _: CatalogWriter, categories: Categories, response: Response
) -> CategoryRead:
    """Add a category, at the root or below another one."""
    category = await categories.create(data)
    return tagged(response, category, location=f"/api/v1/categories/{category.slug}")


@staff_router.patch(
    "/{id_or_slug}",
    operation_id="categories_update",
    response_model=CategoryRead,
    responses=problems(NotFound, SlugTaken, PreconditionFailed, PreconditionRequired),
)
async def update_category(
    id_or_slug: IdOrSlug,
    data: CategoryUpdate,
    _: CatalogWriter,
    seen: IfMatch,
    categories: Categories,
    response: Response,
) -> CategoryRead:
    """Rename a category or change its place among its siblings, if it is still at the version you read."""
    return tagged(response, await categories.update(id_or_slug, seen, data))


@staff_router.post(
    "/{id_or_slug}/move",
    operation_id="categories_move",
    response_model=CategoryRead,
    responses=problems(NotFound, CategoryCycle, PreconditionFailed, PreconditionRequired),
)
async def move_category(
    id_or_slug: IdOrSlug,
    data: CategoryMove,
    _: CatalogWriter,
    seen: IfMatch,
    categories: Categories,
    response: Response,
) -> CategoryRead:
    """Move a category, with all that hangs below it, below another one or to the root.

    Its products are then found in the categories above its new place, and no longer in those above the old one.
    """
    return tagged(response, await categories.move(id_or_slug, seen, data))


@staff_router.delete(
    "/{id_or_slug}",
    operation_id="categories_delete",
    status_code=status.HTTP_204_NO_CONTENT,
    responses=problems(NotFound, CategoryNotEmpty, PreconditionFailed, PreconditionRequired),
)
async def delete_category(id_or_slug: IdOrSlug, _: CatalogWriter, seen: IfMatch, categories: Categories) -> None:
    """Delete a category that holds neither products nor other categories."""
    await categories.delete(id_or_slug, seen)
