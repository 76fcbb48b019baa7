"""The catalogue as a textbook of FastAPI and SQLAlchemy writes it: what the service's own way is compared with.

A session for each request by a dependency, entities with `selectinload`, pages by offset and count, a response model,
and no middleware at all. The answers are those of the service, which the bench checks before it measures.
"""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Literal

from fastapi import Depends, FastAPI, HTTPException, Query, Request
from pydantic import BaseModel
from sqlalchemy import func, make_url, select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import selectinload

from app.models.listings import Listing
from app.models.products import Product, ProductMedia, ProductStatus, Variant, VariantStatus
from app.schemas.base import Money
from app.schemas.categories import CategoryLink
from app.schemas.media import MediaRead, RenditionRead
from app.schemas.products import OptionRead, ProductCard, ProductRead, Rating, Thumbnail
from app.schemas.variants import VariantRead

MEDIA_URL = os.environ["MEDIA_URL"]


class ProductList(BaseModel):
    data: list[ProductCard]
    total: int


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    url = make_url(os.environ["FLOOR_DATABASE_URL"]).set(drivername="postgresql+asyncpg")
    # By default ten of fifteen connections are closed after use, and under load opening them is most of the work.
    engine = create_async_engine(url, pool_size=20, max_overflow=0)
    app.state.sessions = async_sessionmaker(engine, expire_on_commit=False)
    yield
    await engine.dispose()


async def session_of_request(request: Request) -> AsyncIterator[AsyncSession]:
    async with request.app.state.sessions() as session:
        yield session


Session = Annotated[AsyncSession, Depends(session_of_request)]


def create_app() -> FastAPI:
    app = FastAPI(lifespan=lifespan)
    app.add_api_route("/ready", ready)
    app.add_api_route("/products", list_products, response_model=ProductList)
    app.add_api_route("/products/{slug}", get_product, response_model=ProductRead)
    return app


async def ready() -> dict[str, bool]:
    return {"ready": True}


async def list_products(
    session: Session,
    category: str,
    price_gte: Annotated[int, Query(alias="price[gte]", ge=0)],
    sort: Literal["price"],
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    offset: Annotated[int, Query(ge=0)] = 0,
) -> ProductList:
    # Materialised, because PostgreSQL would walk along all prices in search of a category.
    matching = (
        select(Listing.product_id, Listing.price_from)
        .where(Listing.category_slugs.contains([category]), Listing.price_from >= price_gte)
        .cte("matching")
        .prefix_with("MATERIALIZED")
    )
    keys = {"price": matching.c.price_from}
    total = await session.scalar(select(func.count()).select_from(matching))
    products = await session.scalars(
        select(Product)
        .join(matching, matching.c.product_id == Product.id)
        .order_by(keys[sort], Product.id)
        .offset(offset)
        .limit(limit)
        .options(selectinload(Product.variants).selectinload(Variant.stock), selectinload(Product.media))
    )
    return ProductList(data=[card(product) for product in products], total=total or 0)


async def get_product(session: Session, slug: str) -> ProductRead:
    product = await session.scalar(
        select(Product)
        .where(Product.slug == slug, Product.status == ProductStatus.ACTIVE)
        .options(
            selectinload(Product.variants).selectinload(Variant.stock),
            selectinload(Product.media),
            selectinload(Product.categories),
        )
    )
    if product is None:
        raise HTTPException(404)
    return page(product)


def card(product: Product) -> ProductCard:
    active = [variant for variant in product.variants if variant.status == VariantStatus.ACTIVE]
    cheapest = min(active, key=lambda variant: (variant.price_amount, variant.id))
    return ProductCard(
        id=product.id,
        slug=product.slug,
        name=product.name,
        summary=product.summary,
        thumbnail=thumbnail(product.media[0]) if product.media else None,
        price_from=Money(amount=cheapest.price_amount, currency=cheapest.currency),
        compare_at=compare_at(cheapest),
        in_stock=any(variant.stock.available + variant.stock.backorder_limit > 0 for variant in active),
        rating=rating(product),
    )


def page(product: Product) -> ProductRead:
    return ProductRead(
        id=product.id,
        slug=product.slug,
        name=product.name,
        summary=product.summary,
        description=product.description,
        status=ProductStatus(product.status).value,
        options=[OptionRead(**option) for option in product.options],
        variants=[
            VariantRead(
                id=variant.id,
                sku=variant.sku,
                options=variant.option_values,
                price=Money(amount=variant.price_amount, currency=variant.currency),
                compare_at=compare_at(variant),
                available=max(0, variant.stock.available),
                weight_g=variant.weight_g,
                status=VariantStatus(variant.status),
                version=variant.version,
            )
            for variant in product.variants
            if variant.status == VariantStatus.ACTIVE
        ],
        media=[picture(media) for media in product.media],
        categories=[CategoryLink.model_validate(category) for category in product.categories],
        attributes=product.attributes,
        rating=rating(product),
        version=product.version,
        created_at=product.created_at,
        updated_at=product.updated_at,
        published_at=product.published_at,
    )


def compare_at(variant: Variant) -> Money | None:
    amount = variant.compare_at_amount
    return None if amount is None else Money(amount=amount, currency=variant.currency)


def rating(product: Product) -> Rating:
    return Rating(average=float(product.rating_average), count=product.rating_count)


def thumbnail(media: ProductMedia) -> Thumbnail:
    smallest = media.renditions[0]["key"] if media.renditions else media.key
    return Thumbnail(url=f"{MEDIA_URL}/{smallest}", alt=media.alt)


def picture(media: ProductMedia) -> MediaRead:
    return MediaRead(
        id=media.id,
        url=f"{MEDIA_URL}/{media.key}",
        alt=media.alt,
        width=media.width,
        height=media.height,
        position=media.position,
        renditions=[
            RenditionRead(url=f"{MEDIA_URL}/{each['key']}", width=each["width"], height=each["height"])
            for each in media.renditions
        ],
    )
