"""Finding what goes with a product."""

from pydantic_core import to_json

from app.core.slugs import id_or_slug
from app.database import Database
from app.errors import NotFound


class RelationService:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def of_product(self, address: str, limit: int) -> bytes:
        """`RelatedProducts` in JSON, of a product that is for sale."""
        name = id_or_slug(address)
        related = await self._database.related.to_product(name, limit) if name else None
        if related is None:
            raise NotFound
        return to_json({"data": related})
