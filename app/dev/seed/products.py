"""Categories, products, variants, pictures, and the first delivery to the warehouse."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from random import Random
from uuid import UUID

from app.dev.seed.catalogue import Article, Choice, Department
from app.dev.seed.ids import Ids
from app.dev.seed.loader import Loader
from app.dev.seed.pictures import Hung, Scene
from app.dev.seed.reviews import OnSale
from app.dev.seed.stock import Shelf, Warehouse
from app.models.categories import Category
from app.models.products import (
    Product,
    ProductMedia,
    ProductStatus,
    Variant,
    VariantStatus,
    product_categories,
)
from app.schemas.base import CURRENCY

OLDEST = timedelta(days=400)
REORDER_POINT = 6
VIEWS = ("", ", from closer by")
SHOWN_TWICE = 3  # one article in so many


class Catalogue:
    """Writes articles, and remembers what past orders are made of: what has been well in stock all along.

    `on_sale` is all that customers can see, and review.
    """

    def __init__(self, loader: Loader, ids: Ids, random: Random, warehouse: Warehouse, now: datetime) -> None:
        self._loader = loader
        self._ids = ids
        self._random = random
        self._warehouse = warehouse
        self._now = now
        self._categories: dict[str, UUID] = {}
        self.for_sale: list[Shelf] = []
        self.on_sale: list[OnSale] = []

    def write_categories(self, departments: tuple[Department, ...]) -> None:
        """The tree of two levels."""
        for position, department in enumerate(departments):
            parent = self._write_category(department.slug, department.name, None, department.slug, position)
            for place, (slug, name) in enumerate(department.children.items()):
                self._write_category(slug, name, parent, f"{department.slug}/{slug}", place)

    def write(self, articles: Sequence[Article], pictures: Mapping[Scene, Hung]) -> Iterator[None]:
        """Write the articles, spread over the shop's life, newest last; one a step."""
        for index, article in enumerate(articles):
            self._write_article(article, pictures, self._now - OLDEST * (1 - index / len(articles)))
            yield

    def _write_category(self, slug: str, name: str, parent: UUID | None, path: str, position: int) -> UUID:
        category_id = self._categories[slug] = self._ids()
        self._loader.add(
            Category,
            id=category_id,
            parent_id=parent,
            slug=slug,
            name=name,
            path=path,
            position=position,
            created_at=self._now - OLDEST,
            updated_at=self._now - OLDEST,
        )
        return category_id

    def _write_article(self, article: Article, pictures: Mapping[Scene, Hung], at: datetime) -> None:
        text, product_id, slug = article.text, self._ids(), article.slug
        self._loader.add(
            Product,
            id=product_id,
            slug=slug,
            name=article.name,
            summary=text.summary,
            description=text.description,
            status=text.status,
            attributes=text.attributes,
            options=[{"name": name, "values": list(values)} for name, values in text.options.items()],
            tax_class=text.tax_class,
            published_at=None if text.status == ProductStatus.DRAFT else at,
            created_at=at,
            updated_at=at,
        )
        self._loader.add(product_categories, product_id=product_id, category_id=self._categories[text.category])
        if text.status == ProductStatus.ACTIVE:
            self.on_sale.append(OnSale(product_id, text.category, at, original=article.name == text.name))
        self._write_variants(article, product_id, at)
        for position, scene in enumerate(scenes_of(article)):
            self._loader.add(
                ProductMedia,
                id=self._ids(),
                product_id=product_id,
                **pictures[scene],
                alt=f"{article.name}{VIEWS[position]}",
                position=position,
                created_at=at,
                updated_at=at,
            )

    def _write_variants(self, article: Article, product_id: UUID, at: datetime) -> None:
        text = article.text
        for choice in text.choices:
            shelf = self._new_shelf(article, choice, product_id)
            compare_at = text.compare_at and article.amount(text.compare_at + choice.surcharge)
            self._loader.add(
                Variant,
                id=shelf.variant_id,
                product_id=product_id,
                sku=shelf.sku,
                option_values=choice.values,
                option_key=choice.key,
                price_amount=shelf.price,
                compare_at_amount=compare_at,
                currency=CURRENCY,
                weight_g=text.weight_g,
                status=VariantStatus.ACTIVE,
                created_at=at,
                updated_at=at,
            )
            well_stocked = self._stock(shelf, text.stock, at)
            if well_stocked and text.status == ProductStatus.ACTIVE:
                self.for_sale.append(shelf)

    def _new_shelf(self, article: Article, choice: Choice, product_id: UUID) -> Shelf:
        return Shelf(
            variant_id=self._ids(),
            product_id=product_id,
            sku=article.sku + choice.suffix,
            name=article.name,
            option_values=choice.values,
            price=article.amount(article.text.price + choice.surcharge),
            tax_class=article.text.tax_class,
            reorder_point=REORDER_POINT,
        )

    def _stock(self, shelf: Shelf, stock: str, at: datetime) -> bool:
        """The first delivery; tells whether it was plenty. Here and there a size or a colour is missing."""
        if stock == "normal":
            chance = self._random.random()
            stock = "out" if chance < 0.03 else "low" if chance < 0.08 else "normal"
        self._warehouse.open(shelf)
        if stock == "normal":
            self._warehouse.receive(shelf, self._random.randint(20, 120), at)
        elif stock == "low":
            self._warehouse.receive(shelf, self._random.randint(2, REORDER_POINT), at)
        return stock == "normal"


def scenes_of(article: Article) -> list[Scene]:
    """The pictures of an article, in their order."""
    views = len(VIEWS) if article.number % SHOWN_TWICE == 0 else 1
    return [Scene(article.text.motif, article.text.name, view) for view in range(views)]
