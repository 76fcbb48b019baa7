"""The tree of categories: read whole, changed one at a time."""

from collections.abc import Iterable
from uuid import UUID

from app.core.slugs import id_or_slug, slugify, with_suffix
from app.database import Database, UnitOfWork, retried_on_conflict
from app.errors import NotFound, ValidationFailed
from app.models.categories import Category
from app.repositories.categories import CategoryRow
from app.schemas.categories import (
    CategoryCreate,
    CategoryLink,
    CategoryNode,
    CategoryRead,
    CategoryTree,
    CategoryUpdate,
)


class CategoryService:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def tree(self) -> CategoryTree:
        async with self._database.snapshot() as tx:
            return CategoryTree(data=_grown(await tx.categories.tree()))

    async def detail(self, address: str) -> CategoryRead:
        """A category between its ancestors and its descendants."""
        async with self._database.snapshot() as tx:
            return await _shown(tx, id_or_slug(address))

    @retried_on_conflict
    async def create(self, data: CategoryCreate) -> CategoryRead:
        """A new leaf. A slug made from its name gives way to one that is taken."""
        async with self._database.transaction() as tx:
            await tx.categories.lock_tree()
            parent = await tx.categories.by_id(data.parent_id) if data.parent_id else None
            if data.parent_id and parent is None:
                message = "there is no such category"
                raise ValidationFailed(
                    errors=[{"pointer": "/parent_id", "code": "unknown_category", "message": message}]
                )
            slug = data.slug or await _free_slug(tx, data.name)
            category = Category(
                name=data.name,
                slug=slug,
                parent_id=data.parent_id,
                path=f"{parent.path}/{slug}" if parent else slug,
                position=data.position,
            )
            await tx.categories.add(category)
            return await _shown(tx, slug)

    @retried_on_conflict
    async def update(self, address: str, version: int, changes: CategoryUpdate) -> CategoryRead:
        async with self._database.transaction() as tx:
            await tx.categories.lock_tree()
            category = await tx.categories.claim(await _identified(tx, address), version)
            category.name = changes.get("name", category.name)
            category.position = changes.get("position", category.position)
            if "slug" in changes:
                old_path = category.path
                category.slug = changes["slug"]
                category.path = "/".join([*old_path.split("/")[:-1], category.slug])
                await tx.categories.flush()
                await tx.categories.move_subtree(old_path, category.path)
            await tx.categories.flush()
            await tx.categories.touch_products(category.id)
            return await _shown(tx, category.slug)

    @retried_on_conflict
    async def delete(self, address: str, version: int) -> None:
        """Delete an empty category; `CategoryNotEmpty` while products or categories are in it."""
        async with self._database.transaction() as tx:
            await tx.categories.lock_tree()
            category = await tx.categories.claim(await _identified(tx, address), version)
            await tx.categories.remove(category)


async def _free_slug(tx: UnitOfWork, name: str) -> str:
    """Nobody else adds a category meanwhile: the tree is locked."""
    slug = slugify(name, fallback="category")
    return with_suffix(slug) if await tx.categories.family(slug) else slug


async def _identified(tx: UnitOfWork, address: str) -> UUID:
    found = id_or_slug(address)
    identity = await tx.categories.id_of(found) if isinstance(found, str) else found
    if identity is None:
        raise NotFound
    return identity


async def _shown(tx: UnitOfWork, address: UUID | str | None) -> CategoryRead:
    family = await tx.categories.family(address) if address else []
    row = next((row for row in family if address in (row.id, row.slug)), None)
    if row is None:
        raise NotFound
    ancestors = [other for other in family if len(other.path) < len(row.path)]
    below = [other for other in family if len(other.path) > len(row.path)]
    return CategoryRead(
        id=row.id,
        slug=row.slug,
        name=row.name,
        path=row.path,
        parent_id=row.parent_id,
        position=row.position,
        version=row.version,
        ancestors=[CategoryLink.model_validate(each) for each in sorted(ancestors, key=lambda each: len(each.path))],
        children=_grown(below),
    )


def _grown(rows: Iterable[CategoryRow]) -> list[CategoryNode]:
    """The forest of these rows, siblings in the order of the rows."""
    nodes = {
        row.path: CategoryNode(id=row.id, slug=row.slug, name=row.name, path=row.path, children=[]) for row in rows
    }
    roots: list[CategoryNode] = []
    for path, node in nodes.items():
        parent = nodes.get(path.rpartition("/")[0])
        (roots if parent is None else parent.children).append(node)
    return roots
