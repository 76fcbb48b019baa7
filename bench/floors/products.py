"""Floor b: asyncpg's pool as it comes, one query per collection, orjson. The answers are those of the service."""

import base64
from typing import Any

import asyncpg
import orjson

PAGE = 20

PRODUCT = """
SELECT id, slug, name, summary, description, status, options, attributes, rating_average::float8, rating_count, version,
       created_at, updated_at, published_at
FROM products WHERE slug = $1 AND status = 'active'
"""
VARIANTS = """
SELECT v.id, v.sku, v.option_values, v.price_amount, v.compare_at_amount, v.currency, v.weight_g, v.status, v.version,
       greatest(s.available + s.backorder_limit, 0) AS available
FROM variants v JOIN stock_levels s ON s.variant_id = v.id
WHERE v.product_id = $1 AND v.status = 'active' ORDER BY v.id
"""
MEDIA = """
SELECT id, key, alt, width, height, position, renditions FROM product_media WHERE product_id = $1 ORDER BY position
"""
CATEGORIES = """
SELECT c.id, c.slug, c.name
FROM categories c JOIN product_categories pc ON pc.category_id = c.id
WHERE pc.product_id = $1 ORDER BY c.path
"""
# All that a card shows is one row's, so a page is one collection and one query.
CARDS = """
SELECT p.id AS product_id, p.slug, p.name, p.summary, page.rating_average, page.rating_count, page.price_from,
       page.compare_at, page.currency, page.in_stock, picture.picture, picture.alt
FROM (
    SELECT product_id, rating_average, rating_count, price_from, compare_at, currency, in_stock FROM listings
    WHERE category_slugs @> ARRAY[$1::text] AND price_from >= $2
    ORDER BY price_from, product_id LIMIT $3
) page
JOIN products p ON p.id = page.product_id
LEFT JOIN LATERAL (
    SELECT coalesce(m.renditions->0->>'key', m.key) AS picture, m.alt FROM product_media m
    WHERE m.product_id = page.product_id ORDER BY m.position LIMIT 1
) picture ON true
ORDER BY page.price_from, page.product_id
"""


class Products:
    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]", media_url: str) -> None:
        self._pool = pool
        self._media_url = media_url

    async def detail(self, slug: str) -> bytes:
        """A product's page; nothing when there is no such product."""
        async with self._pool.acquire() as connection:
            product = await connection.fetchrow(PRODUCT, slug)
            if product is None:
                return b""
            variants = await connection.fetch(VARIANTS, product["id"])
            media = await connection.fetch(MEDIA, product["id"])
            categories = await connection.fetch(CATEGORIES, product["id"])
        return orjson.dumps(
            {
                "id": str(product["id"]),
                "slug": product["slug"],
                "name": product["name"],
                "summary": product["summary"],
                "description": product["description"],
                "status": product["status"],
                "options": orjson.Fragment(product["options"]),
                "variants": [
                    {
                        "id": str(row["id"]),
                        "sku": row["sku"],
                        "options": orjson.Fragment(row["option_values"]),
                        "price": {"amount": row["price_amount"], "currency": row["currency"]},
                        "compare_at": _money(row["compare_at_amount"], row["currency"]),
                        "available": row["available"],
                        "weight_g": row["weight_g"],
                        "status": row["status"],
                        "version": row["version"],
                    }
                    for row in variants
                ],
                "media": [self._picture(row) for row in media],
                "categories": [{"id": str(row["id"]), "slug": row["slug"], "name": row["name"]} for row in categories],
                "attributes": orjson.Fragment(product["attributes"]),
                "rating": {"average": product["rating_average"], "count": product["rating_count"]},
                "version": product["version"],
                "created_at": product["created_at"],
                "updated_at": product["updated_at"],
                "published_at": product["published_at"],
            },
            option=orjson.OPT_UTC_Z,
        )

    async def page(self, query: dict[str, list[str]]) -> bytes:
        async with self._pool.acquire() as connection:
            rows = await connection.fetch(CARDS, query["category"][0], int(query["price[gte]"][0]), PAGE + 1)
        cards = [card(row, self._media_url) for row in rows[:PAGE]]
        more = len(rows) > PAGE
        last = base64.urlsafe_b64encode(orjson.dumps([rows[PAGE - 1]["price_from"], cards[-1]["id"]])) if more else b""
        return orjson.dumps({"data": cards, "page": {"limit": PAGE, "next_cursor": last.decode(), "has_more": more}})

    def _picture(self, row: "asyncpg.Record") -> dict[str, Any]:
        return {
            "id": str(row["id"]),
            "url": f"{self._media_url}/{row['key']}",
            "alt": row["alt"],
            "width": row["width"],
            "height": row["height"],
            "position": row["position"],
            "renditions": [
                {"url": f"{self._media_url}/{size['key']}", "width": size["width"], "height": size["height"]}
                for size in orjson.loads(row["renditions"])
            ],
        }


def card(row: "asyncpg.Record", media_url: str) -> dict[str, Any]:
    """What a list shows of a product."""
    return {
        "id": str(row["product_id"]),
        "slug": row["slug"],
        "name": row["name"],
        "summary": row["summary"],
        "thumbnail": {"url": f"{media_url}/{row['picture']}", "alt": row["alt"]} if row["picture"] else None,
        "price_from": _money(row["price_from"], row["currency"]),
        "compare_at": _money(row["compare_at"], row["currency"]),
        "in_stock": row["in_stock"],
        "rating": {"average": float(row["rating_average"]), "count": row["rating_count"]},
    }


def _money(amount: int | None, currency: str) -> dict[str, Any] | None:
    return None if amount is None else {"amount": amount, "currency": currency}
