"""Administrators who take each other's office at the same moment: somebody is left."""

import asyncio

import pytest
from sqlalchemy import select

from app.errors import LastAdmin
from app.models.users import Role, User, UserStatus
from app.schemas.users import UserAdministration
from app.shop import Shop
from tests.support.shopping import signed_in


@pytest.mark.parametrize("changes", [UserAdministration(role=Role.CUSTOMER), UserAdministration(status="disabled")])
async def test_of_all_admins_one_is_left(fresh_shop: Shop, changes: UserAdministration) -> None:
    for _ in range(5):
        await signed_in(fresh_shop, Role.ADMIN)
    async with fresh_shop.database.snapshot() as tx:
        admins = (await tx.session.execute(select(User.id))).scalars().all()

    answers = await asyncio.gather(
        *(fresh_shop.administration.change(admin, frozenset({1}), changes) for admin in admins), return_exceptions=True
    )

    assert sorted(type(answer).__name__ for answer in answers) == ["LastAdmin", *["User"] * 4]
    assert [type(answer) for answer in answers].count(LastAdmin) == 1
    async with fresh_shop.database.snapshot() as tx:
        left = select(User.id).where(User.role == Role.ADMIN, User.status == UserStatus.ACTIVE)
        assert len((await tx.session.execute(left)).all()) == 1
