"""Shipping methods and tax rates: small tables that every quote reads."""

from collections.abc import Sequence
from decimal import Decimal

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import distinct_on

from app.models.shipping import ShippingMethod, TaxRate
from app.repositories.base import Repository

_METHODS = select(ShippingMethod).order_by(ShippingMethod.position, ShippingMethod.id)


class ShippingRepository(Repository):
    async def methods(self) -> Sequence[ShippingMethod]:
        return await self._all(_METHODS)

    async def tax_rates(self, country: str) -> dict[str, Decimal]:
        """Today's rate of each tax class in that country; none means that the shop collects no tax there."""
        found = await self._session.execute(
            select(TaxRate.tax_class, TaxRate.rate)
            .where(TaxRate.country == country, TaxRate.valid_from <= func.now())
            .order_by(TaxRate.tax_class, TaxRate.valid_from.desc())
            .ext(distinct_on(TaxRate.tax_class))
        )
        return dict(found.all())
