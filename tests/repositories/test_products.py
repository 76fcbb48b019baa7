"""What carts and checkout ask of the catalogue."""

import pytest
from sqlalchemy import update
from sqlalchemy.exc import InvalidRequestError
from sqlalchemy.ext.asyncio import AsyncConnection

from app.core.ids import uuid7
from app.database import Database
from app.models.products import ProductStatus, Variant, VariantStatus
from tests.support.catalogue import add_product
from tests.support.statements import count_statements


async def test_what_can_be_bought_comes_in_the_order_of_its_ids_with_its_stock(
    database: Database, connection: AsyncConnection
) -> None:
    mug = await add_product(database, "Mug", 100, 200, 300, stock=7)
    draft = await add_product(database, "Draft", 100, status=ProductStatus.DRAFT)
    small, large, withdrawn = mug.variants
    async with database.transaction() as tx:
        await tx.session.execute(
            update(Variant).where(Variant.id == withdrawn.id).values(status=VariantStatus.ARCHIVED)
        )
    asked_for = [large.id, withdrawn.id, draft.variants[0].id, uuid7(), small.id]

    async with database.snapshot() as tx:
        with count_statements(connection) as statements:
            variants = await tx.products.sellable_variants(asked_for)
        with pytest.raises(InvalidRequestError, match="raiseload"):
            _ = variants[0].product.description

    assert [variant.id for variant in variants] == [small.id, large.id]
    assert [(variant.stock.on_hand, variant.stock.available) for variant in variants] == [(7, 7), (7, 7)]
    assert {(variant.product.name, variant.product.tax_class) for variant in variants} == {("Mug", "standard")}
    assert len(statements) == 1


async def test_nothing_is_bought_of_nothing(database: Database) -> None:
    async with database.snapshot() as tx:
        assert await tx.products.sellable_variants([]) == []
