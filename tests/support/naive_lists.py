"""A catalogue of chance, and what its lists should show, worked out the slow way in Python."""

import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any
from uuid import UUID

from sqlalchemy import update

from app.core.ids import uuid7
from app.database import Database
from app.models.categories import Category
from app.models.inventory import StockLevel
from app.models.listings import Listing
from app.models.products import Product, ProductStatus, Variant, VariantStatus, option_key
from app.schemas.base import CURRENCY
from tests.support.catalogue import OPENING, add_category

TREE = {"home": None, "kitchen": "home", "mugs": "kitchen", "garden": "home", "office": None, "desks": "office"}
NOUNS = ("kettle", "lamp", "chair", "bowl", "Café", "spoon")
ADJECTIVES = ("Azure", "old", "Émile", "zinc", "Ölig")
ATTRIBUTES: dict[str, tuple[Any, ...]] = {
    "color": ("red", "blue", "green", ["red", "blue"], "black, matte"),
    "size": (1, 2, 2.5, 10),
    "organic": (True, False),
    "a=b, c": ("x=y", "z"),
}
SORTS = ("-created_at", "created_at", "price", "-price", "name", "-rating", "bestseller")
FAR = 10**15
DAYS = 30


@dataclass
class Item:
    """A product for sale, as far as lists know it."""

    id: UUID
    name: str
    created_at: datetime
    price_from: int | None
    in_stock: bool
    rating: Decimal
    ratings: int
    units_sold: int
    categories: set[str]
    attributes: dict[str, Any]

    def values(self, attribute: str) -> set[str]:
        """Those of an attribute, as texts."""
        value = self.attributes.get(attribute, [])
        return {_text(each) for each in (value if isinstance(value, list) else [value])}

    def key(self, sort: str) -> tuple[Any, ...]:
        """Rising, as in the sort without its minus."""
        match sort.removeprefix("-"):
            case "created_at":
                return (self.created_at, self.id)
            case "price" if sort == "price":
                return (FAR if self.price_from is None else self.price_from, self.id)
            case "price":
                return (-1 if self.price_from is None else self.price_from, self.id)
            case "name":
                return (folded(self.name), self.id)
            case "rating":
                return (self.rating, self.ratings, self.id)
            case _:
                return (self.units_sold, self.id)


@dataclass
class Wanted:
    """A list that somebody asks for. `facet` names one filter that does not count, as it does not in its own facet."""

    q: str | None = None
    category: str | None = None
    price: tuple[int | None, int | None] = (None, None)
    rating: tuple[Decimal | None, Decimal | None] = (None, None)
    in_stock: bool | None = None
    attributes: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def parameters(self) -> dict[str, Any]:
        given = {
            "q": self.q,
            "category": self.category,
            "price[gte]": self.price[0],
            "price[lte]": self.price[1],
            "rating[gte]": self.rating[0] and str(self.rating[0]),
            "rating[lte]": self.rating[1] and str(self.rating[1]),
            "in_stock": self.in_stock,
            **{f"attr.{name}": _asked_for(values) for name, values in self.attributes.items()},
        }
        return {name: value for name, value in given.items() if value is not None}

    def fits(self, item: Item, *, facet: str | None = None) -> bool:
        attributes = all(
            facet == f"attr.{name}" or item.values(name) & set(values) for name, values in self.attributes.items()
        )
        return (
            attributes
            and (self.q is None or folded(self.q) in folded(item.name).split())
            and (facet == "categories" or self.category is None or self.category in item.categories)
            and (facet == "price" or _within(item.price_from, *self.price))
            and (facet == "rating" or self._well_rated(item))
            and (facet == "availability" or self.in_stock in (None, item.in_stock))
        )

    def _well_rated(self, item: Item) -> bool:
        least, most = self.rating
        return (least is None or item.rating >= least) and (most is None or (item.ratings > 0 and item.rating <= most))

    def answer(self, items: Sequence[Item], sort: str) -> list[str]:
        """The ids of the whole list, in its order."""
        falling = sort.startswith("-") or sort == "bestseller"
        found = sorted((item for item in items if self.fits(item)), key=lambda item: item.key(sort), reverse=falling)
        return [str(item.id) for item in found]

    def facets(self, items: Sequence[Item]) -> dict[str, Any]:
        def left(facet: str) -> list[Item]:
            return [item for item in items if self.fits(item, facet=facet)]

        categories = Counter(slug for item in left("categories") for slug in item.categories)
        prices = [item.price_from for item in left("price") if item.price_from is not None]
        counts = {
            name: Counter(value for item in left(f"attr.{name}") for value in item.values(name)) for name in ATTRIBUTES
        }
        chosen = {name: set(values) for name, values in self.attributes.items()}
        return {
            "categories": _facet(
                {"value": slug, "count": count, "name": slug.title()}
                for slug, count in sorted(categories.items(), key=lambda each: (-each[1], each[0]))
            ),
            "price": {
                "min": {"amount": min(prices), "currency": CURRENCY} if prices else None,
                "max": {"amount": max(prices), "currency": CURRENCY} if prices else None,
                "capped": False,
            },
            "rating": _facet(
                {"value": stars, "count": sum(item.rating >= stars for item in left("rating"))}
                for stars in (4, 3, 2, 1)
            ),
            "availability": _facet(
                {"value": there, "count": sum(item.in_stock is there for item in left("availability"))}
                for there in (True, False)
            ),
            "attributes": {
                name: _facet(
                    {"value": value, "count": count}
                    for value, count in sorted(
                        counts[name].items(), key=lambda each: (each[0] not in chosen.get(name, ()), -each[1], each[0])
                    )
                )
                for name in ATTRIBUTES
                if counts[name]
            },
        }


def folded(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text)
    return "".join(character for character in decomposed if not unicodedata.combining(character)).lower()


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _asked_for(values: tuple[str, ...]) -> str:
    return ",".join(value.replace("\\", "\\\\").replace(",", "\\,") for value in values)


def _within(amount: int | None, least: int | None, most: int | None) -> bool:
    if least is None and most is None:
        return True
    return amount is not None and (least is None or amount >= least) and (most is None or amount <= most)


def _facet(values: Any) -> dict[str, Any]:
    return {"values": list(values), "capped": False}


def wanted(random: Random) -> Wanted:
    """A list that narrows down to something or nothing."""

    def perhaps(value: Any) -> Any:
        return value if random.random() < 0.35 else None

    attributes = {
        name: tuple(random.sample([_text(value) for value in values if not isinstance(value, list)], k=2))
        for name, values in ATTRIBUTES.items()
        if random.random() < 0.2
    }
    return Wanted(
        q=perhaps(random.choice(NOUNS)),
        category=perhaps(random.choice(list(TREE))),
        price=(perhaps(random.randrange(0, 900, 100)), perhaps(random.randrange(100, 1000, 100))),
        rating=(perhaps(Decimal(random.randrange(0, 10)) / 2), perhaps(Decimal(random.randrange(2, 11)) / 2)),
        in_stock=perhaps(random.random() < 0.7),
        attributes=attributes,
    )


async def stock_catalogue(database: Database, random: Random, size: int) -> list[Item]:
    """So many products, full of ties, and what lists should know of them."""
    categories: dict[str, Category] = {}
    for slug, parent in TREE.items():
        above = categories.get(parent or "")
        path = f"{above.path}/{slug}" if above else slug
        categories[slug] = await add_category(database, path, above)
    items, products = [], []
    for number in range(size):
        product, item = _made_up(random, number, categories)
        products.append(product)
        items.append(item)
    async with database.transaction() as tx:
        tx.session.add_all(products)
        await tx.session.flush()
        for item in items:
            rating = {"rating_average": item.rating, "rating_count": item.ratings}
            await tx.session.execute(update(Product).where(Product.id == item.id).values(**rating))
            sales = update(Listing).where(Listing.product_id == item.id).values(units_sold=item.units_sold)
            await tx.session.execute(sales)
    return [item for item, product in zip(items, products, strict=True) if product.status == ProductStatus.ACTIVE]


def _made_up(random: Random, number: int, categories: dict[str, Category]) -> tuple[Product, Item]:
    chosen = random.sample(list(TREE), k=random.choice((0, 1, 1, 2)))
    name = f"{random.choice(ADJECTIVES)} {random.choice(NOUNS)}"
    attributes = {key: random.choice(values) for key, values in ATTRIBUTES.items() if random.random() < 0.7}
    rated = random.random() < 0.6
    product = Product(
        id=uuid7(),
        slug=f"product-{number}",
        name=name,
        status=ProductStatus.DRAFT if random.random() < 0.1 else ProductStatus.ACTIVE,
        published_at=OPENING,
        created_at=OPENING + timedelta(days=random.randrange(DAYS)),
        attributes=attributes,
        categories=[categories[slug] for slug in chosen],
    )
    product.variants = [
        Variant(
            sku=f"SKU-{number}-{place}",
            option_values={"Kind": str(place)},
            option_key=option_key({"Kind": str(place)}),
            price_amount=random.randrange(100, 1000, 100),
            currency=CURRENCY,
            status=VariantStatus.ARCHIVED if random.random() < 0.2 else VariantStatus.ACTIVE,
            stock=StockLevel(on_hand=random.choice((0, 0, 3)), backorder_limit=random.choice((0, 0, 0, 2))),
        )
        for place in range(random.choice((0, 1, 1, 2, 3)))
    ]
    active = [variant for variant in product.variants if variant.status == VariantStatus.ACTIVE]
    item = Item(
        id=product.id,
        name=name,
        created_at=product.created_at,
        price_from=min((variant.price_amount for variant in active), default=None),
        in_stock=any(variant.stock.on_hand + variant.stock.backorder_limit > 0 for variant in active),
        rating=Decimal(random.randrange(2, 11)) / 2 if rated else Decimal(0),
        ratings=random.randrange(1, 4) if rated else 0,
        units_sold=random.choice((0, 0, 1, 5)),
        categories={step for slug in chosen for step in categories[slug].path.split("/")},
        attributes=attributes,
    )
    return product, item
