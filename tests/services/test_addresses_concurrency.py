"""Everything at once in one address book: real commits, real locks."""

import asyncio

from sqlalchemy import func, select

from app.errors import TooManyAddresses
from app.models.addresses import SavedAddress
from app.models.users import User
from app.schemas.addresses import AddressCreate
from app.shop import Shop
from tests.support.shopping import ADDRESS, signed_in

DEFAULT = AddressCreate.model_validate({**ADDRESS, "is_default_shipping": True, "is_default_billing": True})


async def test_of_fifty_new_defaults_at_once_one_is_the_default(fresh_shop: Shop) -> None:
    await signed_in(fresh_shop)
    async with fresh_shop.database.snapshot() as tx:
        user_id = (await tx.session.execute(select(User.id))).scalar_one()

    kept = await asyncio.gather(*(fresh_shop.addresses.create(user_id, DEFAULT) for _ in range(50)))

    async with fresh_shop.database.snapshot() as tx:
        shipping = (await tx.session.execute(select(SavedAddress.id).where(SavedAddress.is_default_shipping))).all()
        billing = (await tx.session.execute(select(SavedAddress.id).where(SavedAddress.is_default_billing))).all()
    assert len({address.id for address in kept}) == 50
    assert (len(shipping), len(billing)) == (1, 1)


async def test_a_book_holds_no_more_than_it_may_however_many_come_at_once(fresh_shop: Shop) -> None:
    await signed_in(fresh_shop)
    async with fresh_shop.database.snapshot() as tx:
        user_id = (await tx.session.execute(select(User.id))).scalar_one()

    answers = await asyncio.gather(
        *(fresh_shop.addresses.create(user_id, DEFAULT) for _ in range(60)), return_exceptions=True
    )

    assert sum(isinstance(answer, TooManyAddresses) for answer in answers) == 10
    async with fresh_shop.database.snapshot() as tx:
        assert (await tx.session.execute(select(func.count()).select_from(SavedAddress))).scalar_one() == 50
