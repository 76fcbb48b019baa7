"""All products there are: the list from which the catalogue's staff work."""

from app.core.pagination import CursorSigner, Page
from app.database import Database
from app.repositories.assortment import Listed
from app.schemas.assortment import AssortmentQuery


class AssortmentService:
    def __init__(self, database: Database, cursors: CursorSigner) -> None:
        self._database = database
        self._cursors = cursors

    async def page(self, query: AssortmentQuery) -> Page[Listed]:
        bound = {"list": "assortment", **query.bound()}
        position = self._cursors.read(query.cursor, bound)
        async with self._database.snapshot() as tx:
            products = await tx.assortment.page(query, position)
            total = await tx.assortment.count(query) if query.include_total else None
        return self._cursors.page(
            products, lambda listed: listed.place, limit=query.limit, position=position, query=bound, total=total
        )
