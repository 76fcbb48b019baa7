"""The tree of categories: read whole, changed one at a time."""

from collections.abc import Iterable
from uuid import UUID

from app.core.conditional import Versions
from app.core.slugs import id_or_slug, slugify, with_suffix
from app.database import Database, UnitOfWork, retried_on_conflict
from app.errors import CategoryCycle, NotFound, ValidationFailed
from app.models.categories import DEEPEST, Category
from app.repositories.categories import CategoryRow
from app.schemas.categories import (
    CategoryCreate,
    CategoryLink,
    CategoryMove,
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
            parent = await _parent(tx, data.parent_id)
            _must_not_be_too_deep(parent, height=0)
            slug = data.slug or await _free_slug(tx, data.name)
            category = Category(
                name=data.name,
                slug=slug,
                parent_id=data.parent_id,
                path=_path(parent, slug),
                position=data.position,
            )
            await tx.categories.add(category)
            return await _shown(tx, slug)

    @retried_on_conflict
    async def update(self, address: str, seen: Versions, changes: CategoryUpdate) -> CategoryRead:
        async with self._database.transaction() as tx:
            category = await _claimed_with_the_tree(tx, address, seen)
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
    async def move(self, address: str, seen: Versions, data: CategoryMove) -> CategoryRead:
        """Hang the category, with all that is below it, below another one or at the root.

        Raises:
            NotFound: there is no such category.
            PreconditionFailed: it is at none of the versions seen.
            ValidationFailed: there is no such parent, or the tree would become too deep.
            CategoryCycle: the parent is the category itself or below it.
        """
        async with self._database.transaction() as tx:
            category = await _claimed_with_the_tree(tx, address, seen)
            parent = await _parent(tx, data["parent_id"])
            old_path = category.path
            if parent and f"{parent.path}/".startswith(f"{old_path}/"):
                raise CategoryCycle
            _must_not_be_too_deep(parent, await tx.categories.height(old_path))
            category.parent_id = data["parent_id"]
            category.position = data.get("position", category.position)
            category.path = _path(parent, category.slug)
            await tx.categories.flush()
            if category.path != old_path:
                await tx.categories.move_subtree(old_path, category.path)
                await tx.categories.touch_products(category.id)
            return await _shown(tx, category.slug)

    @retried_on_conflict
    async def delete(self, address: str, seen: Versions) -> None:
        """Delete an empty category; `CategoryNotEmpty` while products or categories are in it."""
        async with self._database.transaction() as tx:
            await tx.categories.lock_tree()
            category = await tx.categories.claim(await _identified(tx, address), seen)
            await tx.categories.remove(category)


async def _claimed_with_the_tree(tx: UnitOfWork, address: str, seen: Versions) -> Category:
    identity = await _identified(tx, address)
    await tx.categories.lock_products(identity)
    await tx.categories.lock_tree()
    return await tx.categories.claim(identity, seen)


async def _parent(tx: UnitOfWork, parent_id: UUID | None) -> Category | None:
    parent = await tx.categories.by_id(parent_id) if parent_id else None
    if parent_id and parent is None:
        raise ValidationFailed.at("/parent_id", "unknown_category", "there is no such category")
    return parent


def _path(parent: Category | None, slug: str) -> str:
    return f"{parent.path}/{slug}" if parent else slug


def _must_not_be_too_deep(parent: Category | None, height: int) -> None:
    """Whether a category with so many levels below it may come below the parent."""
    if parent and len(parent.path.split("/")) + 1 + height > DEEPEST:
        raise ValidationFailed.at("/parent_id", "too_deep", f"the tree would have more than {DEEPEST} levels")


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
