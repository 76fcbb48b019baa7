"""Finding what is for sale: lists, facets, suggestions, and what goes with a product."""

from app.core.pagination import CursorSigner
from app.database import Database
from app.schemas.base import page_in_json
from app.schemas.listings import ProductQuery


class ListingService:
    def __init__(self, database: Database, cursors: CursorSigner) -> None:
        self._database = database
        self._cursors = cursors

    async def page(self, query: ProductQuery) -> bytes:
        """What is for sale, a `ProductPage` in JSON: a statement, one more for a total, and one more for facets."""
        bound = query.bound()
        position = self._cursors.read(query.cursor, bound)
        listed = await self._database.listings.page(query, position)
        total = await self._database.listings.count(query) if query.include_total else None
        facets = await self._database.listings.facets(query) if query.facets else "null"
        page = self._cursors.page(
            listed, lambda row: row.place, limit=query.limit, position=position, query=bound, total=total
        )
        return page_in_json([row.card for row in page.rows], page, facets=facets)

    async def count_sales(self) -> None:
        """Bring the order of the best-selling up to date."""
        async with self._database.transaction() as tx:
            await tx.products.count_sales()
