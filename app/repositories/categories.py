"""The tree of categories. A `path` holds the slugs from the root, so relatives are prefixes of one another."""

from collections.abc import Collection, Sequence
from uuid import UUID

from sqlalchemy import Row, Text, Uuid, bindparam, func, literal, or_, select, text, update
from sqlalchemy.orm import aliased

from app.core.conditional import Versions
from app.models.categories import Category
from app.models.products import Product, product_categories
from app.repositories.base import ModelRepository
from app.repositories.constraints import flush
from app.repositories.versions import claim

CategoryRow = Row[UUID, str, str, str, UUID | None, int, int]

_ROOT = aliased(Category)
_TREE = select(
    Category.id,
    Category.slug,
    Category.name,
    Category.path,
    Category.parent_id,
    Category.position,
    Category.version,
).order_by(Category.position, Category.name, Category.id)
_FAMILY = _TREE.join(
    _ROOT,
    or_(
        func.starts_with(Category.path + "/", _ROOT.path + "/"),
        func.starts_with(_ROOT.path + "/", Category.path + "/"),
    ),
)
_FAMILY_BY_ID = _FAMILY.where(_ROOT.id == bindparam("address", type_=Uuid))
_FAMILY_BY_SLUG = _FAMILY.where(_ROOT.slug == bindparam("address", type_=Text))
_LOCK_TREE = text("SELECT pg_advisory_xact_lock(hashtext('categories'))")
_HOLD_TREE = text("SELECT pg_advisory_xact_lock_shared(hashtext('categories'))")


class CategoryRepository(ModelRepository[Category]):
    model = Category

    async def tree(self) -> Sequence[CategoryRow]:
        """All of them, siblings in their order."""
        return (await self._session.execute(_TREE)).all()

    async def family(self, address: UUID | str) -> Sequence[CategoryRow]:
        """The category with this id or slug, its ancestors and its descendants; empty when there is none."""
        statement = _FAMILY_BY_SLUG if isinstance(address, str) else _FAMILY_BY_ID
        return (await self._session.execute(statement, {"address": address})).all()

    async def id_of(self, slug: str) -> UUID | None:
        return await self._one_or_none(select(Category.id).where(Category.slug == slug))

    async def lock_tree(self) -> None:
        """Queue up with everyone else who changes the shape of the tree: a path is built from other rows."""
        await self._session.execute(_LOCK_TREE)

    async def hold_tree(self) -> None:
        """Keep the tree in its shape meanwhile, together with others who do; for those who put products into it.

        Before any row is locked: whoever changes the tree locks it first and rows then, and the triggers that compute
        listings would ask for it last.
        """
        await self._session.execute(_HOLD_TREE)

    async def lock_products(self, category_id: UUID) -> None:
        """Lock the products in the category and below it, before the tree: their editors need the tree to finish."""
        inside = (
            select(product_categories.c.product_id)
            .join(Category, Category.id == product_categories.c.category_id)
            .join(_ROOT, func.starts_with(Category.path + "/", _ROOT.path + "/"))
            .where(_ROOT.id == category_id)
        )
        locked = select(Product.id).where(Product.id.in_(inside)).order_by(Product.id)
        await self._session.execute(select(func.count()).select_from(locked.with_for_update(key_share=True).subquery()))

    async def claim(self, category_id: UUID, seen: Versions) -> Category:
        return await claim(self._session, Category, category_id, seen)

    async def add(self, row: Category) -> None:
        self._session.add(row)
        await flush(self._session)

    async def flush(self) -> None:
        await flush(self._session)

    async def remove(self, category: Category) -> None:
        await self._session.delete(category)
        await flush(self._session)

    async def move_subtree(self, old_path: str, new_path: str) -> None:
        """Give every descendant its new path; the category itself has it already."""
        await self._session.execute(
            update(Category)
            .where(func.starts_with(Category.path, f"{old_path}/"))
            .values(path=literal(new_path) + func.substr(Category.path, len(old_path) + 1))
            .execution_options(synchronize_session=False)
        )

    async def height(self, path: str) -> int:
        """How many levels there are below the category at this path."""
        levels = func.cardinality(func.string_to_array(Category.path, "/"))
        deepest = select(func.max(levels)).where(func.starts_with(Category.path + "/", f"{path}/"))
        lowest: int = (await self._session.execute(deepest)).scalar_one()
        return lowest - len(path.split("/"))

    async def touch_products(self, category_id: UUID) -> None:
        """Products show the names of their categories: their ETags must change too."""
        of_category = select(product_categories.c.product_id).where(product_categories.c.category_id == category_id)
        await self._session.execute(
            update(Product)
            .where(Product.id.in_(of_category))
            .values(version=Product.version + 1)
            .execution_options(synchronize_session=False)
        )

    async def missing(self, ids: Collection[UUID]) -> set[UUID]:
        """Those of the ids that no category has. The others cannot be deleted before the transaction ends."""
        found = await self._all(
            select(Category.id).where(Category.id.in_(ids)).with_for_update(read=True, key_share=True)
        )
        return set(ids) - set(found)
